/** How numbers read: the one rule for the terminal, the page and figures. */

const formats = new Map<string, Intl.NumberFormat>();

function grouped(least: number, most: number): Intl.NumberFormat {
  const key = `${least} ${most}`;
  const known =
    formats.get(key) ??
    new Intl.NumberFormat('en-US', {
      minimumSignificantDigits: least,
      maximumSignificantDigits: most,
    });
  formats.set(key, known);
  return known;
}

/** A number that differs so little from a shorter one is that, such as 0.1 + 0.2. */
const NOISE = 1e-14;

/**
 * A number in plain ASCII: whole numbers in full, others to so many significant digits, thousands
 * separated, as a power of ten (`1.2e-5`) below 0.001 and from a million on. A number with fewer
 * digits is printed as it is (0.05); zeros at the end tell that it was rounded (0.05000).
 */
export function plainNumber(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (Number.isInteger(value) && size < 1e15) return count(value);
  const rounded = value.toExponential(digits - 1);
  const exact = Math.abs(Number(rounded) - value) <= NOISE * size;
  if (size >= 1e-3 && size < 1e6) return grouped(exact ? 1 : digits, digits).format(value);
  const [mantissa, exponent] = rounded.split('e');
  return `${exact ? Number(mantissa) : mantissa}e${Number(exponent)}`;
}

/** The same as it is set in print: `−1.2·10⁻⁵`, `∞`, and a dash for what is no number. */
export function formatNumber(value: number, digits = 6): string {
  if (Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  return printed(plainNumber(value, digits));
}

/** Sets a number in plain ASCII as it is printed: `-1.2e-5` as `−1.2·10⁻⁵`. */
export function printed(plain: string): string {
  const [mantissa = '', exponent] = plain.split('e');
  const shown = mantissa.replace('-', '−');
  if (exponent === undefined) return shown;
  const power = `10${superscript(Number(exponent))}`;
  return mantissa === '1' ? power : mantissa === '-1' ? `−${power}` : `${shown}·${power}`;
}

/** 1/20 where the number is such a fraction, else the number. */
export function formatFraction(value: number): string {
  const denominator = Math.round(1 / value);
  return denominator > 1 && denominator < 1000 && 1 / denominator === value
    ? `1/${denominator}`
    : formatNumber(value);
}

export function superscript(power: number): string {
  return String(power)
    .replace('-', '⁻')
    .replace(/\d/g, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]!);
}

/** A whole number with thousands separated. */
export function count(value: number): string {
  // The engine's own formats take as long to load as a short run.
  if (Number.isSafeInteger(value) && !Object.is(value, -0))
    return String(value).replace(/\B(?=(?:\d{3})+$)/g, ',');
  return grouped(1, 21).format(Math.round(value));
}

/** A number of things: 1 row, 10,001 rows. */
export function plural(number: number, word: string, words = `${word}s`): string {
  return `${count(number)} ${number === 1 ? word : words}`;
}

/**
 * A share in percent with two decimals, or in powers of ten where those would be digits without
 * end.
 */
export function percent(share: number): string {
  const value = 100 * share;
  return `${Math.abs(value) < 1e6 ? value.toFixed(2) : value.toExponential(2)} %`;
}

/** So many a second: 12, 340 k, 2.1 M. */
export function rate(perSecond: number): string {
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(1)} M`;
  return perSecond >= 1e4
    ? `${(perSecond / 1e3).toFixed(0)} k`
    : perSecond.toFixed(perSecond < 10 ? 1 : 0);
}

/** Seconds as 4 s, 3:07 or 2:05:00. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : seconds.toFixed(0)} s`;
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${two(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** A size in bytes, in decimal units. */
export function fileSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** Styles for a stream: escape codes on a terminal, nothing elsewhere or where NO_COLOR is set. */
export function styles(stream: NodeJS.WriteStream): Styles {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  const on = NO_COLOR
    ? false
    : FORCE_COLOR
      ? FORCE_COLOR !== '0'
      : stream.isTTY === true && TERM !== 'dumb';
  const style = (open: number, close: number) => (text: string) =>
    on ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    bold: style(1, 22),
    dim: style(2, 22),
    blue: style(34, 39),
    yellow: style(33, 39),
    green: style(32, 39),
    red: style(31, 39),
  };
}

export type Styles = Readonly<
  Record<'bold' | 'dim' | 'blue' | 'yellow' | 'green' | 'red', (text: string) => string>
>;

const FRAME = 100;
const BAR = 24;

export interface Progress {
  /** Prints a line above the bar. */
  line(text: string): void;
  /** So many of the steps are done. */
  update(done: number): void;
  /** Takes the bar away. */
  stop(): void;
}

/** Lines and a progress bar on stderr; the bar only on a terminal, and only from the second second on. */
export function createProgress(
  total: number,
  stream: NodeJS.WriteStream = process.stderr,
): Progress {
  const start = performance.now();
  let drawn = false;
  let last = 0;

  const clear = () => {
    if (drawn) stream.write('\r\u001b[K');
    drawn = false;
  };
  return {
    line(text) {
      clear();
      stream.write(`${text}\n`);
    },
    update(done) {
      const now = performance.now();
      if (!stream.isTTY || now - start < 1000 || now - last < FRAME) return;
      last = now;
      const text = bar(Math.min(done, total), total, (now - start) / 1000);
      stream.write(`\r${text.slice(0, (stream.columns ?? 80) - 1)}\u001b[K`);
      drawn = true;
    },
    stop: clear,
  };
}

function bar(done: number, total: number, seconds: number): string {
  const part = total > 0 ? done / total : 1;
  const filled = Math.round(part * BAR);
  const rate = done / seconds;
  const percent = `${Math.floor(part * 100)}%`.padStart(4);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${percent}  ${count(done)} of ${count(total)} steps  ${rateText(rate)} steps/s  ${duration((total - done) / rate)} left`;
}

/** A whole number with thousands separated. */
export function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** A number of things: 1 row, 10,001 rows. */
export function plural(number: number, word: string): string {
  return `${count(number)} ${word}${number === 1 ? '' : 's'}`;
}

/** A share in percent with two decimals, or in powers of ten where those would be digits without end. */
export function percent(share: number): string {
  const value = 100 * share;
  return `${Math.abs(value) < 1e6 ? value.toFixed(2) : value.toExponential(2)} %`;
}

export function rateText(rate: number): string {
  if (rate >= 1e6) return `${(rate / 1e6).toFixed(1)} M`;
  return rate >= 1e4 ? `${(rate / 1e3).toFixed(0)} k` : rate.toFixed(rate < 10 ? 1 : 0);
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

/** A quantity to so many significant digits, without a forest of zeros. */
export function significant(value: number, digits = 4): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6
    ? String(Number(value.toPrecision(digits)))
    : value.toExponential(digits - 1);
}

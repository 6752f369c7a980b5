import type { RunTable } from '../../pipeline/theory/run-table.ts';

/** The parameters of a run, as a caption says them. */
export function parameters({ config, lastStep }: RunTable): string {
  const { lambda1, lambda2, covariance } = config.moments;
  const sigma = covariance === 0 ? '' : `, σ = ${plain(covariance)}`;
  const floor = config.floor === 0 ? 'no floor' : `|β₁| ≥ ${power(config.floor)}`;
  return glued(
    `λ₁ = ${plain(lambda1)}, λ₂ = ${plain(lambda2)}${sigma}, η = ${fraction(config.eta)}, θ₀ = (${config.init.map(plain).join(',\u00a0')}), ${floor}, ${steps(lastStep)}`,
  );
}

/** 1 step, 10,000 steps. */
export function steps(n: number): string {
  return `${n.toLocaleString('en-US')}\u00a0step${n === 1 ? '' : 's'}`;
}

/** A text in which no line breaks around = + − ≤ ≥, nor within 3 steps. */
export function glued(text: string): string {
  return text.replace(/ ([=+−≤≥]) /g, '\u00a0$1\u00a0').replace(/(\d) steps/g, '$1\u00a0steps');
}

/** A number to four significant digits. */
export function plain(value: number): string {
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e6))
    return String(Number(value.toPrecision(4))).replace('-', '−');
  return power(value);
}

/** 1/20 where the number is such a fraction, else the number. */
export function fraction(value: number): string {
  const denominator = Math.round(1 / value);
  return denominator > 1 && denominator < 1000 && 1 / denominator === value
    ? `1/${denominator}`
    : plain(value);
}

/** 2.5·10⁻⁶; 10⁻⁶ where the mantissa is 1; with so many digits where a number of them is given. */
export function power(value: number, digits = 0): string {
  const [mantissa, exponent] = value.toExponential(2).split('e') as [string, string];
  const ten = `10${superscript(Number(exponent))}`;
  if (Number(mantissa) === 1 && digits === 0) return ten;
  const shown = digits === 0 ? String(Number(mantissa)) : Number(mantissa).toFixed(digits - 1);
  return `${shown.replace('-', '−')}·${ten}`;
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

export function superscript(n: number): string {
  const digits = [...String(Math.abs(n))].map((digit) => SUPERSCRIPTS[Number(digit)]).join('');
  return n < 0 ? `⁻${digits}` : digits;
}

/** Tick of an axis of large numbers: 2·10⁷ takes no more room than 20,000. */
export function tick(value: number): string {
  return value === 0 ? '0' : power(value);
}

/** Tick of a logarithmic axis: powers of ten only. */
export function powerTick(value: number): string {
  const exponent = Math.round(Math.log10(value));
  return Math.abs(value / 10 ** exponent - 1) < 1e-9 ? `10${superscript(exponent)}` : '';
}

/** Powers of ten that cover a range of positive numbers, no more than so many. */
export function powers(low: number, high: number, most = 7): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const stride = Math.max(1, Math.ceil((last - first + 1) / most));
  const all: number[] = [];
  for (let exponent = last; exponent >= first; exponent -= stride)
    all.push(Number(`1e${exponent}`));
  return all.reverse();
}

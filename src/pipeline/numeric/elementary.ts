/**
 * Elementary functions that give the same bits in every engine: they use only what IEEE 754 rounds
 * correctly (+ − × ÷ and Math.sqrt, abs, floor, fround). Math.log and its like differ between
 * engines, and between versions of one. Each is right to 1 ulp.
 */

const bits = new Float64Array(1);
const words = new Int32Array(bits.buffer);
/**
 * Where the sign and the exponent of a float64 stand: they differ by the byte order of the machine.
 */
bits[0] = 1;
const HIGH = words[0] === 0 ? 1 : 0;
const LOW = 1 - HIGH;

/** Constants in two parts, the first short enough for exact products. */
export const LN2_HIGH = 0.6931471803691238;
export const LN2_LOW = 1.9082149292705877e-10;
const LOG10_2_HIGH = 0.3010299955494702;
const LOG10_2_LOW = 1.1451100898021838e-10;
const LOG10_E_HIGH = Math.fround(Math.LOG10E);
const LOG10_E_LOW = -1.0103050052231683e-8;
const TWO_54 = 18014398509481984;

/**
 * The exponent k of x = 2^k·m with m in [√½, √2); m − 1 is left in `fraction`. For positive normal
 * x.
 */
let fraction = 0;
function split(x: number): number {
  bits[0] = x;
  const high = words[HIGH]!;
  const mantissa = high & 0xfffff;
  // Mantissas over √2 go with the next power of two.
  const above = (mantissa + 0x95f64) & 0x100000;
  words[HIGH] = mantissa | (above ^ 0x3ff00000);
  fraction = bits[0]! - 1;
  return (high >> 20) - 1023 + (above >> 20);
}

/**
 * 2·(atanh(s)/s − 1) = ⅔s² + ⅖s⁴ + …, for s² ≤ 0.0295: what ln(1 + f) has beyond 2s for s = f/(2 +
 * f).
 */
function tail(ss: number): number {
  const s4 = ss * ss;
  const odd = 2 / 3 + s4 * (2 / 7 + s4 * (2 / 11 + s4 * (2 / 15 + s4 * (2 / 19 + s4 * (2 / 23)))));
  const even = 2 / 5 + s4 * (2 / 9 + s4 * (2 / 13 + s4 * (2 / 17 + s4 * (2 / 21))));
  return ss * (odd + ss * even);
}

/** ln x. */
export function log(x: number): number {
  if (!(x >= 2.2250738585072014e-308)) {
    if (x > 0) return log(x * TWO_54) - 54 * Math.LN2;
    return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  }
  return x === Number.POSITIVE_INFINITY ? x : logWith(x, 0);
}

/** ln x + more, rounded once both are summed up, for positive normal x. */
function logWith(x: number, more: number): number {
  return logOfParts(split(x), fraction, more);
}

/** ln(2^k·(1 + f)) + more. */
function logOfParts(k: number, f: number, more: number): number {
  const s = f / (2 + f);
  const half = 0.5 * (f * f);
  // ln(1 + f) = f − (f²/2 − s·(f²/2 + tail)): nothing large cancels.
  const rest = s * (half + tail(s * s));
  if (k === 0) return f - (half - (rest + more));
  return k * LN2_HIGH - (half - (rest + (k * LN2_LOW + more)) - f);
}

/** log₁₀ x. */
export function log10(x: number): number {
  if (!(x >= 2.2250738585072014e-308 && x < Number.POSITIVE_INFINITY))
    return x > 0 && x < 1 ? log10(x * TWO_54) - 16.255619765854984 : log(x);
  const k = split(x);
  const f = fraction;
  const s = f / (2 + f);
  const half = 0.5 * (f * f);
  // The logarithm in two parts, the first of 24 bits, so that its product with log₁₀e is exact.
  const high = Math.fround(f - half);
  const low = f - high - half + s * (half + tail(s * s));
  const product = high * LOG10_E_HIGH;
  const whole = k * LOG10_2_HIGH;
  const sum = whole + product;
  const rounded = whole - sum + product;
  return sum + (rounded + (low * Math.LOG10E + high * LOG10_E_LOW + k * LOG10_2_LOW));
}

/** ln(1 + f), also where f is small. */
export function log1p(f: number): number {
  if (f > -0.25 && f < 0.414) return logOfParts(0, f, 0);
  const u = 1 + f;
  // What rounding took from 1 + f.
  return u > 0 && u < 1e17 ? logWith(u, (f - (u - 1)) / u) : log(u);
}

/** 2^k for −1022 ≤ k ≤ 1023. */
export function power(k: number): number {
  words[HIGH] = (k + 1023) << 20;
  words[LOW] = 0;
  return bits[0]!;
}

/** √(a² + b² + c²), whatever their sizes. */
export function hypot(a: number, b: number, c = 0): number {
  const most = Math.max(Math.abs(a), Math.abs(b), Math.abs(c));
  if (most === 0 || !(most < Number.POSITIVE_INFINITY)) return most;
  if (most > 1e-140 && most < 1e150) return Math.sqrt(a * a + b * b + c * c);
  const scale = most < 1 ? 2 ** 500 : 2 ** -600;
  const [x, y, z] = [a * scale, b * scale, c * scale];
  return Math.sqrt(x * x + y * y + z * z) / scale;
}

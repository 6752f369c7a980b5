// The arithmetic of models/minimal and numeric/elementary, operation by operation, so that every
// bit is the same: of two runs at once, a lane each, or of one.

/** Below this 1 − ηλ₁α² is computed with twice the digits. */
export const SMALL_FACTOR: f64 = 1.0 / 16;
/** Below this αβ₂ − 1 is carried from step to step. */
export const SMALL_RESIDUAL: f64 = 1.0 / 1024;
/** 2²⁷ + 1: splits a float64 in two halves of which products are exact. */
const SPLITTER: f64 = 134217729;

/** a·b − product, exactly. */
function productError(a: v128, b: v128, product: v128): v128 {
  const bigA = f64x2.mul(f64x2.splat(SPLITTER), a);
  const bigB = f64x2.mul(f64x2.splat(SPLITTER), b);
  const highA = f64x2.sub(bigA, f64x2.sub(bigA, a));
  const highB = f64x2.sub(bigB, f64x2.sub(bigB, b));
  const lowA = f64x2.sub(a, highA);
  const lowB = f64x2.sub(b, highB);
  const left = f64x2.sub(
    f64x2.sub(f64x2.sub(product, f64x2.mul(highA, highB)), f64x2.mul(lowA, highB)),
    f64x2.mul(highA, lowB),
  );
  return f64x2.sub(f64x2.mul(lowA, lowB), left);
}

/** 1 − ηλ₁α², to a last place of itself where it cancels. */
export function smallFactor(eta: v128, lambda1: v128, alpha: v128): v128 {
  const rate = f64x2.mul(eta, lambda1);
  const square = f64x2.mul(alpha, alpha);
  const product = f64x2.mul(rate, square);
  const lost = f64x2.add(
    f64x2.add(
      productError(rate, square, product),
      f64x2.mul(rate, productError(alpha, alpha, square)),
    ),
    f64x2.mul(productError(eta, lambda1, rate), square),
  );
  return f64x2.sub(f64x2.sub(f64x2.splat(1), product), lost);
}

export function cancels(factor: v128): v128 {
  return f64x2.lt(f64x2.abs(factor), f64x2.splat(SMALL_FACTOR));
}

export function isSmallResidual(r: v128): v128 {
  return f64x2.lt(f64x2.abs(r), f64x2.splat(SMALL_RESIDUAL));
}

/** A number of this size, with the sign of another: + for both zeros. */
export function signed(size: v128, like: v128): v128 {
  return v128.xor(size, v128.and(f64x2.lt(like, f64x2.splat(0)), i64x2.splat(i64.MIN_VALUE)));
}

/** The least number of all digits. */
export const NORMAL: f64 = 2.2250738585072014e-308;
const LN2: f64 = 0.6931471805599453;
const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;

/** ln x for x > 0. */
export function log(x: f64): f64 {
  if (x < NORMAL) return log(x * 18014398509481984) - 54 * LN2;
  if (x == Infinity) return x;
  const bits = reinterpret<u64>(x);
  // Mantissas over √2 go with the next power of two.
  const mantissa = bits & 0xfffffffffffff;
  const above = (((mantissa >> 32) + 0x95f64) & 0x100000) >> 20;
  const k = <f64>(<i32>(bits >> 52) - 1023 + <i32>above);
  const f = reinterpret<f64>(mantissa | ((0x3ff - above) << 52)) - 1;
  const s = f / (2 + f);
  const half = 0.5 * (f * f);
  const rest = s * (half + logTail(s * s));
  if (k == 0) return f - (half - rest);
  return k * LN2_HIGH - (half - (rest + k * LN2_LOW) - f);
}

function logTail(ss: f64): f64 {
  const s4 = ss * ss;
  const odd =
    2.0 / 3 +
    s4 * (2.0 / 7 + s4 * (2.0 / 11 + s4 * (2.0 / 15 + s4 * (2.0 / 19 + s4 * (2.0 / 23)))));
  const even = 2.0 / 5 + s4 * (2.0 / 9 + s4 * (2.0 / 13 + s4 * (2.0 / 17 + s4 * (2.0 / 21))));
  return ss * (odd + ss * even);
}

/** Added to a small whole number, it leaves that number in the lowest bits. */
const MAGIC: f64 = 6755399441055744;

/** 2/3, 2/5 … 2/23. */
const TAIL: usize = memory.data<f64>([
  2.0 / 3,
  2.0 / 5,
  2.0 / 7,
  2.0 / 9,
  2.0 / 11,
  2.0 / 13,
  2.0 / 15,
  2.0 / 17,
  2.0 / 19,
  2.0 / 21,
  2.0 / 23,
]);

/** `logTail` of two numbers. */
function tails(ss: v128): v128 {
  const s4 = f64x2.mul(ss, ss);
  let odd = f64x2.add(v128.load64_splat(TAIL, 64), f64x2.mul(s4, v128.load64_splat(TAIL, 80)));
  let even = f64x2.add(v128.load64_splat(TAIL, 56), f64x2.mul(s4, v128.load64_splat(TAIL, 72)));
  odd = f64x2.add(v128.load64_splat(TAIL, 48), f64x2.mul(s4, odd));
  even = f64x2.add(v128.load64_splat(TAIL, 40), f64x2.mul(s4, even));
  odd = f64x2.add(v128.load64_splat(TAIL, 32), f64x2.mul(s4, odd));
  even = f64x2.add(v128.load64_splat(TAIL, 24), f64x2.mul(s4, even));
  odd = f64x2.add(v128.load64_splat(TAIL, 16), f64x2.mul(s4, odd));
  even = f64x2.add(v128.load64_splat(TAIL, 8), f64x2.mul(s4, even));
  odd = f64x2.add(v128.load64_splat(TAIL), f64x2.mul(s4, odd));
  return f64x2.mul(ss, f64x2.add(odd, f64x2.mul(ss, even)));
}

/** The bits behind the point of two numbers. */
function fraction(x: v128): v128 {
  return v128.and(x, i64x2.splat(0xfffffffffffff));
}

/** 1 where mantissas over √2 go with the next power of two. */
function isAbove(x: v128): v128 {
  const carried = i64x2.add(i64x2.shr_u(fraction(x), 32), i64x2.splat(0x95f64));
  return i64x2.shr_u(v128.and(carried, i64x2.splat(0x100000)), 20);
}

/** The k of x = 2^k·(1 + f). */
function powerOf(x: v128): v128 {
  const exponent = i64x2.add(i64x2.sub(i64x2.shr_u(x, 52), i64x2.splat(1023)), isAbove(x));
  const bits = i64x2.add(exponent, i64x2.splat(reinterpret<i64>(MAGIC)));
  return f64x2.sub(bits, f64x2.splat(MAGIC));
}

/** The f of x = 2^k·(1 + f), from √½ − 1 to √2 − 1. */
function besideOne(x: v128): v128 {
  const power = i64x2.shl(i64x2.sub(i64x2.splat(0x3ff), isAbove(x)), 52);
  return f64x2.sub(v128.or(fraction(x), power), f64x2.splat(1));
}

/** `log` of two numbers that are no less than `NORMAL`, and finite. */
export function logs(x: v128): v128 {
  const k = powerOf(x);
  const f = besideOne(x);
  const s = f64x2.div(f, f64x2.add(f64x2.splat(2), f));
  const half = f64x2.mul(f64x2.splat(0.5), f64x2.mul(f, f));
  const tail = tails(f64x2.mul(s, s));
  const rest = f64x2.mul(s, f64x2.add(half, tail));
  const alone = f64x2.sub(f, f64x2.sub(half, rest));
  const low = f64x2.add(rest, f64x2.mul(k, f64x2.splat(LN2_LOW)));
  const whole = f64x2.sub(f64x2.mul(k, f64x2.splat(LN2_HIGH)), f64x2.sub(f64x2.sub(half, low), f));
  return v128.bitselect(alone, whole, f64x2.eq(k, f64x2.splat(0)));
}

const LOG10_2_HIGH: f64 = 0.3010299955494702;
const LOG10_2_LOW: f64 = 1.1451100898021838e-10;
const LOG10_E: f64 = 0.4342944819032518;
const LOG10_E_HIGH: f64 = <f64>(<f32>LOG10_E);
const LOG10_E_LOW: f64 = -1.0103050052231683e-8;

/** `log10` of two numbers that are no less than `NORMAL`, and finite. */
export function log10s(x: v128): v128 {
  const k = powerOf(x);
  const f = besideOne(x);
  const s = f64x2.div(f, f64x2.add(f64x2.splat(2), f));
  const half = f64x2.mul(f64x2.splat(0.5), f64x2.mul(f, f));
  const sum = f64x2.mul(s, f64x2.add(half, tails(f64x2.mul(s, s))));
  const high = f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(f64x2.sub(f, half)));
  const low = f64x2.add(f64x2.sub(f64x2.sub(f, high), half), sum);
  const product = f64x2.mul(high, f64x2.splat(LOG10_E_HIGH));
  const whole = f64x2.mul(k, f64x2.splat(LOG10_2_HIGH));
  const main = f64x2.add(whole, product);
  const rounded = f64x2.add(f64x2.sub(whole, main), product);
  const rest = f64x2.add(
    f64x2.add(f64x2.mul(low, f64x2.splat(LOG10_E)), f64x2.mul(high, f64x2.splat(LOG10_E_LOW))),
    f64x2.mul(k, f64x2.splat(LOG10_2_LOW)),
  );
  return f64x2.add(main, f64x2.add(rounded, rest));
}

/** How far a number may be from 1, relative, for `logNear`. */
export const NEAR: f64 = 1.0 / 128;

/** 1/1 … 1/7. */
const INVERSES: usize = memory.data<f64>([1, 1.0 / 2, 1.0 / 3, 1.0 / 4, 1.0 / 5, 1.0 / 6, 1.0 / 7]);

/** ln(1 + z) for |z| < 2⁻⁷. */
export function logNear(z: v128): v128 {
  let sum = v128.load64_splat(INVERSES, 48);
  sum = f64x2.sub(v128.load64_splat(INVERSES, 40), f64x2.mul(z, sum));
  sum = f64x2.sub(v128.load64_splat(INVERSES, 32), f64x2.mul(z, sum));
  sum = f64x2.sub(v128.load64_splat(INVERSES, 24), f64x2.mul(z, sum));
  sum = f64x2.sub(v128.load64_splat(INVERSES, 16), f64x2.mul(z, sum));
  sum = f64x2.sub(v128.load64_splat(INVERSES, 8), f64x2.mul(z, sum));
  return f64x2.mul(z, f64x2.sub(v128.load64_splat(INVERSES), f64x2.mul(z, sum)));
}

/** α∞² of points of balance Q. */
export function solutionSquare(q: v128): v128 {
  const radius = f64x2.sqrt(f64x2.add(f64x2.mul(q, q), f64x2.splat(4)));
  const square = f64x2.mul(f64x2.add(q, radius), f64x2.splat(0.5));
  const low = f64x2.lt(q, f64x2.splat(-1));
  if (!v128.any_true(low)) return square;
  return v128.bitselect(f64x2.div(f64x2.splat(2), f64x2.sub(radius, q)), square, low);
}

/** S∞ of points of balance Q, for covariance 0. */
export function solutionSharpness(q: v128, lambda1: v128, lambda2: v128): v128 {
  const radius = f64x2.sqrt(f64x2.add(f64x2.mul(q, q), f64x2.splat(4)));
  return f64x2.pmax(f64x2.mul(lambda1, solutionSquare(q)), f64x2.mul(lambda2, radius));
}

/** αβ₂ − 1 after a step, from that before it. */
export function advanceResidual(
  eta: v128,
  alpha: v128,
  beta2: v128,
  r: v128,
  gradAlpha: v128,
  gradBeta2: v128,
): v128 {
  const both = f64x2.mul(f64x2.mul(eta, gradAlpha), gradBeta2);
  const change = f64x2.add(f64x2.mul(beta2, gradAlpha), f64x2.mul(alpha, gradBeta2));
  return f64x2.sub(r, f64x2.mul(eta, f64x2.sub(change, both)));
}

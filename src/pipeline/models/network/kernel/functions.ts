// exp, log, tanh, the normal distribution: made of +, −, ×, ÷ and √ only, so that every engine
// gives the same bits.

const LN2_HI: f64 = 6.9314718036912381649e-1;
const LN2_LO: f64 = 1.90821492927058770002e-10;
const LOG2_E: f64 = 1.4426950408889634;
/** Added to a small whole number, it leaves that number in the lowest bits. */
const MAGIC: f64 = 6755399441055744;

// The numbers of series stand in memory: a compiler makes them anew at each turn of a loop
// otherwise, in three instructions each.

/** 1/14!, 1/13!, … 1/2!. */
const EXP: usize = memory.data<f64>(
  [
    1.0 / 87178291200,
    1.0 / 6227020800,
    1.0 / 479001600,
    1.0 / 39916800,
    1.0 / 3628800,
    1.0 / 362880,
    1.0 / 40320,
    1.0 / 5040,
    1.0 / 720,
    1.0 / 120,
    1.0 / 24,
    1.0 / 6,
    1.0 / 2,
  ],
  16,
);

/** e^r − 1 − r for |r| ≤ ln 2 / 2, by its Taylor series. */
function expTail(r: v128): v128 {
  let p = v128.load_splat<f64>(EXP);
  p = f64x2.add(f64x2.mul(p, r), v128.load_splat<f64>(EXP, 8));
  p = f64x2.add(f64x2.mul(p, r), v128.load_splat<f64>(EXP, 16));
  p = f64x2.add(f64x2.mul(p, r), v128.load_splat<f64>(EXP, 24));
  p = f64x2.add(f64x2.mul(p, r), v128.load_splat<f64>(EXP, 32));
  p = f64x2.add(f64x2.mul(p, r), v128.load_splat<f64>(EXP, 40));
  p = f64x2.add(f64x2.mul(p, r), v128.load_splat<f64>(EXP, 48));
  p = f64x2.add(f64x2.mul(p, r), v128.load_splat<f64>(EXP, 56));
  p = f64x2.add(f64x2.mul(p, r), v128.load_splat<f64>(EXP, 64));
  p = f64x2.add(f64x2.mul(p, r), v128.load_splat<f64>(EXP, 72));
  p = f64x2.add(f64x2.mul(p, r), v128.load_splat<f64>(EXP, 80));
  p = f64x2.add(f64x2.mul(p, r), v128.load_splat<f64>(EXP, 88));
  p = f64x2.add(f64x2.mul(p, r), v128.load_splat<f64>(EXP, 96));
  return f64x2.mul(f64x2.mul(p, r), r);
}

/** 2^k for whole k from −1022 to 1023. */
function powerOfTwo(k: v128): v128 {
  const bits = i64x2.shl(f64x2.add(k, f64x2.splat(MAGIC)), 52);
  return i64x2.add(bits, f64x2.splat(1));
}

/**
 * What is lost of `high` = 1 + r, and what e^(reduced) has beyond it: e^x = 2^k (1 + r rounded +
 * this).
 */
function expRest(high: v128, r: v128, lost: v128): v128 {
  const rounding = f64x2.sub(r, f64x2.sub(high, f64x2.splat(1)));
  return f64x2.add(rounding, f64x2.add(expTail(r), f64x2.mul(lost, high)));
}

/** e^(x + tail) for x from −708 to 709, |tail| far below 1; 0.6 ulp. */
export function expPair(x: v128, tail: v128): v128 {
  const k = f64x2.nearest(f64x2.mul(x, f64x2.splat(LOG2_E)));
  const near = f64x2.sub(x, f64x2.mul(k, f64x2.splat(LN2_HI)));
  const low = f64x2.sub(tail, f64x2.mul(k, f64x2.splat(LN2_LO)));
  const r = f64x2.add(near, low);
  const lost = f64x2.add(f64x2.sub(near, r), low);
  const high = f64x2.add(f64x2.splat(1), r);
  return f64x2.mul(f64x2.add(high, expRest(high, r, lost)), powerOfTwo(k));
}

/** e^x: 0 below −745.2, ∞ above 709.79, subnormal numbers between. */
export function exp(x: f64): f64 {
  if (x < -745.2) return 0;
  if (x > 709.79) return Infinity;
  if (x != x) return x;
  const halves = x < -700 ? 64.0 : x > 700 ? -64.0 : 0.0;
  // e^x = e^(x + 64 ln 2) · 2^−64 keeps the power of two in range.
  const shifted = x + halves * LN2_HI;
  const error = x - (shifted - halves * LN2_HI) + halves * LN2_LO;
  const e = f64x2.extract_lane(expPair(f64x2.splat(shifted), f64x2.splat(error)), 0);
  return halves > 0 ? e * 5.421010862427522e-20 : halves < 0 ? e * 18446744073709551616.0 : e;
}

/** ln x: with x = 2^k (1 + f), by the series of 2·artanh(f / (2 + f)). */
export function log(x: f64): f64 {
  if (x < 0 || x != x) return NaN;
  if (x == 0) return -Infinity;
  if (x == Infinity) return x;
  let k = 0;
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984;
    k = -54;
  }
  const bits = reinterpret<u64>(x);
  k += i32(bits >> 52) - 1023;
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    k++;
  }
  const f = m - 1;
  const s = f / (2 + f);
  const z = s * s;
  let p = 2.0 / 23;
  p = p * z + 2.0 / 21;
  p = p * z + 2.0 / 19;
  p = p * z + 2.0 / 17;
  p = p * z + 2.0 / 15;
  p = p * z + 2.0 / 13;
  p = p * z + 2.0 / 11;
  p = p * z + 2.0 / 9;
  p = p * z + 2.0 / 7;
  p = p * z + 2.0 / 5;
  p = p * z + 2.0 / 3;
  const half = 0.5 * f * f;
  const rest = s * (half + p * z);
  if (k == 0) return f - (half - rest);
  return k * LN2_HI - (half - (rest + k * LN2_LO) - f);
}

/** tanh is 1 to half an ulp from here on. */
const TANH_END: f64 = 20;
/** Places a unit at which tanh is kept. */
const TANH_PLACES: f64 = 32;

/**
 * tanh a for a ≥ 0, and what rounding left out of it, side by side. Below 0.625 by the eighth
 * convergent of Lambert's continued fraction x/(1 + x²/(3 + x²/(5 + …))), above it as 1 − 2/(e^2x +
 * 1).
 */
function tanhOf(a: f64): v128 {
  if (a < 0.625) {
    const s = a * a;
    const top = ((s + 594) * s + 45045) * s + 675675;
    const bottom = (((s + 630) * s + 51975) * s + 945945) * s + 2027025;
    const less = a * s * (top / bottom);
    const value = a - less;
    return f64x2(value, a - value - less);
  }
  const y = a + a;
  const k = Math.round(y * LOG2_E);
  const near = y - k * LN2_HI;
  const r = near - k * LN2_LO;
  const lost = near - r - k * LN2_LO;
  const high = f64x2.splat(1 + r);
  const rest = f64x2.extract_lane(expRest(high, f64x2.splat(r), f64x2.splat(lost)), 0);
  const e = 1 + r + rest;
  const scale = f64x2.extract_lane(powerOfTwo(f64x2.splat(k)), 0);
  const main = e * scale;
  const sum = main + 1;
  const beyond = 1 - (sum - main) + (1 + r - e + rest) * scale;
  const q = 2 / sum;
  const less = q - q * q * 0.5 * beyond;
  const value = 1 - less;
  return f64x2(value, 1 - value - less);
}

/** tanh at k/32, each with what rounding left out, and room behind them. */
const TANH: usize = memory.data(1024 << 4, 16);
/** A place in that table, of numbers that are none too. */
const TANH_MASK: i32 = 1023;
fillTanh();

function fillTanh(): void {
  const count = i32(TANH_END * TANH_PLACES);
  for (let k = 0; k <= count; k++)
    v128.store(TANH + ((<usize>k) << 4), tanhOf(<f64>k / TANH_PLACES));
}

/** What `tanhPair` reckons with. */
const TANH_NUMBERS: usize = memory.data<f64>(
  [
    TANH_END,
    TANH_PLACES,
    1 / TANH_PLACES,
    MAGIC,
    -62.0 / 2835,
    17.0 / 315,
    -2.0 / 15,
    1.0 / 3,
    1,
    -0.0,
  ],
  16,
);

/**
 * tanh x from T = tanh of the nearest k/32: with b what |x| is beyond that and t = tanh b, by its
 * Taylor series, tanh |x| = T + t − t·T·(T + t)/(1 + T·t).
 */
export function tanhPair(x: v128): v128 {
  const minus = v128.load_splat<f64>(TANH_NUMBERS, 72);
  const sign = v128.and(x, minus);
  const a = f64x2.pmin(v128.andnot(x, minus), v128.load_splat<f64>(TANH_NUMBERS));
  const magic = v128.load_splat<f64>(TANH_NUMBERS, 24);
  const place = f64x2.add(f64x2.mul(a, v128.load_splat<f64>(TANH_NUMBERS, 8)), magic);
  const k = f64x2.sub(place, magic);
  const b = f64x2.sub(a, f64x2.mul(k, v128.load_splat<f64>(TANH_NUMBERS, 16)));
  const first = v128.load(TANH + ((<usize>(i32x4.extract_lane(place, 0) & TANH_MASK)) << 4));
  const second = v128.load(TANH + ((<usize>(i32x4.extract_lane(place, 2) & TANH_MASK)) << 4));
  const T = v128.shuffle<f64>(first, second, 0, 2);
  const low = v128.shuffle<f64>(first, second, 1, 3);

  const s = f64x2.mul(b, b);
  let p = v128.load_splat<f64>(TANH_NUMBERS, 32);
  p = f64x2.add(f64x2.mul(p, s), v128.load_splat<f64>(TANH_NUMBERS, 40));
  p = f64x2.add(f64x2.mul(p, s), v128.load_splat<f64>(TANH_NUMBERS, 48));
  p = f64x2.add(f64x2.mul(p, s), v128.load_splat<f64>(TANH_NUMBERS, 56));
  const bent = f64x2.mul(f64x2.mul(p, s), b);
  const t = f64x2.sub(b, bent);
  const product = f64x2.mul(T, t);
  const one = v128.load_splat<f64>(TANH_NUMBERS, 64);
  const less = f64x2.div(f64x2.mul(product, f64x2.add(T, t)), f64x2.add(one, product));
  const sum = f64x2.add(T, b);
  const lost = f64x2.sub(b, f64x2.sub(sum, T));
  const rest = f64x2.sub(f64x2.add(lost, low), f64x2.add(bent, less));
  return v128.or(f64x2.add(sum, rest), sign);
}

/**
 * Coefficients of (1 + 2z)·e^(z²)·erfc z in Chebyshev polynomials of (z − 3.75)/(z + 3.75), the
 * last one first.
 */
const ERFCX: StaticArray<f64> = [
  -2.1873429440801045e-18, -2.2370566592090963e-18, 5.068148904819187e-17, 7.418235256647491e-17,
  -1.2507950530686267e-15, -1.8645628804190716e-15, 3.34781194828683e-14, 3.252548148164764e-14,
  -9.654696748433436e-13, 1.9455868545777373e-13, 2.86879501093067e-11, -6.318088340886684e-11,
  -7.754400208831351e-10, 4.521959811218287e-9, 1.076499946567091e-8, -2.1886401049234396e-7,
  7.740383066199047e-7, 4.13902798607301e-6, -6.916973302501206e-5, 4.907758365258086e-4,
  -2.413163540417608e-3, 9.074997670705265e-3, -2.6658668435305753e-2, 5.920993999819189e-2,
  -8.424913336651792e-2, -4.590054580646477e-3,
];
const ERFCX_MEAN: f64 = 1.1775789345674018;

/** What rounding left out of x·x, by Dekker's splitting. */
function squareError(x: v128, square: v128): v128 {
  const big = f64x2.mul(x, f64x2.splat(134217729));
  const h = f64x2.sub(big, f64x2.sub(big, x));
  const l = f64x2.sub(x, h);
  const cross = f64x2.mul(f64x2.add(h, h), l);
  return f64x2.add(f64x2.add(f64x2.sub(f64x2.mul(h, h), square), cross), f64x2.mul(l, l));
}

/** e^(−x²/2) for |x| ≤ 37.6; 0 beyond. */
export function bellPair(x: v128): v128 {
  const a = f64x2.pmin(f64x2.abs(x), f64x2.splat(37.6));
  const square = f64x2.mul(a, a);
  const half = f64x2.splat(-0.5);
  const e = expPair(f64x2.mul(square, half), f64x2.mul(squareError(a, square), half));
  return v128.and(e, f64x2.lt(a, f64x2.splat(37.6)));
}

/**
 * Φ(x), the share of the normal distribution below x, from e^(−x²/2): ½ erfc(|x|/√2) or 1 less
 * that.
 */
export function normalPair(x: v128, bell: v128): v128 {
  const one = f64x2.splat(1);
  const z = f64x2.mul(f64x2.abs(x), f64x2.splat(0.7071067811865476));
  const t = f64x2.div(f64x2.sub(z, f64x2.splat(3.75)), f64x2.add(z, f64x2.splat(3.75)));
  const twice = f64x2.add(t, t);
  let b = f64x2.splat(0);
  let c = f64x2.splat(0);
  for (let i = 0; i < 26; i++) {
    const next = f64x2.add(f64x2.sub(f64x2.mul(twice, b), c), f64x2.splat(unchecked(ERFCX[i])));
    c = b;
    b = next;
  }
  const series = f64x2.add(f64x2.sub(f64x2.mul(t, b), c), f64x2.splat(ERFCX_MEAN));
  const tail = f64x2.div(
    f64x2.mul(f64x2.mul(bell, f64x2.splat(0.5)), series),
    f64x2.add(one, f64x2.add(z, z)),
  );
  return v128.bitselect(tail, f64x2.sub(one, tail), f64x2.lt(x, f64x2.splat(0)));
}

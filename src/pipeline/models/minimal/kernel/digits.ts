// Digits of rows, as of models/minimal/agreement: of a stretch at once where they stay as they are.
import { TINY } from './limits';
import { ALPHA, BETA1, BETA2, DIGITS, LOG } from './rows';

/** Of the same name there, for what is rare. */
declare function rowAgreement(
  agreed: i32,
  alpha: f64,
  beta1: f64,
  beta2: f64,
  residual: f64,
  shadowAlpha: f64,
  shadowBeta1: f64,
  shadowBeta2: f64,
): i32;

/** Digits rise by one at most, and the shadow is kept apart, every so many steps. */
export const RISE: i32 = 32;
/** With so many none can be lost where hardly anything changes. */
export const AMPLE: i32 = 8;
const TRUSTED_DIGITS: i32 = 3;
const AGREED: f64 = 5e-11;
const SLOW: f64 = 1.0 / 1048576;
/** How far apart a shadow is kept, relatively. */
export const APART: f64 = 4.440892098500626e-16;

/** What numbers may differ by, relatively, that agree in 0 … 16 digits; nothing agrees in 16. */
const AGREEMENT: usize = memory.data<f64>([
  Infinity,
  5e-3,
  5e-4,
  5e-5,
  5e-6,
  5e-7,
  5e-8,
  5e-9,
  5e-10,
  5e-11,
  5e-12,
  5e-13,
  5e-14,
  5e-15,
  5e-16,
  5e-17,
  -1,
]);

export function allowed(digits: i32): f64 {
  return load<f64>(AGREEMENT + ((<usize>digits) << 3));
}

/** Digits to which numbers of these sizes agree that are these distances apart. */
export function agreement(
  offAlpha: f64,
  alpha: f64,
  offBeta1: f64,
  beta1: f64,
  offBeta2: f64,
  beta2: f64,
): i32 {
  let d = 15;
  for (; d > 0; d--) {
    const most = allowed(d);
    if (offAlpha <= most * alpha && offBeta1 <= most * beta1 && offBeta2 <= most * beta2) break;
  }
  return d;
}

export function keptApart(own: f64, shadow: f64, side: f64): f64 {
  return abs(own - shadow) < APART * abs(own) ? own * (1 + side * APART) : shadow;
}

/** mantissa·2^exponent. */
export function unscaled(mantissa: f64, exponent: f64): f64 {
  if (exponent == 0) return mantissa;
  if (exponent < -1600) return mantissa * 0;
  let value = mantissa;
  for (let e = exponent; e < 0; e += 512) value *= TINY;
  return value;
}

/** Whether so much has changed in a step that digits may be lost. */
export function hasMoved(now: f64, before: f64): bool {
  return abs(now - before) > SLOW * abs(now);
}

/** The same of two numbers. */
export function moved(now: v128, before: v128): v128 {
  return f64x2.gt(f64x2.abs(f64x2.sub(now, before)), f64x2.mul(f64x2.splat(SLOW), f64x2.abs(now)));
}

/** The shadow and αβ₂ − 1 in each row of a stretch, and behind it. */

const STRETCH: usize = memory.data(4 * 8 * 34, 16);
export const SHADOW_ALPHA: usize = STRETCH;
export const SHADOW_MANTISSA: usize = STRETCH + 8 * 34;
export const SHADOW_BETA2: usize = STRETCH + 2 * 8 * 34;
export const RESIDUAL: usize = STRETCH + 3 * 8 * 34;

/** Keeps what is looked at of a row of the stretch. */
export function keep(row: i32, alpha: f64, mantissa: f64, beta2: f64, residual: f64): void {
  const at = (<usize>row) << 3;
  store<f64>(SHADOW_ALPHA + at, alpha);
  store<f64>(SHADOW_MANTISSA + at, mantissa);
  store<f64>(SHADOW_BETA2 + at, beta2);
  store<f64>(RESIDUAL + at, residual);
}

/** Of the run and the stretch whose digits are told, and what has been told of its last row. */
let agreed: i32 = 0;
let told: i32 = 0;
let edge: f64 = 0;
let doubtful: i32 = 0;
let exponent: f64 = 0;
let isBlind: bool = false;

/** Digits of θ in the last row of the last stretch, and of all of that row. */
export function agreedDigits(): i32 {
  return agreed;
}

export function toldDigits(): i32 {
  return told;
}

export function beginDigits(ofTheta: i32, ofRow: i32, alphaHat: f64, few: i32): void {
  agreed = ofTheta;
  told = ofRow;
  edge = alphaHat;
  doubtful = few;
}

/**
 * Digits of the first row of a stretch, the mantissa of which stands where its logarithm will.
 * @param rises whether digits may rise in it
 * @param moves whether it is looked at in any case
 * @param blind whether no digit is true
 */
export function tellFirst(row: i32, rises: bool, moves: bool, power: f64, blind: bool): void {
  exponent = power;
  isBlind = blind;
  if (moves || rises) look(row, 0, rises);
  store<i32>(DIGITS + ((<usize>row) << 2), told);
}

/**
 * Digits of the other rows of it.
 * @param always whether all of them are looked at
 * @param apart the rows, a bit each, that are looked at whatever else
 */
export function tellDigits(first: i32, count: i32, always: bool, apart: u64): void {
  let row = 1;
  while (row < count) {
    const few = always || agreed < AMPLE;
    if (apart == 0 && goesOn()) row = tellAlike(first, row, count, few);
    if (row >= count) return;
    const at = (<usize>(first + row)) << 3;
    if (
      few ||
      ((apart >> row) & 1) != 0 ||
      hasMoved(load<f64>(at, ALPHA), load<f64>(at, ALPHA - 8)) ||
      hasMoved(load<f64>(at, BETA2), load<f64>(at, BETA2 - 8))
    )
      look(first, row, false);
    store<i32>(at >> 1, told, DIGITS);
    row++;
  }
}

/** Looks at the digits of a row. */
function look(first: i32, row: i32, rises: bool): void {
  const at = (<usize>(first + row)) << 3;
  const here = (<usize>row) << 3;
  const alpha = load<f64>(ALPHA + at);
  const beta1 = load<f64>(BETA1 + at);
  const beta2 = load<f64>(BETA2 + at);
  const shadowMantissa = load<f64>(SHADOW_MANTISSA + here);
  const size = load<f64>(LOG + at);
  const offAlpha = abs(alpha - load<f64>(SHADOW_ALPHA + here));
  const offBeta1 = abs(copysign(size, beta1) - shadowMantissa);
  const offBeta2 = abs(beta2 - load<f64>(SHADOW_BETA2 + here));
  const sizeAlpha = abs(alpha);
  const sizeBeta2 = abs(beta2);
  const bound = allowed(agreed);
  const least = rises ? allowed(agreed + 1) : -1;
  if (
    !(offAlpha <= bound * sizeAlpha && offBeta1 <= bound * size && offBeta2 <= bound * sizeBeta2) ||
    (offAlpha <= least * sizeAlpha && offBeta1 <= least * size && offBeta2 <= least * sizeBeta2)
  )
    agreed = min(agreement(offAlpha, sizeAlpha, offBeta1, size, offBeta2, sizeBeta2), agreed + 1);
  if (isBlind) {
    told = 0;
    return;
  }
  if (agreed <= doubtful) {
    told = rowAgreement(
      agreed,
      alpha,
      beta1,
      beta2,
      load<f64>(RESIDUAL + here),
      load<f64>(SHADOW_ALPHA + here),
      unscaled(shadowMantissa, exponent),
      load<f64>(SHADOW_BETA2 + here),
    );
    return;
  }
  const z = abs(edge * sizeBeta2 - 1);
  const offZ = 2 * edge * offBeta2;
  const q = abs((alpha - beta2) * (alpha + beta2) - beta1 * beta1);
  const offQ = 2 * (sizeAlpha * offAlpha + abs(beta1) * offBeta1 + sizeBeta2 * offBeta2);
  told = agreed;
  if (offZ <= AGREED * z && offQ <= AGREED * q) return;
  while (told > TRUSTED_DIGITS) {
    const most = allowed(told);
    if (offZ <= most * z && offQ <= most * q) break;
    told--;
  }
}

/** Whether rows can be told of two at once: the last one was neither doubtful nor corrected. */
function goesOn(): bool {
  return !isBlind && agreed > doubtful && told <= agreed && told >= TRUSTED_DIGITS;
}

/**
 * Tells of rows what has been told of the one before them, two by two, where that `goesOn`.
 * @param always whether they are looked at where nothing moves
 * @returns the first row of which it is not told
 */
function tellAlike(first: i32, row: i32, count: i32, always: bool): i32 {
  const digits = <i64>told * 0x100000001;
  for (; row + 1 < count; row += 2) {
    const at = (<usize>(first + row)) << 3;
    const here = (<usize>row) << 3;
    // Written over where it is not so.
    store<i64>(at >> 1, digits, DIGITS);
    const alpha = v128.load(at, ALPHA);
    const beta2 = v128.load(at, BETA2);
    let still = i64x2.splat(0);
    if (!always) {
      still = v128.not(
        v128.or(moved(alpha, v128.load(at, ALPHA - 8)), moved(beta2, v128.load(at, BETA2 - 8))),
      );
      if (i64x2.bitmask(still) == 3) continue;
    }
    const beta1 = v128.load(at, BETA1);
    const size = v128.load(at, LOG);
    const mantissa = v128.or(size, v128.and(beta1, i64x2.splat(i64.MIN_VALUE)));
    const sizeAlpha = f64x2.abs(alpha);
    const sizeBeta2 = f64x2.abs(beta2);
    const offAlpha = f64x2.abs(f64x2.sub(alpha, v128.load(here, SHADOW_ALPHA)));
    const offBeta1 = f64x2.abs(f64x2.sub(mantissa, v128.load(here, SHADOW_MANTISSA)));
    const offBeta2 = f64x2.abs(f64x2.sub(beta2, v128.load(here, SHADOW_BETA2)));
    const bound = v128.load64_splat(AGREEMENT + ((<usize>agreed) << 3));
    let same = v128.and(
      v128.and(
        f64x2.le(offAlpha, f64x2.mul(bound, sizeAlpha)),
        f64x2.le(offBeta1, f64x2.mul(bound, size)),
      ),
      f64x2.le(offBeta2, f64x2.mul(bound, sizeBeta2)),
    );
    const z = f64x2.abs(f64x2.sub(f64x2.mul(f64x2.splat(edge), sizeBeta2), f64x2.splat(1)));
    const offZ = f64x2.mul(f64x2.splat(2 * edge), offBeta2);
    const q = f64x2.abs(
      f64x2.sub(
        f64x2.mul(f64x2.sub(alpha, beta2), f64x2.add(alpha, beta2)),
        f64x2.mul(beta1, beta1),
      ),
    );
    const offQ = f64x2.mul(
      f64x2.splat(2),
      f64x2.add(
        f64x2.add(f64x2.mul(sizeAlpha, offAlpha), f64x2.mul(f64x2.abs(beta1), offBeta1)),
        f64x2.mul(sizeBeta2, offBeta2),
      ),
    );
    // What is told of the row before is told of both, where neither has fewer nor more.
    if (told > TRUSTED_DIGITS) same = v128.and(same, differLittle(told, offZ, z, offQ, q));
    if (told != agreed) same = v128.andnot(same, differLittle(told + 1, offZ, z, offQ, q));
    if (i64x2.bitmask(v128.or(still, same)) != 3) break;
  }
  return row;
}

/** Whether both differences are right to so many digits, or to as many as no row exceeds. */
function differLittle(digits: i32, offZ: v128, z: v128, offQ: v128, q: v128): v128 {
  const most = f64x2.splat(max(allowed(digits), AGREED));
  return v128.and(f64x2.le(offZ, f64x2.mul(most, z)), f64x2.le(offQ, f64x2.mul(most, q)));
}

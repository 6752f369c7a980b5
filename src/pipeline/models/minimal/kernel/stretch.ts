// A whole stretch of gradient descent at covariance 0 in which nothing out of the ordinary
// happens, to the bits of `carefully`: first the steps alone, each of which waits for the last one,
// then what follows from them, two rows at once.
import { SMALL_RESIDUAL } from './arithmetic';
import {
  AMPLE,
  agreedDigits,
  hasMoved,
  RESIDUAL,
  RISE,
  SHADOW_ALPHA,
  SHADOW_BETA2,
  SHADOW_MANTISSA,
  tellDigits,
} from './digits';
import { hypot } from './elementary';
import { DIVERGENCE_LOSS, LEAST_SQUARES, TINY } from './limits';
import { logOfFloor, toLogarithms } from './logarithms';
import { ALPHA, BETA1, BETA2, L2, LOG, LOSS, NORM, STEP } from './rows';
import { Run, theRun } from './state';

/** Bytes of the numbers of a stretch. */
const BYTES: usize = 8 * <usize>RISE;
/** Somewhat more than the square of `SMALL_FACTOR`. */
const SMALL_SQUARE: f64 = 1.0 / 255;
/** 2^−1024. */
const TINIEST: f64 = 5.562684646268003e-309;

/** Whether β₁ keeps its exponent through ordinary steps, and no sign of a zero matters. */
function isOrdinary(run: Run): bool {
  if (run.covariance != 0 || run.alpha == 0 || run.beta2 == 0 || run.mantissa == 0) return false;
  if (run.exponent != 0) return run.floor == 0 && run.plainBeta1 == 0;
  // From a floor no ordinary step leads below the range.
  return run.floor == 0 || run.floor > 1024 * TINY;
}

/** 2^exponent; 0 where what it multiplies is below the range. */
function powerOf(exponent: f64): f64 {
  if (exponent == 0) return 1;
  return exponent == -512 ? TINY : exponent == -1024 ? TINIEST : 0;
}

/**
 * The rows of a stretch, the first of which has been begun.
 * @returns whether all of it was ordinary; else nothing has happened
 */
export function takeStretch(first: i32): bool {
  const run = theRun();
  if (!isOrdinary(run)) return false;
  const eta = run.eta;
  const lambda1 = run.lambda1;
  const lambda2 = run.lambda2;
  const rate1 = eta * lambda1;
  const rate2 = eta * lambda2;
  const floors = f64x2.splat(run.floor);
  const powers = f64x2.splat(powerOf(run.exponent));
  let alpha = run.alpha;
  let beta2 = run.beta2;
  let r = run.residual;
  /** Of the run and of its shadow. */
  let mantissas = f64x2(run.mantissa, run.shadowMantissa);
  let shadowAlpha = run.shadowAlpha;
  let shadowBeta2 = run.shadowBeta2;
  let at = (<usize>first) << 3;
  let row: usize = 0;
  do {
    const betas = f64x2.mul(mantissas, powers);
    const beta1 = f64x2.extract_lane(betas, 0);
    const shadowBeta1 = f64x2.extract_lane(betas, 1);
    store<f64>(at, alpha, ALPHA);
    store<f64>(at, beta1, BETA1);
    store<f64>(at, beta2, BETA2);
    store<f64>(at, abs(f64x2.extract_lane(mantissas, 0)), LOG);
    at += 8;

    const factor = 1 - eta * (lambda1 * (alpha * alpha));
    if (factor * factor < SMALL_SQUARE) return false;
    const rateAlpha = rate1 * shadowAlpha;
    const shadowFactor = 1 - rateAlpha * shadowAlpha;
    const push = shadowBeta1 * shadowBeta1 * rateAlpha;
    const lack = 1 - shadowAlpha * shadowBeta2;
    const nextShadow = shadowAlpha - push + rate2 * shadowBeta2 * lack;
    shadowBeta2 += rate2 * shadowAlpha * lack;
    shadowAlpha = nextShadow;
    const multiplied = f64x2.mul(mantissas, f64x2(factor, shadowFactor));
    mantissas = v128.or(
      f64x2.pmax(f64x2.abs(multiplied), floors),
      v128.and(f64x2.add(multiplied, f64x2.splat(0)), i64x2.splat(i64.MIN_VALUE)),
    );
    store<f64>(row, f64x2.extract_lane(mantissas, 1), SHADOW_MANTISSA + 8);
    store<f64>(row, shadowAlpha, SHADOW_ALPHA + 8);
    store<f64>(row, shadowBeta2, SHADOW_BETA2 + 8);

    // What the next step waits for comes last: it stays in a register.
    const e2 = lambda2 * r;
    const gradAlpha = beta1 * (lambda1 * (alpha * beta1)) + beta2 * e2;
    const gradBeta2 = alpha * e2;
    const nextBeta2 = beta2 - eta * gradBeta2;
    const nextAlpha = alpha - eta * gradAlpha;
    r =
      abs(r) < SMALL_RESIDUAL
        ? r - eta * (beta2 * gradAlpha + alpha * gradBeta2 - eta * gradAlpha * gradBeta2)
        : nextAlpha * nextBeta2 - 1;
    alpha = nextAlpha;
    beta2 = nextBeta2;
    store<f64>(row, r, RESIDUAL + 8);
    row += 8;
  } while (row < BYTES);
  const mantissa = f64x2.extract_lane(mantissas, 0);
  if (!isInRange(run, f64x2.splat(abs(mantissa))) || !follow(run, first)) return false;
  run.alpha = alpha;
  run.mantissa = mantissa;
  run.beta2 = beta2;
  run.residual = r;
  run.shadowAlpha = shadowAlpha;
  run.shadowMantissa = f64x2.extract_lane(mantissas, 1);
  run.shadowBeta2 = shadowBeta2;
  const moves =
    agreedDigits() < AMPLE ||
    hasMoved(alpha, load<f64>(at, ALPHA - 8)) ||
    hasMoved(beta2, load<f64>(at, BETA2 - 8));
  run.moves = moves ? 1 : 0;
  return true;
}

/** Whether mantissas of these sizes have the exponent of the run. */
function isInRange(run: Run, sizes: v128): bool {
  if (i64x2.bitmask(f64x2.lt(sizes, f64x2.splat(TINY))) != 0) return false;
  return run.exponent == 0 || i64x2.bitmask(f64x2.gt(sizes, f64x2.splat(1))) == 0;
}

/** What the rows have in common, as pairs: engines make constants anew at each use. */
const COMMON: usize = memory.data(4 * 16, 16);
const LAMBDA1: usize = COMMON;
const LAMBDA2: usize = COMMON + 16;
const HALF1: usize = COMMON + 32;
const HALF2: usize = COMMON + 48;

/**
 * The columns that follow from θ and αβ₂ − 1 of a stretch.
 * @returns whether all rows are as they have to be
 */
function follow(run: Run, first: i32): bool {
  v128.store(LAMBDA1, f64x2.splat(run.lambda1));
  v128.store(LAMBDA2, f64x2.splat(run.lambda2));
  v128.store(HALF1, f64x2.splat(0.5 * run.lambda1));
  v128.store(HALF2, f64x2.splat(0.5 * run.lambda2));
  let least = f64x2.splat(Infinity);
  let most = f64x2.splat(0);
  let leastSquares = least;
  let sane = i64x2.splat(-1);
  let steps = f64x2(run.step, run.step + 1);
  const begin = (<usize>first) << 3;
  let at = begin;
  for (let row: usize = 0; row < BYTES; row += 16) {
    const alpha = v128.load(at, ALPHA);
    const beta1 = v128.load(at, BETA1);
    const r = v128.load(row, RESIDUAL);
    const size = v128.load(at, LOG);
    const p = f64x2.mul(alpha, beta1);
    const e1 = f64x2.mul(v128.load(LAMBDA1), p);
    const e2 = f64x2.mul(v128.load(LAMBDA2), r);
    const gradAlpha = f64x2.add(f64x2.mul(beta1, e1), f64x2.mul(v128.load(at, BETA2), e2));
    const gradBeta1 = f64x2.mul(alpha, e1);
    const gradBeta2 = f64x2.mul(alpha, e2);
    const squares = f64x2.add(
      f64x2.add(f64x2.mul(gradAlpha, gradAlpha), f64x2.mul(gradBeta1, gradBeta1)),
      f64x2.mul(gradBeta2, gradBeta2),
    );
    const l2 = f64x2.mul(v128.load(HALF2), f64x2.mul(r, r));
    const loss = f64x2.add(f64x2.mul(v128.load(HALF1), f64x2.mul(p, p)), l2);
    v128.store(at, steps, STEP);
    v128.store(at, l2, L2);
    v128.store(at, loss, LOSS);
    v128.store(at, f64x2.sqrt(squares), NORM);
    sane = v128.and(sane, f64x2.le(loss, f64x2.splat(DIVERGENCE_LOSS)));
    least = f64x2.pmin(least, size);
    most = f64x2.pmax(most, size);
    leastSquares = f64x2.pmin(leastSquares, squares);
    steps = f64x2.add(steps, f64x2.splat(2));
    at += 16;
  }
  if (i64x2.bitmask(sane) != 3 || !isInRange(run, least) || !isInRange(run, most)) return false;
  if (i64x2.bitmask(f64x2.lt(leastSquares, f64x2.splat(LEAST_SQUARES))) != 0)
    correctNorms(run, begin);
  tellDigits(first, RISE, false, 0);
  const floor = f64x2.splat(run.floor);
  if (i64x2.bitmask(v128.and(f64x2.eq(least, floor), f64x2.eq(most, floor))) == 3) {
    const log = f64x2.splat(logOfFloor());
    for (let row: usize = 0; row < BYTES; row += 16) v128.store(begin + row, log, LOG);
  } else toLogarithms(first, first + RISE, run.exponent, run.floor);
  return true;
}

/** The norms of gradients of which the squares have lost digits. */
function correctNorms(run: Run, begin: usize): void {
  for (let row: usize = 0; row < BYTES; row += 8) {
    const at = begin + row;
    const alpha = load<f64>(at, ALPHA);
    const beta1 = load<f64>(at, BETA1);
    const e1 = run.lambda1 * (alpha * beta1);
    const e2 = run.lambda2 * load<f64>(row, RESIDUAL);
    const gradAlpha = beta1 * e1 + load<f64>(at, BETA2) * e2;
    const gradBeta1 = alpha * e1;
    const gradBeta2 = alpha * e2;
    const squares = gradAlpha * gradAlpha + gradBeta1 * gradBeta1 + gradBeta2 * gradBeta2;
    if (!(squares >= LEAST_SQUARES)) store<f64>(at, hypot(gradAlpha, gradBeta1, gradBeta2), NORM);
  }
}

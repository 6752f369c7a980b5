// What is done with all rows of a block: the steps of both runs, bounds of S, sums over edge steps.
import {
  advanceResidual,
  cancels,
  isSmallResidual,
  log,
  logNear,
  NEAR,
  signed,
  smallFactor,
  solutionSharpness,
} from './arithmetic';
import {
  ABOVE,
  ALPHA,
  ALPHA_HAT,
  BETA1,
  BETA2,
  BLOCK,
  CALM,
  CANDIDATES,
  EPSILON,
  ETA,
  FLOOR,
  get,
  LAMBDA1,
  LAMBDA2,
  LEAST,
  LOG_REFERENCE,
  N,
  PEAK,
  PEAKS,
  REFERENCE,
  RESIDUAL,
  ROW,
  ROW_BETA1,
  ROW_BETA2,
  ROW_L1,
  ROW_LOSS,
  ROWS,
  SANE,
  SETTLED,
  SUM_L1,
  SUM_PREDICTED,
  SUM_X,
  SUM_XX,
  SUM_XY,
  SUM_Y,
  set,
  THRESHOLD,
  TOLERATED,
  X0,
  Y0,
} from './lanes';

/** Bounds decide only what they decide by this much, far more than the rounding in them. */
export const MARGIN: f64 = 1e-9;
/** κ. */
export const KAPPA: f64 = 0.05;
const DIVERGENCE_LOSS: f64 = 1e12;

/** A word with the bit of one more row. */
function told(word: v128, mask: v128): v128 {
  return i64x2.sub(i64x2.add(word, word), mask);
}

/** The factor of d₁ in an upper bound of S·d₁: see `most`. */
function spreadOf(lambda1: v128): v128 {
  return f64x2.mul(lambda1, f64x2.splat(32 * (1 + MARGIN)));
}

/** d₁² + 4b², no less than S·d₁ where the row is `bounded`. */
function most(d1: v128, spread: v128, l1: v128): v128 {
  return f64x2.add(f64x2.mul(d1, d1), f64x2.mul(spread, l1));
}

/** Whether the rest of the Hessian is small beside d₁: 2a ≤ d₁ and 3|c| ≤ d₁. */
function bounded(d1: v128, lambda1: v128, lambda2: v128, beta1: v128, beta2: v128, r: v128): v128 {
  const a = f64x2.add(
    f64x2.mul(lambda1, f64x2.mul(beta1, beta1)),
    f64x2.mul(lambda2, f64x2.mul(beta2, beta2)),
  );
  const c = f64x2.mul(
    f64x2.mul(f64x2.splat(3), lambda2),
    f64x2.add(f64x2.add(r, r), f64x2.splat(1)),
  );
  return v128.and(f64x2.le(f64x2.add(a, a), d1), f64x2.le(f64x2.mul(c, c), f64x2.mul(d1, d1)));
}

/** The rows of the next block, and what bounds tell of them. */
export function walk(): void {
  const eta = v128.load(ETA);
  const lambda1 = v128.load(LAMBDA1);
  const lambda2 = v128.load(LAMBDA2);
  const half1 = f64x2.mul(f64x2.splat(0.5), lambda1);
  const half2 = f64x2.mul(f64x2.splat(0.5), lambda2);
  const floor = v128.load(FLOOR);
  const epsilon = v128.load(EPSILON);
  const below = f64x2.mul(v128.load(THRESHOLD), f64x2.splat(1 - MARGIN));
  const aboveAll = f64x2.mul(v128.load(TOLERATED), f64x2.splat(1 + MARGIN));
  const peak = v128.load(PEAK);
  const spread = spreadOf(lambda1);
  let alpha = v128.load(ALPHA);
  let beta1 = v128.load(BETA1);
  let beta2 = v128.load(BETA2);
  let r = v128.load(RESIDUAL);
  let settled = i64x2.splat(0);
  let above = settled;
  let calm = settled;
  let peaks = settled;
  let sane = i64x2.splat(-1);
  let least = f64x2.splat(Infinity);

  for (let row: usize = BLOCK; row < BLOCK + 64 * ROW; row += ROW) {
    const p = f64x2.mul(alpha, beta1);
    const l1 = f64x2.mul(half1, f64x2.mul(p, p));
    const loss = f64x2.add(l1, f64x2.mul(half2, f64x2.mul(r, r)));
    v128.store(row, alpha);
    v128.store(row, beta1, ROW_BETA1);
    v128.store(row, beta2, ROW_BETA2);
    v128.store(row, l1, ROW_L1);
    v128.store(row, loss, ROW_LOSS);

    const d1 = f64x2.mul(lambda1, f64x2.mul(alpha, alpha));
    const high = most(d1, spread, l1);
    const over = f64x2.gt(d1, aboveAll);
    const sides = v128.or(over, f64x2.lt(high, f64x2.mul(below, d1)));
    settled = told(settled, v128.and(bounded(d1, lambda1, lambda2, beta1, beta2, r), sides));
    above = told(above, over);
    calm = told(calm, f64x2.le(loss, epsilon));
    peaks = v128.or(peaks, f64x2.ge(high, f64x2.mul(peak, d1)));
    sane = v128.and(sane, f64x2.le(loss, f64x2.splat(DIVERGENCE_LOSS)));

    const pull = f64x2.mul(lambda2, r);
    const gradAlpha = f64x2.add(f64x2.mul(beta1, f64x2.mul(lambda1, p)), f64x2.mul(beta2, pull));
    const gradBeta2 = f64x2.mul(alpha, pull);
    let factor = f64x2.sub(f64x2.splat(1), f64x2.mul(eta, d1));
    const cancelling = cancels(factor);
    if (v128.any_true(cancelling))
      factor = v128.bitselect(smallFactor(eta, lambda1, alpha), factor, cancelling);
    const multiplied = f64x2.mul(beta1, factor);
    const size = f64x2.abs(multiplied);
    least = f64x2.pmin(least, size);
    const nextAlpha = f64x2.sub(alpha, f64x2.mul(eta, gradAlpha));
    const nextBeta2 = f64x2.sub(beta2, f64x2.mul(eta, gradBeta2));
    const small = isSmallResidual(r);
    let next = f64x2.sub(f64x2.mul(nextAlpha, nextBeta2), f64x2.splat(1));
    if (v128.any_true(small)) {
      const carried = advanceResidual(eta, alpha, beta2, r, gradAlpha, gradBeta2);
      next = v128.bitselect(carried, next, small);
    }
    r = next;
    beta1 = v128.bitselect(signed(floor, multiplied), multiplied, f64x2.lt(size, floor));
    alpha = nextAlpha;
    beta2 = nextBeta2;
  }
  v128.store(ALPHA, alpha);
  v128.store(BETA1, beta1);
  v128.store(BETA2, beta2);
  v128.store(RESIDUAL, r);
  v128.store(SETTLED, settled);
  v128.store(ABOVE, above);
  v128.store(CALM, calm);
  v128.store(PEAKS, peaks);
  v128.store(SANE, sane);
  v128.store(LEAST, least);
}

/** Rows of which bounds do not tell that S∞ is too large for convergence, or S too far below it. */
export function findCandidates(): void {
  const lambda1 = v128.load(LAMBDA1);
  const lambda2 = v128.load(LAMBDA2);
  const tolerated = v128.load(TOLERATED);
  const spread = spreadOf(lambda1);
  // S∞ > λ₁x where Q > x − 1/x.
  const x = f64x2.div(tolerated, lambda1);
  const inverse = f64x2.div(f64x2.splat(1), x);
  const flat = f64x2.add(
    f64x2.sub(x, inverse),
    f64x2.mul(f64x2.splat(MARGIN), f64x2.add(x, inverse)),
  );
  let candidates = i64x2.splat(0);
  for (let row: usize = BLOCK; row < BLOCK + 64 * ROW; row += ROW) {
    const alpha = v128.load(row);
    const beta1 = v128.load(row, ROW_BETA1);
    const beta2 = v128.load(row, ROW_BETA2);
    const q = balance(alpha, beta1, beta2);
    let mask = f64x2.le(q, flat);
    if (v128.any_true(mask)) {
      const d1 = f64x2.mul(lambda1, f64x2.mul(alpha, alpha));
      const end = solutionSharpness(q, lambda1, lambda2);
      const r = f64x2.sub(f64x2.mul(alpha, beta2), f64x2.splat(1));
      const far = v128.and(
        bounded(d1, lambda1, lambda2, beta1, beta2, r),
        f64x2.lt(
          most(d1, spread, v128.load(row, ROW_L1)),
          f64x2.mul(f64x2.mul(f64x2.splat(1 - KAPPA - MARGIN), end), d1),
        ),
      );
      mask = v128.and(mask, v128.andnot(f64x2.le(end, tolerated), far));
    }
    candidates = told(candidates, mask);
  }
  v128.store(CANDIDATES, candidates);
}

function balance(alpha: v128, beta1: v128, beta2: v128): v128 {
  return f64x2.sub(
    f64x2.mul(f64x2.sub(alpha, beta2), f64x2.add(alpha, beta2)),
    f64x2.mul(beta1, beta1),
  );
}

/**
 * Adds rows at the edge, those of the lanes that are `active`.
 * @param step the step of the first of them in either run
 */
export function addEdgeRows(from: i32, to: i32, active: v128, step: v128): void {
  const hat = v128.load(ALPHA_HAT);
  const half2 = f64x2.mul(f64x2.splat(0.5), v128.load(LAMBDA2));
  let n = v128.load(N);
  let sumX = v128.load(SUM_X);
  let sumY = v128.load(SUM_Y);
  let sumXX = v128.load(SUM_XX);
  let sumXY = v128.load(SUM_XY);
  let sumL1 = v128.load(SUM_L1);
  let sumPredicted = v128.load(SUM_PREDICTED);
  let reference = v128.load(REFERENCE);
  let inverse = f64x2.div(f64x2.splat(1), reference);
  const end = BLOCK + <usize>to * ROW;
  for (let row = BLOCK + <usize>from * ROW; row < end; row += ROW) {
    const product = f64x2.mul(signed(hat, v128.load(row)), v128.load(row, ROW_BETA2));
    const predicted = f64x2.mul(f64x2.mul(half2, product), f64x2.sub(f64x2.splat(1), product));
    sumL1 = f64x2.add(sumL1, v128.and(active, v128.load(row, ROW_L1)));
    sumPredicted = f64x2.add(sumPredicted, v128.and(active, predicted));
    const off = f64x2.sub(product, f64x2.splat(1));
    const surrogate = f64x2.mul(half2, f64x2.mul(off, off));
    const fitted = v128.and(active, f64x2.gt(surrogate, f64x2.splat(0)));
    let z = f64x2.mul(f64x2.sub(surrogate, reference), inverse);
    const anew = v128.andnot(fitted, f64x2.lt(f64x2.abs(z), f64x2.splat(NEAR)));
    const lanes = i64x2.bitmask(anew);
    if (lanes != 0) {
      if (lanes & 1) renew(0, f64x2.extract_lane(surrogate, 0), f64x2.extract_lane(step, 0));
      if (lanes & 2) renew(1, f64x2.extract_lane(surrogate, 1), f64x2.extract_lane(step, 1));
      reference = v128.bitselect(surrogate, reference, anew);
      inverse = f64x2.div(f64x2.splat(1), reference);
      z = v128.andnot(z, anew);
    }
    const x = f64x2.sub(step, v128.load(X0));
    const y = f64x2.sub(f64x2.add(v128.load(LOG_REFERENCE), logNear(z)), v128.load(Y0));
    n = f64x2.add(n, v128.and(fitted, f64x2.splat(1)));
    sumX = f64x2.add(sumX, v128.and(fitted, x));
    sumY = f64x2.add(sumY, v128.and(fitted, y));
    sumXX = f64x2.add(sumXX, v128.and(fitted, f64x2.mul(x, x)));
    sumXY = f64x2.add(sumXY, v128.and(fitted, f64x2.mul(x, y)));
    step = f64x2.add(step, f64x2.splat(1));
  }
  v128.store(N, n);
  v128.store(SUM_X, sumX);
  v128.store(SUM_Y, sumY);
  v128.store(SUM_XX, sumXX);
  v128.store(SUM_XY, sumXY);
  v128.store(SUM_L1, sumL1);
  v128.store(SUM_PREDICTED, sumPredicted);
  v128.store(REFERENCE, reference);
}

/** Takes ln L̂ of a row of a run as reference; of the first it is where the fit starts from. */
function renew(lane: i32, surrogate: f64, step: f64): void {
  const value = log(surrogate);
  if (isNaN(get(REFERENCE, lane))) {
    set(X0, lane, step);
    set(Y0, lane, value);
    set(REFERENCE, lane, surrogate);
  }
  set(LOG_REFERENCE, lane, value);
}

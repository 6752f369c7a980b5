// What is done with all rows of a block: the steps, and bounds of S.
import {
  advanceResidual,
  cancels,
  isSmallResidual,
  SMALL_FACTOR,
  SMALL_RESIDUAL,
  smallFactor,
  solutionSharpness,
} from '../../models/minimal/kernel/arithmetic';
import {
  ABOVE,
  ALPHA,
  BETA1,
  BETA2,
  BLOCK,
  BLOCK_SIZE,
  CALM,
  CANDIDATES,
  EPSILON,
  ETA,
  FLOOR,
  HIGH,
  LAMBDA1,
  LAMBDA2,
  PAIR,
  PAIRS,
  PEAK,
  PEAKS,
  RESIDUAL,
  ROW,
  ROW_BETA1,
  ROW_BETA2,
  ROW_R,
  SANE,
  SETTLED,
  THRESHOLD,
  TOLERATED,
} from './lanes';

/** Bounds decide only what they decide by this much, far more than the rounding in them. */
export const MARGIN: f64 = 1e-9;
/** κ. */
export const KAPPA: f64 = 0.05;
export const DIVERGENCE_LOSS: f64 = 1e12;

/** Numbers that are read as any other: engines make constants anew at each use. */
const ONES: usize = memory.data<f64>([1, 1], 16);
/** Makes residuals as small as factors where they are small. */
const SCALE: usize = memory.data<f64>([SMALL_FACTOR / SMALL_RESIDUAL]);
const SIGNS: usize = memory.data<f64>([-0.0, -0.0], 16);

/** Whether αβ₂ − 1 is carried from step to step, and factors of β₁ that cancel are looked for. */
let carries = false;
let cancelling = false;

/** The rows of the next block: taken as those of the last one, and again where that was wrong. */
export function walk(): void {
  const both = !rows(carries, cancelling);
  if (both) rows(true, true);
  carries =
    i64x2.bitmask(
      v128.or(
        isSmallResidual(v128.load(PAIRS, RESIDUAL)),
        isSmallResidual(v128.load(PAIRS + PAIR, RESIDUAL)),
      ),
    ) != 0;
  if (cancelling || both)
    cancelling = i64x2.bitmask(v128.or(factorCancels(PAIRS), factorCancels(PAIRS + PAIR))) != 0;
}

function factorCancels(pair: usize): v128 {
  return cancels(factorOf(v128.load(pair, ALPHA), v128.load(pair, ETA), v128.load(pair, LAMBDA1)));
}

/** ∂α. */
function gradient(p: v128, beta1: v128, beta2: v128, pull: v128, lambda1: v128): v128 {
  return f64x2.add(f64x2.mul(beta1, f64x2.mul(lambda1, p)), f64x2.mul(beta2, pull));
}

/** 1 − ηλ₁α². */
function factorOf(alpha: v128, eta: v128, lambda1: v128): v128 {
  return f64x2.sub(v128.load(ONES), f64x2.mul(eta, f64x2.mul(lambda1, f64x2.mul(alpha, alpha))));
}

/** Of this size, with the sign of `like`; that of −0 is +. */
function withSign(size: v128, like: v128): v128 {
  return v128.or(size, v128.and(f64x2.add(like, f64x2.splat(0)), v128.load(SIGNS)));
}

function exactFactor(factor: v128, alpha: v128, pair: usize): v128 {
  const small = cancels(factor);
  if (i64x2.bitmask(small) == 0) return factor;
  const exact = smallFactor(v128.load(pair, ETA), v128.load(pair, LAMBDA1), alpha);
  return v128.bitselect(exact, factor, small);
}

/** @returns whether nothing was small that was not expected to be; else nothing has happened */
function rows(carry: bool, cancel: bool): bool {
  let alpha = v128.load(PAIRS, ALPHA);
  let beta1 = v128.load(PAIRS, BETA1);
  let beta2 = v128.load(PAIRS, BETA2);
  let r = v128.load(PAIRS, RESIDUAL);
  let other = v128.load(PAIRS + PAIR, ALPHA);
  let other1 = v128.load(PAIRS + PAIR, BETA1);
  let other2 = v128.load(PAIRS + PAIR, BETA2);
  let otherR = v128.load(PAIRS + PAIR, RESIDUAL);
  let least = f64x2.splat(Infinity);
  for (let row: usize = BLOCK; row < BLOCK + BLOCK_SIZE; row += ROW) {
    v128.store(row, alpha);
    v128.store(row, beta1, ROW_BETA1);
    v128.store(row, beta2, ROW_BETA2);
    v128.store(row, r, ROW_R);
    v128.store(row, other, BLOCK_SIZE);
    v128.store(row, other1, BLOCK_SIZE + ROW_BETA1);
    v128.store(row, other2, BLOCK_SIZE + ROW_BETA2);
    v128.store(row, otherR, BLOCK_SIZE + ROW_R);

    const lambda1 = v128.load(PAIRS, LAMBDA1);
    const eta = v128.load(PAIRS, ETA);
    const pull = f64x2.mul(v128.load(PAIRS, LAMBDA2), r);
    const gradAlpha = gradient(f64x2.mul(alpha, beta1), beta1, beta2, pull, lambda1);
    const gradBeta2 = f64x2.mul(alpha, pull);
    let factor = factorOf(alpha, eta, lambda1);
    const nextAlpha = f64x2.sub(alpha, f64x2.mul(eta, gradAlpha));
    const nextBeta2 = f64x2.sub(beta2, f64x2.mul(eta, gradBeta2));
    let nextR = f64x2.sub(f64x2.mul(nextAlpha, nextBeta2), v128.load(ONES));

    const lambda1Other = v128.load(PAIRS + PAIR, LAMBDA1);
    const etaOther = v128.load(PAIRS + PAIR, ETA);
    const pullOther = f64x2.mul(v128.load(PAIRS + PAIR, LAMBDA2), otherR);
    const gradOther = gradient(f64x2.mul(other, other1), other1, other2, pullOther, lambda1Other);
    const gradOther2 = f64x2.mul(other, pullOther);
    let factorOther = factorOf(other, etaOther, lambda1Other);
    const nextOther = f64x2.sub(other, f64x2.mul(etaOther, gradOther));
    const nextOther2 = f64x2.sub(other2, f64x2.mul(etaOther, gradOther2));
    let nextOtherR = f64x2.sub(f64x2.mul(nextOther, nextOther2), v128.load(ONES));

    if (cancel) {
      factor = exactFactor(factor, alpha, PAIRS);
      factorOther = exactFactor(factorOther, other, PAIRS + PAIR);
    } else {
      // In this order a number is kept beside what is none.
      least = f64x2.pmin(f64x2.pmin(least, f64x2.abs(factor)), f64x2.abs(factorOther));
    }
    if (carry) {
      const carried = advanceResidual(eta, alpha, beta2, r, gradAlpha, gradBeta2);
      nextR = v128.bitselect(carried, nextR, isSmallResidual(r));
      const o = advanceResidual(etaOther, other, other2, otherR, gradOther, gradOther2);
      nextOtherR = v128.bitselect(o, nextOtherR, isSmallResidual(otherR));
    } else {
      least = f64x2.pmin(least, f64x2.mul(f64x2.abs(r), v128.load64_splat(SCALE)));
      least = f64x2.pmin(least, f64x2.mul(f64x2.abs(otherR), v128.load64_splat(SCALE)));
    }
    const multiplied = f64x2.mul(beta1, factor);
    beta1 = withSign(f64x2.pmax(f64x2.abs(multiplied), v128.load(PAIRS, FLOOR)), multiplied);
    const multipliedOther = f64x2.mul(other1, factorOther);
    other1 = withSign(
      f64x2.pmax(f64x2.abs(multipliedOther), v128.load(PAIRS + PAIR, FLOOR)),
      multipliedOther,
    );
    alpha = nextAlpha;
    beta2 = nextBeta2;
    r = nextR;
    other = nextOther;
    other2 = nextOther2;
    otherR = nextOtherR;
  }
  if (i64x2.bitmask(f64x2.lt(least, f64x2.splat(SMALL_FACTOR))) != 0) return false;
  v128.store(PAIRS, alpha, ALPHA);
  v128.store(PAIRS, beta1, BETA1);
  v128.store(PAIRS, beta2, BETA2);
  v128.store(PAIRS, r, RESIDUAL);
  v128.store(PAIRS + PAIR, other, ALPHA);
  v128.store(PAIRS + PAIR, other1, BETA1);
  v128.store(PAIRS + PAIR, other2, BETA2);
  v128.store(PAIRS + PAIR, otherR, RESIDUAL);
  return true;
}

/** A word with the bit of one more row. */
function told(word: v128, mask: v128): v128 {
  return i64x2.sub(i64x2.add(word, word), mask);
}

export function half(value: v128): v128 {
  return f64x2.mul(f64x2.splat(0.5), value);
}

/** The rows of a pair. */
export function blockOf(pair: usize): usize {
  return pair == PAIRS ? BLOCK : BLOCK + BLOCK_SIZE;
}

/** The factor of L₁ in an upper bound of S·d₁: see `most`. */
function spreadOf(lambda1: v128): v128 {
  return f64x2.mul(lambda1, f64x2.splat(32 * (1 + MARGIN)));
}

/** d₁² + 4b², no less than S·d₁ where the row is `bounded`. */
function most(d1: v128, spread: v128, l1: v128): v128 {
  return f64x2.add(f64x2.mul(d1, d1), f64x2.mul(spread, l1));
}

/** Whether the rest of the Hessian is small beside d₁: 2a ≤ d₁ and 3|c| ≤ d₁. */
function bounded(d1: v128, a: v128, lambda2: v128, r: v128): v128 {
  const c = f64x2.mul(
    f64x2.mul(f64x2.splat(3), lambda2),
    f64x2.add(f64x2.add(r, r), f64x2.splat(1)),
  );
  return v128.and(f64x2.le(f64x2.add(a, a), d1), f64x2.le(f64x2.mul(c, c), f64x2.mul(d1, d1)));
}

/** a of the Hessian, from β₁² and β₂². */
function topLeft(lambda1: v128, lambda2: v128, square1: v128, square2: v128): v128 {
  return f64x2.add(f64x2.mul(lambda1, square1), f64x2.mul(lambda2, square2));
}

/**
 * Tells all of a block from its extremes.
 * @returns the runs of the pair, a bit each, of which they tell it
 */
export function survey(pair: usize): i32 {
  const half1 = half(v128.load(pair, LAMBDA1));
  const half2 = half(v128.load(pair, LAMBDA2));
  let leastSquare = f64x2.splat(Infinity);
  let leastLoss = leastSquare;
  let mostSquare = f64x2.splat(0);
  let most1 = mostSquare;
  let most2 = mostSquare;
  let mostR = mostSquare;
  let mostP = mostSquare;
  let mostLoss = mostSquare;
  const block = blockOf(pair);
  for (let row = block; row < block + BLOCK_SIZE; row += ROW) {
    const alpha = v128.load(row);
    const beta1 = v128.load(row, ROW_BETA1);
    const beta2 = v128.load(row, ROW_BETA2);
    const r = v128.load(row, ROW_R);
    const p = f64x2.mul(alpha, beta1);
    const pp = f64x2.mul(p, p);
    const rr = f64x2.mul(r, r);
    const square = f64x2.mul(alpha, alpha);
    const loss = f64x2.add(f64x2.mul(half1, pp), f64x2.mul(half2, rr));
    leastSquare = f64x2.pmin(leastSquare, square);
    mostSquare = f64x2.pmax(mostSquare, square);
    most1 = f64x2.pmax(most1, f64x2.mul(beta1, beta1));
    most2 = f64x2.pmax(most2, f64x2.mul(beta2, beta2));
    mostR = f64x2.pmax(mostR, rr);
    mostP = f64x2.pmax(mostP, pp);
    leastLoss = f64x2.pmin(leastLoss, loss);
    mostLoss = f64x2.pmax(mostLoss, loss);
  }
  const lambda1 = v128.load(pair, LAMBDA1);
  const lambda2 = v128.load(pair, LAMBDA2);
  const least = f64x2.mul(lambda1, leastSquare);
  const greatest = f64x2.mul(lambda1, mostSquare);
  const spread = f64x2.mul(spreadOf(lambda1), f64x2.mul(half1, mostP));
  const above = f64x2.gt(least, f64x2.mul(v128.load(pair, TOLERATED), f64x2.splat(1 + MARGIN)));
  const high = f64x2.mul(f64x2.add(greatest, f64x2.div(spread, least)), f64x2.splat(1 + MARGIN));
  const below = f64x2.lt(high, f64x2.mul(v128.load(pair, THRESHOLD), f64x2.splat(1 - MARGIN)));
  const epsilon = v128.load(pair, EPSILON);
  const calm = f64x2.le(mostLoss, epsilon);
  // What is no number any more stays so.
  const alpha = v128.load(pair, ALPHA);
  const sane = v128.and(f64x2.le(mostLoss, f64x2.splat(DIVERGENCE_LOSS)), f64x2.eq(alpha, alpha));
  const a = topLeft(lambda1, lambda2, most1, most2);
  const certain = v128.and(
    v128.and(bounded(least, a, lambda2, f64x2.sqrt(mostR)), v128.or(above, below)),
    v128.and(sane, v128.or(calm, f64x2.gt(leastLoss, epsilon))),
  );
  v128.store(pair, i64x2.splat(-1), SETTLED);
  v128.store(pair, above, ABOVE);
  v128.store(pair, calm, CALM);
  v128.store(pair, sane, SANE);
  v128.store(pair, f64x2.ge(high, v128.load(pair, PEAK)), PEAKS);
  return i64x2.bitmask(certain);
}

/** Tells of each row of a block what bounds tell of it. */
export function examine(pair: usize): void {
  const lambda1 = v128.load(pair, LAMBDA1);
  const lambda2 = v128.load(pair, LAMBDA2);
  const half1 = half(lambda1);
  const half2 = half(lambda2);
  const epsilon = v128.load(pair, EPSILON);
  const below = f64x2.mul(v128.load(pair, THRESHOLD), f64x2.splat(1 - MARGIN));
  const aboveAll = f64x2.mul(v128.load(pair, TOLERATED), f64x2.splat(1 + MARGIN));
  const peak = v128.load(pair, PEAK);
  const spread = spreadOf(lambda1);
  let settled = i64x2.splat(0);
  let above = settled;
  let calm = settled;
  let peaks = settled;
  let sane = i64x2.splat(-1);
  const block = blockOf(pair);
  for (let row = block; row < block + BLOCK_SIZE; row += ROW) {
    const alpha = v128.load(row);
    const beta1 = v128.load(row, ROW_BETA1);
    const beta2 = v128.load(row, ROW_BETA2);
    const r = v128.load(row, ROW_R);
    const p = f64x2.mul(alpha, beta1);
    const l1 = f64x2.mul(half1, f64x2.mul(p, p));
    const loss = f64x2.add(l1, f64x2.mul(half2, f64x2.mul(r, r)));
    const d1 = f64x2.mul(lambda1, f64x2.mul(alpha, alpha));
    const high = most(d1, spread, l1);
    const over = f64x2.gt(d1, aboveAll);
    const sides = v128.or(over, f64x2.lt(high, f64x2.mul(below, d1)));
    const a = topLeft(lambda1, lambda2, f64x2.mul(beta1, beta1), f64x2.mul(beta2, beta2));
    settled = told(settled, v128.and(bounded(d1, a, lambda2, r), sides));
    above = told(above, over);
    calm = told(calm, f64x2.le(loss, epsilon));
    peaks = v128.or(peaks, f64x2.ge(high, f64x2.mul(peak, d1)));
    sane = v128.and(sane, f64x2.le(loss, f64x2.splat(DIVERGENCE_LOSS)));
  }
  v128.store(pair, settled, SETTLED);
  v128.store(pair, above, ABOVE);
  v128.store(pair, calm, CALM);
  v128.store(pair, peaks, PEAKS);
  v128.store(pair, sane, SANE);
}

/** Rows of which the upper bound of S is no lower than some number of each run. */
export function findHigh(pair: usize, limit: v128): void {
  const lambda1 = v128.load(pair, LAMBDA1);
  const half1 = half(lambda1);
  const spread = spreadOf(lambda1);
  let found = i64x2.splat(0);
  const block = blockOf(pair);
  for (let row = block; row < block + BLOCK_SIZE; row += ROW) {
    const alpha = v128.load(row);
    const p = f64x2.mul(alpha, v128.load(row, ROW_BETA1));
    const l1 = f64x2.mul(half1, f64x2.mul(p, p));
    const d1 = f64x2.mul(lambda1, f64x2.mul(alpha, alpha));
    found = told(found, f64x2.ge(most(d1, spread, l1), f64x2.mul(limit, d1)));
  }
  v128.store(pair, found, HIGH);
}

/** Rows of which bounds do not tell that S∞ is too large for convergence, or S too far below it. */
export function findCandidates(pair: usize): void {
  const lambda1 = v128.load(pair, LAMBDA1);
  const lambda2 = v128.load(pair, LAMBDA2);
  const tolerated = v128.load(pair, TOLERATED);
  const half1 = half(lambda1);
  const spread = spreadOf(lambda1);
  // S∞ > λ₁x where Q > x − 1/x.
  const x = f64x2.div(tolerated, lambda1);
  const inverse = f64x2.div(f64x2.splat(1), x);
  const flat = f64x2.add(
    f64x2.sub(x, inverse),
    f64x2.mul(f64x2.splat(MARGIN), f64x2.add(x, inverse)),
  );
  let candidates = i64x2.splat(0);
  const block = blockOf(pair);
  for (let row = block; row < block + BLOCK_SIZE; row += ROW) {
    const alpha = v128.load(row);
    const beta1 = v128.load(row, ROW_BETA1);
    const beta2 = v128.load(row, ROW_BETA2);
    const square1 = f64x2.mul(beta1, beta1);
    const q = f64x2.sub(f64x2.mul(f64x2.sub(alpha, beta2), f64x2.add(alpha, beta2)), square1);
    let mask = f64x2.le(q, flat);
    if (i64x2.bitmask(mask) != 0) {
      const d1 = f64x2.mul(lambda1, f64x2.mul(alpha, alpha));
      const end = solutionSharpness(q, lambda1, lambda2);
      const p = f64x2.mul(alpha, beta1);
      const a = topLeft(lambda1, lambda2, square1, f64x2.mul(beta2, beta2));
      const far = v128.and(
        bounded(d1, a, lambda2, v128.load(row, ROW_R)),
        f64x2.lt(
          most(d1, spread, f64x2.mul(half1, f64x2.mul(p, p))),
          f64x2.mul(f64x2.mul(f64x2.splat(1 - KAPPA - MARGIN), end), d1),
        ),
      );
      mask = v128.and(mask, v128.andnot(f64x2.le(end, tolerated), far));
    }
    candidates = told(candidates, mask);
  }
  v128.store(pair, candidates, CANDIDATES);
}

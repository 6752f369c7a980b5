// Two runs with their shadows once more, a lane each: how far digits can be trusted. The digits of
// θ are those of models/minimal/descend, as long as they are many.
import {
  advanceResidual,
  cancels,
  isSmallResidual,
  SMALL_FACTOR,
  signed,
  smallFactor,
} from '../../models/minimal/kernel/arithmetic';
import {
  AMPLE,
  APART,
  agreement,
  allowed,
  keptApart,
  moved,
  RISE,
} from '../../models/minimal/kernel/digits';
import { isTrue } from './doubt';

/** Digits that a row must have. */
const TRUSTED_DIGITS: i32 = 3;
/** With so few labels and columns are looked at, since they may have fewer. */
const DOUBTFUL: i32 = 5;
const ROUNDED_FACTOR: f64 = 1.0 / 65536;
/** An error may grow by so much before ample digits are few. */
const ENDURED: f64 = 100;

/** Numbers of two runs in pairs. */
const PAIRS: usize = memory.data(16 * 18);
const ETA: usize = PAIRS;
const LAMBDA1: usize = PAIRS + 16;
const LAMBDA2: usize = PAIRS + 16 * 2;
const FLOOR: usize = PAIRS + 16 * 3;
const EDGE: usize = PAIRS + 16 * 4;
/** Looking ends where digits are ample, behind the last wide swing (or at the last row). */
const WIDE: usize = PAIRS + 16 * 5;
const LAST: usize = PAIRS + 16 * 6;
/** The last row. */
const END: usize = PAIRS + 16 * 7;
const STEP: usize = PAIRS + 16 * 8;
const ALPHA: usize = PAIRS + 16 * 9;
const BETA1: usize = PAIRS + 16 * 10;
const BETA2: usize = PAIRS + 16 * 11;
const RESIDUAL: usize = PAIRS + 16 * 12;
const SHADOW_ALPHA: usize = PAIRS + 16 * 13;
const SHADOW_BETA1: usize = PAIRS + 16 * 14;
const SHADOW_BETA2: usize = PAIRS + 16 * 15;
const AGREED: usize = PAIRS + 16 * 16;
const TRUSTED: usize = PAIRS + 16 * 17;
/** What S is compared with, four numbers of each run. */
const LIMITS: usize = memory.data(2 * 32);

function get(field: usize, lane: i32): f64 {
  return load<f64>(field + ((<usize>lane) << 3));
}

function set(field: usize, lane: i32, value: f64): void {
  store<f64>(field + ((<usize>lane) << 3), value);
}

/**
 * Begins a run; with `last` −1 nothing does.
 * @param threshold τ, `tolerated` τ_δ, `low` and `high` the bounds of the edge's band
 * @param edge α̂
 * @param wide the last step of a wide swing, `last` that of the edge phase, `end` that of the run
 */
export function startShadow(
  lane: i32,
  eta: f64,
  lambda1: f64,
  lambda2: f64,
  floor: f64,
  edge: f64,
  threshold: f64,
  tolerated: f64,
  low: f64,
  high: f64,
  wide: f64,
  last: f64,
  end: f64,
  alpha: f64,
  beta1: f64,
  beta2: f64,
  residual: f64,
): void {
  set(ETA, lane, eta);
  set(LAMBDA1, lane, lambda1);
  set(LAMBDA2, lane, lambda2);
  set(FLOOR, lane, floor);
  set(EDGE, lane, edge);
  const limits = limitsOf(lane);
  store<f64>(limits, threshold);
  store<f64>(limits, tolerated, 8);
  store<f64>(limits, low, 16);
  store<f64>(limits, high, 24);
  set(WIDE, lane, wide);
  set(LAST, lane, last);
  set(END, lane, end);
  set(STEP, lane, 0);
  set(ALPHA, lane, alpha);
  set(BETA1, lane, beta1);
  set(BETA2, lane, beta2);
  set(RESIDUAL, lane, residual);
  set(SHADOW_ALPHA, lane, alpha);
  set(SHADOW_BETA1, lane, beta1);
  set(SHADOW_BETA2, lane, beta2);
  set(AGREED, lane, 15);
  set(TRUSTED, lane, -1);
}

function limitsOf(lane: i32): usize {
  return LIMITS + ((<usize>lane) << 5);
}

/** The last step that is trusted of a run that is over; −1 where all are. */
export function trustedUntil(lane: i32): f64 {
  return get(TRUSTED, lane);
}

/** Whether nothing more can be lost by this run. */
function isOver(lane: i32): bool {
  const step = get(STEP, lane);
  return (
    get(TRUSTED, lane) >= 0 ||
    step > get(END, lane) ||
    (step > get(WIDE, lane) && get(AGREED, lane) >= ample(get(LAST, lane) - step))
  );
}

/**
 * Digits that are enough for so many more steps of the edge phase: at each, the relative error of
 * β₁ grows by four times that of α, the derivative of its factor 1 − ηλ₁α² where that is −1; under
 * a tiny floor nothing else happens for thousands of them.
 */
function ample(steps: f64): f64 {
  let digits: f64 = AMPLE;
  for (let growth = 4 * steps; growth > ENDURED; growth *= 0.1) digits++;
  return digits;
}

/**
 * Goes on by so many blocks, or until a run has no more to lose.
 * @returns the runs that have come to that, a bit each
 */
export function follow(blocks: i32): i32 {
  const running = (get(LAST, 0) < 0 ? 0 : 1) | (get(LAST, 1) < 0 ? 0 : 2);
  for (let block = 0; block < blocks; block++) {
    const over = ((isOver(0) ? 1 : 0) | (isOver(1) ? 2 : 0)) & running;
    if (over) return over;
    next();
  }
  return 0;
}

/** The first row of a block: digits may rise there, and the shadow is kept apart. */
function beginBlock(lane: i32): i32 {
  const alpha = get(ALPHA, lane);
  const beta1 = get(BETA1, lane);
  const beta2 = get(BETA2, lane);
  const shadowAlpha = get(SHADOW_ALPHA, lane);
  const shadowBeta1 = get(SHADOW_BETA1, lane);
  const shadowBeta2 = get(SHADOW_BETA2, lane);
  const agreed = <i32>get(AGREED, lane);
  const now = agreement(
    abs(alpha - shadowAlpha),
    abs(alpha),
    abs(beta1 - shadowBeta1),
    abs(beta1),
    abs(beta2 - shadowBeta2),
    abs(beta2),
  );
  const digits = now <= agreed ? now : agreed + 1;
  if (digits <= DOUBTFUL)
    doubt(
      lane,
      0,
      digits,
      f64x2(alpha, shadowAlpha),
      f64x2(beta1, shadowBeta1),
      f64x2(beta2, shadowBeta2),
      get(RESIDUAL, lane),
    );
  const rate = get(ETA, lane) * get(LAMBDA1, lane);
  if (abs(1 - rate * (alpha * alpha)) >= SMALL_FACTOR) {
    const side: f64 = (shadowAlpha - alpha) * alpha < 0 ? -1 : 1;
    set(SHADOW_ALPHA, lane, keptApart(alpha, shadowAlpha, side));
    set(SHADOW_BETA1, lane, keptApart(beta1, shadowBeta1, side));
    set(SHADOW_BETA2, lane, keptApart(beta2, shadowBeta2, -side));
  }
  return digits;
}

/** The next block of both runs. */
function next(): void {
  let agreed0 = beginBlock(0);
  let agreed1 = beginBlock(1);
  const eta = v128.load(ETA);
  const lambda1 = v128.load(LAMBDA1);
  const lambda2 = v128.load(LAMBDA2);
  const floor = v128.load(FLOOR);
  const rate1 = f64x2.mul(eta, lambda1);
  const rate2 = f64x2.mul(eta, lambda2);
  let alpha = v128.load(ALPHA);
  let beta1 = v128.load(BETA1);
  let beta2 = v128.load(BETA2);
  let r = v128.load(RESIDUAL);
  let shadowAlpha = v128.load(SHADOW_ALPHA);
  let shadowBeta1 = v128.load(SHADOW_BETA1);
  let shadowBeta2 = v128.load(SHADOW_BETA2);
  let most = f64x2(allowed(agreed0), allowed(agreed1));

  for (let row = 0; ; ) {
    const p = f64x2.mul(alpha, beta1);
    const pull = f64x2.mul(lambda2, r);
    const gradAlpha = f64x2.add(f64x2.mul(beta1, f64x2.mul(lambda1, p)), f64x2.mul(beta2, pull));
    const gradBeta2 = f64x2.mul(alpha, pull);
    const d1 = f64x2.mul(lambda1, f64x2.mul(alpha, alpha));
    let factor = f64x2.sub(f64x2.splat(1), f64x2.mul(eta, d1));
    let shadowFactor = f64x2.sub(
      f64x2.splat(1),
      f64x2.mul(f64x2.mul(rate1, shadowAlpha), shadowAlpha),
    );
    const cancelling = cancels(factor);
    let apart = i64x2.splat(0);
    if (v128.any_true(cancelling)) {
      factor = v128.bitselect(smallFactor(eta, lambda1, alpha), factor, cancelling);
      // The start alone is not rounded.
      apart = v128.and(
        f64x2.lt(f64x2.abs(factor), f64x2.splat(ROUNDED_FACTOR)),
        f64x2.gt(f64x2.add(v128.load(STEP), f64x2.splat(row)), f64x2.splat(0)),
      );
      const close = f64x2.lt(
        f64x2.abs(f64x2.sub(alpha, shadowAlpha)),
        f64x2.mul(f64x2.splat(APART), f64x2.abs(alpha)),
      );
      const further = f64x2.mul(alpha, f64x2.splat(1 + APART));
      const beside = v128.bitselect(further, shadowAlpha, v128.and(apart, close));
      shadowFactor = v128.bitselect(smallFactor(eta, lambda1, beside), shadowFactor, cancelling);
    }
    const nextAlpha = f64x2.sub(alpha, f64x2.mul(eta, gradAlpha));
    const nextBeta2 = f64x2.sub(beta2, f64x2.mul(eta, gradBeta2));
    const small = isSmallResidual(r);
    let nextR = f64x2.sub(f64x2.mul(nextAlpha, nextBeta2), f64x2.splat(1));
    if (v128.any_true(small)) {
      const carried = advanceResidual(eta, alpha, beta2, r, gradAlpha, gradBeta2);
      nextR = v128.bitselect(carried, nextR, small);
    }
    beta1 = held(f64x2.mul(beta1, factor), floor);

    const push = f64x2.mul(f64x2.mul(shadowBeta1, shadowBeta1), f64x2.mul(rate1, shadowAlpha));
    const lack = f64x2.sub(f64x2.splat(1), f64x2.mul(shadowAlpha, shadowBeta2));
    shadowBeta1 = held(f64x2.mul(shadowBeta1, shadowFactor), floor);
    const nextShadow = f64x2.add(
      f64x2.sub(shadowAlpha, push),
      f64x2.mul(f64x2.mul(rate2, shadowBeta2), lack),
    );
    shadowBeta2 = f64x2.add(shadowBeta2, f64x2.mul(f64x2.mul(rate2, shadowAlpha), lack));
    shadowAlpha = nextShadow;

    const alphaBefore = alpha;
    const beta2Before = beta2;
    alpha = nextAlpha;
    beta2 = nextBeta2;
    r = nextR;
    if (++row == RISE) break;

    const agree = v128.and(
      v128.and(near(alpha, shadowAlpha, most), near(beta1, shadowBeta1, most)),
      near(beta2, shadowBeta2, most),
    );
    if (!i64x2.all_true(agree)) {
      const moves = i64x2.bitmask(
        v128.andnot(
          v128.or(
            v128.or(apart, v128.or(moved(alpha, alphaBefore), moved(beta2, beta2Before))),
            i64x2(agreed0 < AMPLE ? -1 : 0, agreed1 < AMPLE ? -1 : 0),
          ),
          agree,
        ),
      );
      const offAlpha = f64x2.abs(f64x2.sub(alpha, shadowAlpha));
      const offBeta1 = f64x2.abs(f64x2.sub(beta1, shadowBeta1));
      const offBeta2 = f64x2.abs(f64x2.sub(beta2, shadowBeta2));
      if (moves & 1)
        agreed0 = agreement(
          f64x2.extract_lane(offAlpha, 0),
          abs(f64x2.extract_lane(alpha, 0)),
          f64x2.extract_lane(offBeta1, 0),
          abs(f64x2.extract_lane(beta1, 0)),
          f64x2.extract_lane(offBeta2, 0),
          abs(f64x2.extract_lane(beta2, 0)),
        );
      if (moves & 2)
        agreed1 = agreement(
          f64x2.extract_lane(offAlpha, 1),
          abs(f64x2.extract_lane(alpha, 1)),
          f64x2.extract_lane(offBeta1, 1),
          abs(f64x2.extract_lane(beta1, 1)),
          f64x2.extract_lane(offBeta2, 1),
          abs(f64x2.extract_lane(beta2, 1)),
        );
      most = f64x2(allowed(agreed0), allowed(agreed1));
    }
    if (min(agreed0, agreed1) <= DOUBTFUL) {
      if (agreed0 <= DOUBTFUL)
        doubt(
          0,
          row,
          agreed0,
          both(alpha, shadowAlpha, 0),
          both(beta1, shadowBeta1, 0),
          both(beta2, shadowBeta2, 0),
          f64x2.extract_lane(r, 0),
        );
      if (agreed1 <= DOUBTFUL)
        doubt(
          1,
          row,
          agreed1,
          both(alpha, shadowAlpha, 1),
          both(beta1, shadowBeta1, 1),
          both(beta2, shadowBeta2, 1),
          f64x2.extract_lane(r, 1),
        );
    }
  }
  v128.store(ALPHA, alpha);
  v128.store(BETA1, beta1);
  v128.store(BETA2, beta2);
  v128.store(RESIDUAL, r);
  v128.store(SHADOW_ALPHA, shadowAlpha);
  v128.store(SHADOW_BETA1, shadowBeta1);
  v128.store(SHADOW_BETA2, shadowBeta2);
  v128.store(AGREED, f64x2(agreed0, agreed1));
  v128.store(STEP, f64x2.add(v128.load(STEP), f64x2.splat(RISE)));
}

/** Of a lane: what is of the run, and of its shadow. */
function both(own: v128, shadow: v128, lane: i32): v128 {
  return lane == 0 ? v128.shuffle<f64>(own, shadow, 0, 2) : v128.shuffle<f64>(own, shadow, 1, 3);
}

/** Ends the trust before a row of the block where its digits are fewer than three. */
function doubt(
  lane: i32,
  row: i32,
  agreed: i32,
  alpha: v128,
  beta1: v128,
  beta2: v128,
  residual: f64,
): void {
  const step = get(STEP, lane) + row;
  if (get(TRUSTED, lane) >= 0 || step > get(END, lane)) return;
  if (
    agreed < TRUSTED_DIGITS ||
    !isTrue(
      alpha,
      beta1,
      beta2,
      residual,
      get(ETA, lane),
      get(LAMBDA1, lane),
      get(LAMBDA2, lane),
      get(EDGE, lane),
      limitsOf(lane),
    )
  )
    set(TRUSTED, lane, step - 1);
}

/** β₁ at the floor at least. */
function held(beta1: v128, floor: v128): v128 {
  return v128.bitselect(signed(floor, beta1), beta1, f64x2.lt(f64x2.abs(beta1), floor));
}

function near(own: v128, shadow: v128, most: v128): v128 {
  return f64x2.le(f64x2.abs(f64x2.sub(own, shadow)), f64x2.mul(most, f64x2.abs(own)));
}

// The loop of models/minimal/descend, operation by operation.
import { SMALL_FACTOR, SMALL_RESIDUAL, smallFactor } from './arithmetic';
import {
  AMPLE,
  agreedDigits,
  beginDigits,
  hasMoved,
  keep,
  keptApart,
  RISE,
  tellDigits,
  tellFirst,
  toldDigits,
  unscaled,
} from './digits';
import { hypot } from './elementary';
import { DIVERGENCE_LOSS, HUGE, LEAST_SQUARES, TINY } from './limits';
import { toLogarithms } from './logarithms';
import { ALPHA, BETA1, BETA2, L2, LOG, LOSS, NORM, STEP } from './rows';
import { theRun } from './state';
import { takeStretch } from './stretch';

const ROUNDED_FACTOR: f64 = 1.0 / 65536;
const BLIND: f64 = 8 * 2.220446049250313e-16;

function factorOf(eta: f64, lambda1: f64, alpha: f64): f64 {
  const both = smallFactor(f64x2.splat(eta), f64x2.splat(lambda1), f64x2.splat(alpha));
  return f64x2.extract_lane(both, 0);
}

function floorCentre(
  scale: f64,
  rate: f64,
  alphaBefore: f64,
  residualBefore: f64,
  alpha: f64,
  residual: f64,
): f64 {
  if (alphaBefore == 0 || alpha == 0) return NaN;
  const rest = (scale * residual) / alpha;
  const restBefore = (scale * residualBefore) / alphaBefore;
  return rest - (rest - restBefore) / (rate * (alpha * alpha));
}

function heldFrom(centre: f64, beta1: f64, floor: f64): f64 {
  if (!(abs(beta1 - centre) < floor)) return beta1;
  return beta1 >= centre ? centre + floor : centre - floor;
}

/** Up to so many rows, fewer where the run diverges. */
export function descend(count: i32): void {
  const run = theRun();
  const first = run.step;
  beginDigits(<i32>run.agreed, <i32>run.told, run.edge, <i32>run.doubtful);
  let i: i32 = 0;
  while (i < count && loss() <= DIVERGENCE_LOSS) {
    run.step = first + <f64>i;
    const within = <i32>(<i64>run.step & (RISE - 1));
    beginStretch(i, within == 0);
    const until = min(count, i + RISE - within);
    if (until - i == RISE && takeStretch(i)) i = until;
    else i = carefully(i, until);
  }
  const step = first + <f64>i;
  if (!(loss() <= DIVERGENCE_LOSS) && step <= run.steps) run.divergedAt = step;
  run.step = step;
  run.agreed = agreedDigits();
  run.told = toldDigits();
}

/** Tells the digits of the first row of a stretch and keeps the shadow apart, where both may be. */
function beginStretch(row: i32, rises: bool): void {
  const run = theRun();
  const alpha = run.alpha;
  const mantissa = run.mantissa;
  const beta2 = run.beta2;
  const at = (<usize>row) << 3;
  store<f64>(ALPHA + at, alpha);
  store<f64>(BETA1 + at, unscaled(mantissa, run.exponent));
  store<f64>(BETA2 + at, beta2);
  store<f64>(LOG + at, abs(mantissa));
  keep(0, run.shadowAlpha, run.shadowMantissa, run.shadowBeta2, run.residual);
  tellFirst(row, rises, run.moves != 0, run.exponent, run.blind != 0);
  if (!(rises && abs(1 - run.eta * run.lambda1 * (alpha * alpha)) >= SMALL_FACTOR)) return;
  const side: f64 = (run.shadowAlpha - alpha) * alpha < 0 ? -1 : 1;
  run.shadowAlpha = keptApart(alpha, run.shadowAlpha, side);
  run.shadowMantissa = keptApart(mantissa, run.shadowMantissa, side);
  run.shadowBeta2 = keptApart(beta2, run.shadowBeta2, -side);
}

/** The loss at the state of the run. */
function loss(): f64 {
  const run = theRun();
  const p = run.alpha * unscaled(run.mantissa, run.exponent);
  const r = run.residual;
  return lossOf(0.5 * run.lambda1, 0.5 * run.lambda2, run.covariance, p, r);
}

function lossOf(half1: f64, half2: f64, covariance: f64, p: f64, r: f64): f64 {
  return half1 * (p * p) + half2 * (r * r) + covariance * p * r;
}

/**
 * Rows up to this one, fewer where β₁ gets another exponent or the run diverges.
 * @returns the row behind them
 */
function carefully(begin: i32, until: i32): i32 {
  const run = theRun();
  const eta = run.eta;
  const floor = run.floor;
  const lambda1 = run.lambda1;
  const lambda2 = run.lambda2;
  const covariance = run.covariance;
  const decoupled = covariance == 0;
  const rate1 = eta * lambda1;
  const rate2 = eta * lambda2;
  const rateC = eta * covariance;
  const scale = -covariance / lambda1;
  const half1 = 0.5 * lambda1;
  const half2 = 0.5 * lambda2;
  const first = run.step - <f64>begin;
  let alpha = run.alpha;
  let mantissa = run.mantissa;
  let exponent = run.exponent;
  let beta2 = run.beta2;
  let r = run.residual;
  let shadowAlpha = run.shadowAlpha;
  let shadowMantissa = run.shadowMantissa;
  let shadowBeta2 = run.shadowBeta2;
  let blind = run.blind != 0;
  const exponentBefore = exponent;
  const blindBefore = blind;
  let beta1 = unscaled(mantissa, exponent);
  let p = alpha * beta1;
  let l2 = half2 * (r * r);
  let loss = half1 * (p * p) + l2 + covariance * p * r;
  let alphaBefore = alpha;
  let beta2Before = beta2;
  let apartRows: u64 = 0;
  let i = begin;
  do {
    const e1 = lambda1 * p + covariance * r;
    const e2 = covariance * p + lambda2 * r;
    const gradAlpha = beta1 * e1 + beta2 * e2;
    const gradBeta1 = alpha * e1;
    const gradBeta2 = alpha * e2;

    const at = (<usize>i) << 3;
    store<f64>(STEP + at, first + <f64>i);
    store<f64>(ALPHA + at, alpha);
    store<f64>(BETA1 + at, beta1);
    store<f64>(BETA2 + at, beta2);
    store<f64>(LOG + at, abs(mantissa));
    store<f64>(LOSS + at, loss);
    store<f64>(L2 + at, l2);
    const squares = gradAlpha * gradAlpha + gradBeta1 * gradBeta1 + gradBeta2 * gradBeta2;
    store<f64>(
      NORM + at,
      squares >= LEAST_SQUARES ? sqrt(squares) : hypot(gradAlpha, gradBeta1, gradBeta2),
    );
    i++;

    alphaBefore = alpha;
    beta2Before = beta2;
    const residualBefore = r;
    alpha -= eta * gradAlpha;
    const nextBeta2 = beta2 - eta * gradBeta2;
    r =
      abs(r) < SMALL_RESIDUAL
        ? r - eta * (beta2 * gradAlpha + alphaBefore * gradBeta2 - eta * gradAlpha * gradBeta2)
        : alpha * nextBeta2 - 1;
    beta2 = nextBeta2;

    if (decoupled) {
      let factor = 1 - eta * (lambda1 * (alphaBefore * alphaBefore));
      let shadowFactor = 1 - rate1 * shadowAlpha * shadowAlpha;
      if (abs(factor) < SMALL_FACTOR) {
        factor = factorOf(eta, lambda1, alphaBefore);
        const apart = abs(factor) < ROUNDED_FACTOR && first + <f64>i > 1;
        if (apart) apartRows |= (<u64>1) << (i - begin);
        const beside = apart ? keptApart(alphaBefore, shadowAlpha, 1) : shadowAlpha;
        shadowFactor = factorOf(eta, lambda1, beside);
      }
      const shadowBeta1 = exponent == 0 ? shadowMantissa : unscaled(shadowMantissa, exponent);
      const push = shadowBeta1 * shadowBeta1 * (rate1 * shadowAlpha);
      const lack = 1 - shadowAlpha * shadowBeta2;
      shadowMantissa *= shadowFactor;
      const nextAlpha = shadowAlpha - push + rate2 * shadowBeta2 * lack;
      shadowBeta2 += rate2 * shadowAlpha * lack;
      shadowAlpha = nextAlpha;
      mantissa *= factor;
      beta1 = mantissa;
      if (exponent != 0 || abs(mantissa) < TINY) {
        if (exponent == 0 && mantissa != 0) {
          run.plainBeta1 = mantissa;
          mantissa *= HUGE;
          shadowMantissa *= HUGE;
          exponent = -512;
        } else if (exponent != 0) {
          if (run.plainBeta1 != 0) {
            run.plainBeta1 *= factor;
            if (run.plainBeta1 == 0 && mantissa != 0 && run.float64ZeroAt < 0)
              run.float64ZeroAt = first + <f64>i;
          }
          if (abs(mantissa) > 1) {
            mantissa *= TINY;
            shadowMantissa *= TINY;
            exponent += 512;
          }
        }
        if (exponent < 0 && abs(mantissa) < TINY && mantissa != 0) {
          mantissa *= HUGE;
          shadowMantissa *= HUGE;
          exponent -= 512;
        }
        beta1 = unscaled(mantissa, exponent);
        if (abs(beta1) < floor) {
          shadowMantissa = unscaled(shadowMantissa, exponent);
          exponent = 0;
        }
      }
      if (abs(beta1) < floor) {
        beta1 = mantissa < 0 ? -floor : floor;
        mantissa = beta1;
      }
      if (exponent == 0 && abs(shadowMantissa) < floor)
        shadowMantissa = shadowMantissa < 0 ? -floor : floor;
    } else {
      beta1 -= eta * gradBeta1;
      const shadowR = shadowAlpha * shadowBeta2 - 1;
      const pull1 = rate1 * shadowMantissa + rateC * shadowBeta2;
      const pull2 = rateC * shadowMantissa + rate2 * shadowBeta2;
      const shadowBefore = shadowAlpha;
      shadowAlpha =
        shadowAlpha + pull2 - shadowBefore * (pull1 * shadowMantissa + pull2 * shadowBeta2);
      shadowMantissa = shadowMantissa - shadowBefore * (shadowBefore * pull1 - rateC);
      shadowBeta2 = shadowBeta2 - shadowBefore * (shadowBefore * pull2 - rate2);
      const centre = floorCentre(scale, rate1, alphaBefore, residualBefore, alpha, r);
      if (floor == 0) {
        blind = blind || abs(beta1 - centre) < BLIND * abs(beta1);
      } else {
        beta1 = heldFrom(centre, beta1, floor);
        const shadowNext = shadowAlpha * shadowBeta2 - 1;
        const beside = floorCentre(scale, rate1, shadowBefore, shadowR, shadowAlpha, shadowNext);
        shadowMantissa = heldFrom(beside, shadowMantissa, floor);
      }
      mantissa = beta1;
    }

    p = alpha * beta1;
    l2 = half2 * (r * r);
    loss = half1 * (p * p) + l2 + covariance * p * r;
    keep(i - begin, shadowAlpha, shadowMantissa, shadowBeta2, r);
  } while (
    i < until &&
    exponent == exponentBefore &&
    blind == blindBefore &&
    loss <= DIVERGENCE_LOSS
  );
  const rows = i - begin;
  tellDigits(begin, rows, !decoupled, apartRows);
  if (decoupled) {
    const moves =
      ((apartRows >> rows) & 1) != 0 ||
      agreedDigits() < AMPLE ||
      hasMoved(alpha, alphaBefore) ||
      hasMoved(beta2, beta2Before);
    run.moves = moves ? 1 : 0;
  }
  toLogarithms(begin, i, exponentBefore, floor);
  run.alpha = alpha;
  run.mantissa = mantissa;
  run.exponent = exponent;
  run.beta2 = beta2;
  run.residual = r;
  run.shadowAlpha = shadowAlpha;
  run.shadowMantissa = shadowMantissa;
  run.shadowBeta2 = shadowBeta2;
  run.blind = blind ? 1 : 0;
  return i;
}

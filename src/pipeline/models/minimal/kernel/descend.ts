// The loop of models/minimal/descend, operation by operation.
import { log10s, NORMAL, SMALL_FACTOR, SMALL_RESIDUAL, smallFactor } from './arithmetic';
import {
  AMPLE,
  agreedDigits,
  beginDigits,
  hasMoved,
  keep,
  keptApart,
  RISE,
  tellDigits,
  toldDigits,
  unscaled,
} from './digits';
import { ALPHA, BETA1, BETA2, L2, LOG, LOSS, NORM, STEP } from './rows';

/** Of the same names there, for what is rare. */
declare function hypot(a: f64, b: f64, c: f64): f64;
declare function log10(x: f64): f64;

/** The state of a run, in the order of its fields, and behind it what does not change. */
@unmanaged
class Run {
  step: f64;
  alpha: f64;
  mantissa: f64;
  exponent: f64;
  beta2: f64;
  residual: f64;
  plainBeta1: f64;
  divergedAt: f64;
  float64ZeroAt: f64;
  shadowAlpha: f64;
  shadowMantissa: f64;
  shadowBeta2: f64;
  agreed: f64;
  told: f64;
  moves: f64;
  blind: f64;
  eta: f64;
  floor: f64;
  lambda1: f64;
  lambda2: f64;
  covariance: f64;
  steps: f64;
  edge: f64;
  doubtful: f64;
}

const RUN: usize = memory.data(8 * 24, 16);

/** Where the numbers of the run are. */
export function numbers(): usize {
  return RUN;
}

const ROUNDED_FACTOR: f64 = 1.0 / 65536;
const BLIND: f64 = 8 * 2.220446049250313e-16;
const TINY: f64 = 7.458340731200207e-155;
const HUGE: f64 = 1.3407807929942597e154;
const LEAST_SQUARES: f64 = 1.026342204420414e-289;
const DIVERGENCE_LOSS: f64 = 1e12;
const LOG10_2: f64 = 0.3010299956639812;

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
  const run = changetype<Run>(RUN);
  const eta = run.eta;
  const floor = run.floor;
  const lambda1 = run.lambda1;
  const lambda2 = run.lambda2;
  const covariance = run.covariance;
  const edge = run.edge;
  const decoupled = covariance == 0;
  const rate1 = eta * lambda1;
  const rate2 = eta * lambda2;
  const rateC = eta * covariance;
  const scale = -covariance / lambda1;
  const half1 = 0.5 * lambda1;
  const half2 = 0.5 * lambda2;
  const first = run.step;
  /** First row within a stretch after which digits may rise. */
  const phase = <i32>(<i64>first & (RISE - 1));
  let alpha = run.alpha;
  let mantissa = run.mantissa;
  let exponent = run.exponent;
  let beta2 = run.beta2;
  let r = run.residual;
  let shadowAlpha = run.shadowAlpha;
  let shadowMantissa = run.shadowMantissa;
  let shadowBeta2 = run.shadowBeta2;
  let moves = run.moves != 0;
  let blind = run.blind != 0;
  let beta1 = unscaled(mantissa, exponent);
  let p = alpha * beta1;
  let l2 = half2 * (r * r);
  let loss = half1 * (p * p) + l2 + covariance * p * r;

  beginDigits(<i32>run.agreed, <i32>run.told, edge, <i32>run.doubtful);
  let i: i32 = 0;
  let from: i32 = 0;
  while (i < count && loss <= DIVERGENCE_LOSS) {
    const rises = ((phase + i) & (RISE - 1)) == 0;
    const begin = i;
    const exponentBefore = exponent;
    const blindBefore = blind;
    let alphaBefore = alpha;
    let beta2Before = beta2;
    let apartRows: u64 = 0;
    keep(0, shadowAlpha, shadowMantissa, shadowBeta2, r);
    if (rises && abs(1 - rate1 * (alpha * alpha)) >= SMALL_FACTOR) {
      const side: f64 = (shadowAlpha - alpha) * alpha < 0 ? -1 : 1;
      shadowAlpha = keptApart(alpha, shadowAlpha, side);
      shadowMantissa = keptApart(mantissa, shadowMantissa, side);
      shadowBeta2 = keptApart(beta2, shadowBeta2, -side);
    }
    const until = min(count, i + RISE - ((phase + i) & (RISE - 1)));
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
    tellDigits(begin, rows, rises, moves, !decoupled, apartRows, exponentBefore, blindBefore);
    if (decoupled)
      moves =
        ((apartRows >> rows) & 1) != 0 ||
        agreedDigits() < AMPLE ||
        hasMoved(alpha, alphaBefore) ||
        hasMoved(beta2, beta2Before);
    if (exponent != exponentBefore) {
      toLogarithms(from, i, exponentBefore, floor);
      from = i;
    }
  }
  const step = first + <f64>i;
  if (!(loss <= DIVERGENCE_LOSS) && step <= run.steps) run.divergedAt = step;
  toLogarithms(from, i, exponent, floor);
  run.step = step;
  run.alpha = alpha;
  run.mantissa = mantissa;
  run.exponent = exponent;
  run.beta2 = beta2;
  run.residual = r;
  run.shadowAlpha = shadowAlpha;
  run.shadowMantissa = shadowMantissa;
  run.shadowBeta2 = shadowBeta2;
  run.agreed = agreedDigits();
  run.told = toldDigits();
  run.moves = moves ? 1 : 0;
  run.blind = blind ? 1 : 0;
}

/** Puts log₁₀(mantissa·2^exponent) in the place of mantissas; that of the floor is the same. */
function toLogarithms(from: i32, to: i32, exponent: f64, floor: f64): void {
  const power = f64x2.splat(exponent * LOG10_2);
  // At the floor β₁ stays for long.
  const ofFloor = log10(floor);
  let i = from;
  for (; i + 1 < to; i += 2) {
    const at = LOG + ((<usize>i) << 3);
    const sizes = v128.load(at);
    const fit = v128.and(
      f64x2.ge(sizes, f64x2.splat(NORMAL)),
      f64x2.lt(sizes, f64x2.splat(Infinity)),
    );
    let logs = i64x2.all_true(f64x2.eq(sizes, f64x2.splat(floor)))
      ? f64x2.splat(ofFloor)
      : i64x2.all_true(fit)
        ? log10s(sizes)
        : f64x2(log10(f64x2.extract_lane(sizes, 0)), log10(f64x2.extract_lane(sizes, 1)));
    if (exponent != 0) logs = f64x2.add(logs, power);
    v128.store(at, logs);
  }
  if (i >= to) return;
  const at = LOG + ((<usize>i) << 3);
  const log = log10(load<f64>(at));
  store<f64>(at, exponent != 0 ? log + exponent * LOG10_2 : log);
}

import { hypot, log10 } from '../../numeric/elementary.ts';
import { gdStability } from '../../optimizers/gd.ts';
import {
  AGREED,
  AGREEMENT,
  AMPLE_DIGITS,
  agreement,
  DOUBTFUL_DECOUPLED,
  DOUBTFUL_DIGITS,
  keptApart,
  lesserAgreement,
  RISE,
} from './agreement.ts';
import type { RunConfig } from './config.ts';
import { DIVERGENCE_LOSS } from './loss.ts';
import type { RowDigits } from './row-agreement.ts';
import { edgeAlpha } from './surrogate.ts';

/** What gradient descent computes by itself; operators add the other columns. */
export interface DescentColumns {
  readonly step: Float64Array;
  readonly alpha: Float64Array;
  readonly beta1: Float64Array;
  readonly beta2: Float64Array;
  readonly log10_abs_beta1: Float64Array;
  readonly loss: Float64Array;
  readonly l2: Float64Array;
  readonly grad_norm: Float64Array;
  readonly digits: Int32Array;
}

/**
 * θ_t at full reach: β₁ = mantissa·2^exponent never underflows. The exponent is 0 in the range of
 * normal numbers, where the digits are those of plain float64, and a multiple of −512 below.
 */
export interface DescentState {
  step: number;
  alpha: number;
  mantissa: number;
  exponent: number;
  beta2: number;
  /** αβ₂ − 1, to its own last places where it is small. */
  residual: number;
  /** β₁ as plain float64 would carry it, once the exponent has left 0. */
  plainBeta1: number;
  /** First step whose loss is over the limit or not finite; it has no row. */
  divergedAt: number | null;
  /** First step whose β₁ plain float64 would hold as 0 although it is not. */
  float64ZeroAt: number | null;
  /** The same θ by operations in another order: where it differs, digits are not true. */
  shadowAlpha: number;
  /** Of the exponent of the run itself. */
  shadowMantissa: number;
  shadowBeta2: number;
  /** Digits of θ in the last row, and of all of the row. */
  agreed: number;
  told: number;
  /** Whether so much changes in a step that digits are looked at in each. */
  moves: boolean;
  /** Whether β₁ has come so near to its resting place that float64 no longer knows its distance. */
  blind: boolean;
}

/** What the loop needs to know of a run. */
export type DescentParameters = Pick<
  RunConfig,
  'eta' | 'floor' | 'init' | 'steps' | 'moments' | 'delta' | 'band'
>;

/** 2^−512: below it β₁ is held with an exponent of its own; powers of two, so no digit changes. */
export const TINY = 2 ** -512;
const HUGE = 2 ** 512;
const LOG10_2 = 0.3010299956639812;
/** Squares below this have lost digits to underflow. */
const LEAST_SQUARES = 2 ** -960;
/** Below this αβ₂ − 1 is carried from step to step: αβ₂ itself has lost its digits. */
export const SMALL_RESIDUAL = 2 ** -10;
/** Below this 1 − ηλ₁α² is computed with twice the digits. */
export const SMALL_FACTOR = 2 ** -4;
/** So small a factor has lost more digits to the rounding of α than 1e-9 allows. */
const ROUNDED_FACTOR = 2 ** -16;
/** Relative changes in a step that cost no digits within `RISE` steps. */
const SLOW = 2 ** -20;
/** A distance of 8 units of the last place of β₁, relative to it: nothing but rounding. */
const BLIND = 8 * Number.EPSILON;

/** The state of a run at step 0. */
export function initialState({
  init: [alpha, beta1, beta2],
  moments,
}: DescentParameters): DescentState {
  const scaled = moments.covariance === 0 && beta1 !== 0 && Math.abs(beta1) < TINY;
  const mantissa = scaled ? beta1 * HUGE : beta1;
  return {
    step: 0,
    alpha,
    mantissa,
    exponent: scaled ? -512 : 0,
    beta2,
    residual: startResidual(alpha, beta2),
    plainBeta1: beta1,
    divergedAt: null,
    float64ZeroAt: null,
    shadowAlpha: alpha,
    shadowMantissa: mantissa,
    shadowBeta2: beta2,
    agreed: 15,
    told: 15,
    moves: true,
    blind: false,
  };
}

/** αβ₂ − 1, to a last place of itself. */
export function startResidual(alpha: number, beta2: number): number {
  const product = alpha * beta2;
  return Math.abs(product - 1) < SMALL_RESIDUAL
    ? product - 1 + productError(alpha, beta2, product)
    : product - 1;
}

/**
 * 1 − ηλ₁α², to a last place of itself, for where it cancels: both products with what rounding took
 * from them.
 */
export function smallFactor(eta: number, lambda1: number, alpha: number): number {
  const rate = eta * lambda1;
  const square = alpha * alpha;
  const product = rate * square;
  const lost =
    productError(rate, square, product) +
    rate * productError(alpha, alpha, square) +
    productError(eta, lambda1, rate) * square;
  return 1 - product - lost;
}

/** 2²⁷ + 1: splits a float64 in two halves of which products are exact. */
const SPLITTER = 134217729;

/** a·b − product, exactly, where product is a·b rounded (Dekker, Veltkamp). */
function productError(a: number, b: number, product: number): number {
  const bigA = SPLITTER * a;
  const bigB = SPLITTER * b;
  const highA = bigA - (bigA - a);
  const highB = bigB - (bigB - b);
  const lowA = a - highA;
  const lowB = b - highB;
  return lowA * lowB - (product - highA * highB - lowA * highB - highA * lowB);
}

/**
 * Where the projection keeps β₁ from for covariance σ ≠ 0: the resting place −σ(αβ₂ − 1)/(λ₁α) of
 * its oscillation after the step, and by how much β₁ lags behind it. NaN where α is 0.
 *
 * @param scale −σ/λ₁
 * @param rate ηλ₁
 */
export function floorCentre(
  scale: number,
  rate: number,
  alphaBefore: number,
  residualBefore: number,
  alpha: number,
  residual: number,
): number {
  if (alphaBefore === 0 || alpha === 0) return Number.NaN;
  const rest = (scale * residual) / alpha;
  const restBefore = (scale * residualBefore) / alphaBefore;
  return rest - (rest - restBefore) / (rate * (alpha * alpha));
}

/**
 * Gradient descent θ ← θ − η∇L(θ) with the projection that keeps the oscillation alive, from a
 * state on: `count` rows into the columns, fewer where the run diverges. The state moves on behind
 * them.
 *
 * Beside each step goes its shadow, the same step by operations in another order; `digits` are the
 * decimal digits to which α, β₁ and β₂ of both agree, and what else stands in the row.
 *
 * Without `rowDigits` it stops in front of the first row that needs them, and goes on from there
 * when it is called with them.
 *
 * Everything that the loop touches is a local number: it is the speed of the whole. What comes from
 * an object or a function is a number for certain behind a unary plus; else the engine keeps it,
 * and all that is computed from it, as objects.
 *
 * @returns whether it stopped for want of `rowDigits`
 */
export function descend(
  config: DescentParameters,
  state: DescentState,
  count: number,
  columns: DescentColumns,
  rowDigits?: RowDigits,
): boolean {
  const { steps, moments } = config;
  const [eta, floor] = [+config.eta, +config.floor];
  const [lambda1, lambda2] = [+moments.lambda1, +moments.lambda2];
  const covariance = +moments.covariance;
  const {
    step,
    alpha: alphas,
    beta1: beta1s,
    beta2: beta2s,
    log10_abs_beta1: logs,
    loss: losses,
    l2: l2s,
    grad_norm,
    digits,
  } = columns;
  const decoupled = covariance === 0;
  const doubtful = decoupled ? DOUBTFUL_DECOUPLED : DOUBTFUL_DIGITS;
  const rate1 = eta * lambda1;
  const rate2 = eta * lambda2;
  const rateC = eta * covariance;
  const scale = -covariance / lambda1;
  const edge = +edgeAlpha(lambda1, eta, gdStability());

  // What other modules import is loaded anew, and looked at, wherever it is used.
  const [smallResidual, cancelled, rounded, tiny, most] = [
    SMALL_RESIDUAL,
    SMALL_FACTOR,
    ROUNDED_FACTOR,
    TINY,
    DIVERGENCE_LOSS,
  ];
  const first = state.step;
  let { alpha, mantissa, exponent, beta2, residual: r, plainBeta1 } = state;
  let { divergedAt, float64ZeroAt, shadowAlpha, shadowMantissa, shadowBeta2 } = state;
  let { agreed, told, moves, blind } = state;
  let beta1 = unscaled(mantissa, exponent);
  let p = alpha * beta1;
  let l2 = 0.5 * lambda2 * (r * r);
  let loss = 0.5 * lambda1 * (p * p) + l2 + covariance * p * r;

  let i = 0;
  let wanting = false;
  // Rows from here on have the mantissa of β₁ where its logarithm will stand.
  let from = 0;
  while (i < count && loss <= most) {
    const rises = ((first + i) & (RISE - 1)) === 0;
    if (moves || rises) {
      const offAlpha = Math.abs(alpha - shadowAlpha);
      const offBeta1 = Math.abs(mantissa - shadowMantissa);
      const offBeta2 = Math.abs(beta2 - shadowBeta2);
      const sizeAlpha = Math.abs(alpha);
      const size = Math.abs(mantissa);
      const sizeBeta2 = Math.abs(beta2);
      const before = agreed;
      const bound = AGREEMENT[agreed]!;
      const least = rises ? AGREEMENT[agreed + 1]! : -1;
      if (
        !(
          offAlpha <= bound * sizeAlpha &&
          offBeta1 <= bound * size &&
          offBeta2 <= bound * sizeBeta2
        ) ||
        (offAlpha <= least * sizeAlpha && offBeta1 <= least * size && offBeta2 <= least * sizeBeta2)
      )
        agreed = Math.min(
          agreement(offAlpha, sizeAlpha, offBeta1, size, offBeta2, sizeBeta2),
          agreed + 1,
        );
      // What else can cancel where θ has digits, without covariance: twice what L̂ and Q differ by.
      const z = Math.abs(edge * sizeBeta2 - 1);
      const offZ = 2 * edge * offBeta2;
      const q = Math.abs((alpha - beta2) * (alpha + beta2) - beta1 * beta1);
      const offQ = 2 * (sizeAlpha * offAlpha + Math.abs(beta1) * offBeta1 + sizeBeta2 * offBeta2);
      if (blind) told = 0;
      else if (agreed <= doubtful) {
        if (!rowDigits) {
          // The digits of θ are looked at again when it goes on.
          agreed = before;
          wanting = true;
          break;
        }
        told = +rowDigits.tell(
          agreed,
          { alpha, beta1, beta2 },
          r,
          { alpha: shadowAlpha, beta1: unscaled(shadowMantissa, exponent), beta2: shadowBeta2 },
          rowDigits.context,
        );
      } else if (offZ <= AGREED * z && offQ <= AGREED * q) told = agreed;
      else told = +lesserAgreement(agreed, offZ, z, offQ, q);
    }
    // A factor that cancels is what its last places are: nothing else would be the same run.
    if (rises && Math.abs(1 - rate1 * (alpha * alpha)) >= cancelled) {
      const side = (shadowAlpha - alpha) * alpha < 0 ? -1 : 1;
      shadowAlpha = +keptApart(alpha, shadowAlpha, side);
      shadowMantissa = +keptApart(mantissa, shadowMantissa, side);
      // Along the valley, where nothing brings them together again.
      shadowBeta2 = +keptApart(beta2, shadowBeta2, -side);
    }
    const until = Math.min(count, i + RISE - ((first + i) & (RISE - 1)));
    do {
      const e1 = lambda1 * p + covariance * r;
      const e2 = covariance * p + lambda2 * r;
      const gradAlpha = beta1 * e1 + beta2 * e2;
      const gradBeta1 = alpha * e1;
      const gradBeta2 = alpha * e2;

      step[i] = first + i;
      alphas[i] = alpha;
      beta1s[i] = beta1;
      beta2s[i] = beta2;
      logs[i] = Math.abs(mantissa);
      digits[i] = told;
      losses[i] = loss;
      l2s[i] = l2;
      const squares = gradAlpha * gradAlpha + gradBeta1 * gradBeta1 + gradBeta2 * gradBeta2;
      // Squares lose digits long before what is squared does; the function that minds that is slow.
      grad_norm[i] =
        squares >= LEAST_SQUARES ? Math.sqrt(squares) : +hypot(gradAlpha, gradBeta1, gradBeta2);
      i++;

      const alphaBefore = alpha;
      const beta2Before = beta2;
      const residualBefore = r;
      const nextResidual =
        r - eta * (beta2 * gradAlpha + alpha * gradBeta2 - eta * gradAlpha * gradBeta2);
      alpha -= eta * gradAlpha;
      beta2 -= eta * gradBeta2;
      r = Math.abs(r) < smallResidual ? nextResidual : alpha * beta2 - 1;

      if (decoupled) {
        let factor = 1 - eta * (lambda1 * (alphaBefore * alphaBefore));
        let shadowFactor = 1 - rate1 * shadowAlpha * shadowAlpha;
        let apart = false;
        if (Math.abs(factor) < cancelled) {
          factor = +smallFactor(eta, lambda1, alphaBefore);
          // The start alone is not rounded.
          apart = Math.abs(factor) < rounded && first + i > 1;
          const besideAlpha = apart ? +keptApart(alphaBefore, shadowAlpha, 1) : shadowAlpha;
          shadowFactor = +smallFactor(eta, lambda1, besideAlpha);
        }
        const exponentBefore = exponent;
        const shadowBeta1 = exponent === 0 ? shadowMantissa : +unscaled(shadowMantissa, exponent);
        const push = shadowBeta1 * shadowBeta1 * (rate1 * shadowAlpha);
        const lack = 1 - shadowAlpha * shadowBeta2;
        shadowMantissa *= shadowFactor;
        const nextAlpha = shadowAlpha - push + rate2 * shadowBeta2 * lack;
        shadowBeta2 += rate2 * shadowAlpha * lack;
        shadowAlpha = nextAlpha;
        mantissa *= factor;
        if (exponent !== 0 || Math.abs(mantissa) < tiny) {
          if (exponent === 0 && mantissa !== 0) {
            plainBeta1 = mantissa;
            mantissa *= HUGE;
            shadowMantissa *= HUGE;
            exponent = -512;
          } else if (exponent !== 0) {
            if (plainBeta1 !== 0) {
              plainBeta1 *= factor;
              if (plainBeta1 === 0 && mantissa !== 0) float64ZeroAt ??= first + i;
            }
            if (Math.abs(mantissa) > 1) {
              mantissa *= tiny;
              shadowMantissa *= tiny;
              exponent += 512;
            }
          }
          if (exponent < 0 && Math.abs(mantissa) < tiny && mantissa !== 0) {
            mantissa *= HUGE;
            shadowMantissa *= HUGE;
            exponent -= 512;
          }
        }
        beta1 = exponent === 0 ? mantissa : +unscaled(mantissa, exponent);
        if (Math.abs(beta1) < floor) {
          beta1 = mantissa < 0 ? -floor : floor;
          mantissa = beta1;
          shadowMantissa = +unscaled(shadowMantissa, exponent);
          exponent = 0;
        }
        if (exponent === 0 && Math.abs(shadowMantissa) < floor)
          shadowMantissa = shadowMantissa < 0 ? -floor : floor;
        if (exponent !== exponentBefore) {
          toLogarithms(logs, from, i, exponentBefore, floor);
          from = i;
        }
        // With as many digits as that none can be lost where hardly anything changes.
        moves =
          apart ||
          agreed < AMPLE_DIGITS ||
          Math.abs(alpha - alphaBefore) > SLOW * Math.abs(alpha) ||
          Math.abs(beta2 - beta2Before) > SLOW * Math.abs(beta2);
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
        const centre = +floorCentre(scale, rate1, alphaBefore, residualBefore, alpha, r);
        if (floor === 0) {
          blind ||= Math.abs(beta1 - centre) < BLIND * Math.abs(beta1);
        } else {
          beta1 = +heldFrom(centre, beta1, floor);
          const shadowNext = shadowAlpha * shadowBeta2 - 1;
          const beside = +floorCentre(scale, rate1, shadowBefore, shadowR, shadowAlpha, shadowNext);
          shadowMantissa = +heldFrom(beside, shadowMantissa, floor);
        }
        mantissa = beta1;
      }

      p = alpha * beta1;
      l2 = 0.5 * lambda2 * (r * r);
      loss = 0.5 * lambda1 * (p * p) + l2 + covariance * p * r;
    } while (i < until && !moves && loss <= most);
  }
  if (!(loss <= most) && first + i <= steps) divergedAt = first + i;
  toLogarithms(logs, from, i, exponent, floor);
  Object.assign(state, {
    step: first + i,
    alpha,
    mantissa,
    exponent,
    beta2,
    residual: r,
    plainBeta1,
    divergedAt,
    float64ZeroAt,
    shadowAlpha,
    shadowMantissa,
    shadowBeta2,
    agreed,
    told,
    moves,
    blind,
  } satisfies DescentState);
  return wanting;
}

/**
 * Puts log₁₀(mantissa·2^exponent) in the place of mantissas. In a loop of its own: a call takes
 * the numbers of a loop out of their registers, which costs more than the logarithm.
 */
function toLogarithms(
  logs: Float64Array,
  from: number,
  to: number,
  exponent: number,
  floor: number,
): void {
  const power = exponent * LOG10_2;
  const logFloor = log10(floor);
  for (let i = from; i < to; i++) {
    const size = logs[i]!;
    logs[i] = exponent !== 0 ? log10(size) + power : size === floor ? logFloor : log10(size);
  }
}

/**
 * β₁ at no less than `floor` from the centre, on its own side; as it is where there is no centre.
 */
export function heldFrom(centre: number, beta1: number, floor: number): number {
  if (!(Math.abs(beta1 - centre) < floor)) return beta1;
  return beta1 >= centre ? centre + floor : centre - floor;
}

/** mantissa·2^exponent as float64: 0 or subnormal where it is below the range. */
export function unscaled(mantissa: number, exponent: number): number {
  if (exponent === 0) return mantissa;
  if (exponent < -1600) return mantissa * 0;
  // The exponent is a multiple of 512.
  let value = mantissa;
  for (let e = exponent; e < 0; e += 512) value *= TINY;
  return value;
}

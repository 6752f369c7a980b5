import type { Stability } from '../../core/run.ts';
import { AGREEMENT, TRUSTED_DIGITS } from './agreement.ts';
import { KAPPA } from './coarse-phases.ts';
import type { RunConfig } from './config.ts';
import type { Theta } from './loss.ts';
import { type Moments, type Spectrum, spectrum } from './moments.ts';
import { sharpness } from './sharpness.ts';
import { balance, solutionSharpness } from './solution.ts';
import { edgeAlpha } from './surrogate.ts';

/** Where θ has so few digits, a column or a label of its row may have none. */
const FEW_DIGITS = 5;
/** A column that differs by more, relatively, may be wrong by more than three digits allow. */
const LOST = 1e-3;
/** Each of the two runs may be wrong by so many times what they differ. */
const DOUBT = 20;

/** What tells the digits of whole rows: one function for all runs, so that it can be inlined. */
export interface RowDigits {
  readonly tell: typeof rowAgreement;
  readonly context: RowContext;
}

export const rowDigitsOf = (config: ContextConfig, stability: Stability): RowDigits => ({
  tell: rowAgreement,
  context: rowContext(config, stability),
});

type ContextConfig = Pick<RunConfig, 'moments' | 'eta' | 'delta' | 'band'>;

/** What of a run decides the columns of a row. */
export interface RowContext {
  readonly eta: number;
  readonly moments: Moments;
  readonly axes: Spectrum;
  readonly edge: number;
  /** (2 + δ)/η. */
  readonly tolerated: number;
  /** What S is compared with: where labels change. */
  readonly limits: readonly number[];
}

export function rowContext(
  { moments, eta, delta, band }: ContextConfig,
  stability: Stability,
): RowContext {
  const threshold = stability.threshold(eta);
  const tolerated = stability.threshold(eta, delta);
  return {
    eta,
    moments,
    axes: spectrum(moments),
    edge: edgeAlpha(moments.lambda1, eta, stability),
    tolerated,
    limits: [threshold, tolerated, (1 - band) * threshold, (1 + band) * threshold],
  };
}

/**
 * Digits of a whole row, given those of its θ: fewer where a column loses some in a difference (the
 * gradient at the bottom of the valley, Q where it passes 0, L̂ where αβ₂ passes 1), but no fewer
 * than are trusted while θ has more than a few, since the run goes on from θ alone. Where θ has
 * few, a column that has lost its digits or a label that rounding may have decided ends the trust.
 *
 * @param residual αβ₂ − 1 of the run itself, as it carries it
 */
export function rowAgreement(
  agreed: number,
  own: Theta,
  residual: number,
  shadow: Theta,
  context: RowContext,
): number {
  if (agreed < TRUSTED_DIGITS) return agreed;
  const off = Math.abs(shadow.alpha * shadow.beta2 - 1 - residual);
  const [a, b] = [
    derived(own, residual, context),
    derived(
      shadow,
      off <= rounding(own, context) ? residual : shadow.alpha * shadow.beta2 - 1,
      context,
    ),
  ];
  const few = agreed <= FEW_DIGITS;
  if (few && !sureLabels(own, shadow, context)) return TRUSTED_DIGITS - 1;
  let d = agreed;
  for (let k = 0; k < a.length; k++) {
    const size = Math.abs(a[k]!);
    const off = Math.abs(a[k]! - b[k]!);
    if (few && !(off <= LOST * size)) return TRUSTED_DIGITS - 1;
    while (d > TRUSTED_DIGITS && !(off <= AGREEMENT[d]! * size)) d--;
  }
  return d;
}

/**
 * Rounding in the αβ₂ − 1 of the shadow, which shrinks by ηλ₂(α² + β₂²) a step; the run itself is
 * free of it.
 */
function rounding({ alpha, beta2 }: Theta, { eta, moments }: RowContext): number {
  const rate = eta * moments.lambda2 * (alpha * alpha + beta2 * beta2);
  return 4 * Number.EPSILON * (1 + 1 / rate);
}

/** What a row derives from θ by differences; squares that underflow differ by nothing. */
function derived(theta: Theta, residual: number, { moments, edge }: RowContext): number[] {
  const { alpha, beta1, beta2 } = theta;
  const { lambda1, lambda2, covariance } = moments;
  const p = alpha * beta1;
  const e1 = lambda1 * p + covariance * residual;
  const e2 = covariance * p + lambda2 * residual;
  const pull = beta1 * e1 + beta2 * e2;
  return [
    p * e1 + residual * e2,
    residual,
    (alpha < 0 ? -edge : edge) * beta2 - 1,
    Math.sqrt(pull * pull + alpha * alpha * (e1 * e1 + e2 * e2)),
    balance(theta),
  ];
}

/**
 * Whether S and S∞ are on the same side of what they are compared with, and α moves the same way,
 * beyond doubt.
 */
function sureLabels(own: Theta, shadow: Theta, context: RowContext): boolean {
  const { moments, axes, limits, tolerated } = context;
  const [s, t] = [sharpness(own, axes), sharpness(shadow, axes)];
  const endOf = (theta: Theta) => solutionSharpness(balance(theta), moments, axes);
  const [end, other] = [endOf(own), endOf(shadow)];
  for (const limit of limits) if (!sure(s - limit, t - limit)) return false;
  return (
    sure(end - tolerated, other - tolerated) &&
    sure(s - (1 - KAPPA) * end, t - (1 - KAPPA) * other) &&
    (end < tolerated || sure(growth(own, moments), growth(shadow, moments)))
  );
}

/** Whether the sign of a number is sure, given the same of the shadow. */
function sure(own: number, shadow: number): boolean {
  return Math.abs(own) >= DOUBT * Math.abs(own - shadow);
}

/** α·∂α. */
function growth({ alpha, beta1, beta2 }: Theta, moments: Moments): number {
  const { lambda1, lambda2, covariance } = moments;
  const p = alpha * beta1;
  const r = alpha * beta2 - 1;
  return alpha * (beta1 * (lambda1 * p + covariance * r) + beta2 * (covariance * p + lambda2 * r));
}

import type { Stability } from '../../core/run.ts';
import { hypot } from '../../numeric/elementary.ts';
import type { RunConfig } from './config.ts';
import type { Theta } from './loss.ts';
import { type Moments, type Spectrum, spectrum } from './moments.ts';
import { sharpness } from './sharpness.ts';
import { balance, solutionSharpness } from './solution.ts';
import { edgeAlpha } from './surrogate.ts';

/** Digits that a row must have for what is said of it to be trusted. */
export const TRUSTED_DIGITS = 3;
/**
 * With so many digits or fewer those of the derived columns are looked at too. Without covariance β₁
 * swings about 0, and they lose digits only where θ itself has few.
 */
export const DOUBTFUL_DIGITS = 11;
export const DOUBTFUL_DECOUPLED = 5;
/**
 * Digits rise by no more than one in so many steps, a power of two: differences pass through 0 now
 * and then, and say nothing there.
 */
export const RISE = 32;

/**
 * Numbers count as equal in d digits where they differ by no more than a twentieth of 10^−d: each of
 * the two runs may be wrong by more than they differ.
 */
export const AGREEMENT: readonly number[] = [
  Number.POSITIVE_INFINITY,
  ...Array.from({ length: 15 }, (_, i) => Number(`5e-${i + 3}`)),
];
/** Differences of what is derived from θ count as much as those of θ itself, though they are larger. */
const DERIVED = 1;

/** Digits, 0 … 15, to which numbers of these sizes agree that are these distances apart. */
export function agreement(
  offAlpha: number,
  alpha: number,
  offBeta1: number,
  beta1: number,
  offBeta2: number,
  beta2: number,
): number {
  let d = 15;
  while (
    d > 0 &&
    !(
      offAlpha <= AGREEMENT[d]! * alpha &&
      offBeta1 <= AGREEMENT[d]! * beta1 &&
      offBeta2 <= AGREEMENT[d]! * beta2
    )
  )
    d--;
  return d;
}

/** What of a run decides the columns of a row. */
export interface RowContext {
  readonly eta: number;
  readonly moments: Moments;
  readonly axes: Spectrum;
  readonly edge: number;
  readonly threshold: number;
}

export function rowContext(
  { moments, eta }: Pick<RunConfig, 'moments' | 'eta'>,
  stability: Stability,
): RowContext {
  return {
    eta,
    moments,
    axes: spectrum(moments),
    edge: edgeAlpha(moments.lambda1, eta, stability),
    threshold: stability.threshold(eta),
  };
}

/**
 * Digits of a whole row, given those of its θ: fewer where a column loses some in a difference (the
 * gradient at the bottom of the valley, Q where it passes 0, L̂ where αβ₂ passes 1), but no fewer than
 * are trusted, since the run goes on from θ alone. Where θ itself has just so many, a label on which
 * both runs do not agree ends the trust.
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
  if (agreed === TRUSTED_DIGITS)
    return sameLabel(own, shadow, context) ? TRUSTED_DIGITS : TRUSTED_DIGITS - 1;
  const off = Math.abs(shadow.alpha * shadow.beta2 - 1 - residual);
  const [a, b] = [
    derived(own, residual, context),
    derived(
      shadow,
      off <= rounding(own, context) ? residual : shadow.alpha * shadow.beta2 - 1,
      context,
    ),
  ];
  let d = agreed;
  for (const [k, value] of a.entries()) {
    const off = Math.abs(value - b[k]!);
    while (d > TRUSTED_DIGITS && !(off <= DERIVED * AGREEMENT[d]! * Math.abs(value))) d--;
  }
  return d;
}

/** Rounding in the αβ₂ − 1 of the shadow, which shrinks by ηλ₂(α² + β₂²) a step; the run itself is free of it. */
function rounding({ alpha, beta2 }: Theta, { eta, moments }: RowContext): number {
  const rate = eta * moments.lambda2 * (alpha * alpha + beta2 * beta2);
  return 4 * Number.EPSILON * (1 + 1 / rate);
}

function derived(theta: Theta, residual: number, { moments, edge }: RowContext): number[] {
  const { alpha, beta1, beta2 } = theta;
  const { lambda1, lambda2, covariance } = moments;
  const p = alpha * beta1;
  const e1 = lambda1 * p + covariance * residual;
  const e2 = covariance * p + lambda2 * residual;
  return [
    p * e1 + residual * e2,
    residual,
    (alpha < 0 ? -edge : edge) * beta2 - 1,
    hypot(beta1 * e1 + beta2 * e2, alpha * e1, alpha * e2),
    balance(theta),
  ];
}

/** Whether both stand on the same side of 2/η and, at the edge, move α the same way. */
function sameLabel(own: Theta, shadow: Theta, { moments, axes, threshold }: RowContext): boolean {
  if (sharpness(own, axes) >= threshold !== sharpness(shadow, axes) >= threshold) return false;
  const settled = solutionSharpness(balance(own), moments, axes) < threshold;
  return settled || grows(own, moments) === grows(shadow, moments);
}

function grows({ alpha, beta1, beta2 }: Theta, moments: Moments): boolean {
  const { lambda1, lambda2, covariance } = moments;
  const p = alpha * beta1;
  const r = alpha * beta2 - 1;
  const motion = beta1 * (lambda1 * p + covariance * r) + beta2 * (covariance * p + lambda2 * r);
  return alpha * motion < 0;
}

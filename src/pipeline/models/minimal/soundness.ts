import { DIVERGENCE_LOSS } from './loss.ts';
import type { Moments } from './moments.ts';

/** Moments whose squares float64 holds to all digits. */
export const SIZES = [1e-100, 1e100] as const;

export const isSized = (moment: number): boolean => moment >= SIZES[0] && moment <= SIZES[1];

/** Whether Σ is positive definite, |σ| < √(λ₁λ₂). */
export const isDefinite = ({ lambda1, lambda2, covariance }: Moments): boolean =>
  covariance * covariance < lambda1 * lambda2;

interface Start {
  readonly init: readonly [alpha: number, beta1: number, beta2: number];
  readonly moments: Moments;
}

/** The loss of the start. */
export function startLoss({ init: [alpha, beta1, beta2], moments }: Start): number {
  const p = alpha * beta1;
  const r = alpha * beta2 - 1;
  const { lambda1, lambda2, covariance } = moments;
  return 0.5 * lambda1 * (p * p) + 0.5 * lambda2 * (r * r) + covariance * p * r;
}

/** Whether the start itself does not count as diverged already. */
export function isSoundStart(start: Start): boolean {
  const [alpha, beta1, beta2] = start.init;
  const scale = alpha * alpha + beta1 * beta1 + beta2 * beta2;
  return startLoss(start) <= DIVERGENCE_LOSS && Number.isFinite(scale * scale);
}

import type { Moments } from './moments.ts';

/** A loss above this, or not finite, counts as divergence. */
export const DIVERGENCE_LOSS = 1e12;

/** Parameters of the network f(x; θ) = α(β₁x₁ + β₂x₂). */
export interface Theta {
  readonly alpha: number;
  readonly beta1: number;
  readonly beta2: number;
}

/** The loss and its parts: L = L₁ + L₂ + σ·p·r with residuals p = αβ₁, r = αβ₂ − 1. */
export interface LossSplit {
  readonly loss: number;
  readonly l1: number;
  readonly l2: number;
}

/**
 * Population loss L(θ) = ½ vᵀΣv, v = (αβ₁, αβ₂ − 1), split into oscillatory and convergent part.
 *
 * @param r αβ₂ − 1, where it is known better than from θ
 */
export function lossSplit(
  { alpha, beta1, beta2 }: Theta,
  { lambda1, lambda2, covariance }: Moments,
  r = alpha * beta2 - 1,
): LossSplit {
  const p = alpha * beta1;
  const l1 = 0.5 * lambda1 * (p * p);
  const l2 = 0.5 * lambda2 * (r * r);
  return { loss: l1 + l2 + covariance * p * r, l1, l2 };
}

/**
 * ∇L(θ) = (∂α, ∂β₁, ∂β₂): with e = Σv, ∂α = β·e and ∂β = αe.
 *
 * @param r αβ₂ − 1, where it is known better than from θ
 */
export function gradient(
  { alpha, beta1, beta2 }: Theta,
  { lambda1, lambda2, covariance }: Moments,
  r = alpha * beta2 - 1,
): Theta {
  const p = alpha * beta1;
  const e1 = lambda1 * p + covariance * r;
  const e2 = covariance * p + lambda2 * r;
  return { alpha: beta1 * e1 + beta2 * e2, beta1: alpha * e1, beta2: alpha * e2 };
}

/** Hessian of L, row by row in the order α, β₁, β₂: H_αα = βᵀΣβ, H_αβ = αΣβ + e, H_ββ = α²Σ. */
export function hessian(
  { alpha, beta1, beta2 }: Theta,
  { lambda1, lambda2, covariance }: Moments,
): readonly [number, number, number, number, number, number, number, number, number] {
  const s1 = lambda1 * beta1 + covariance * beta2;
  const s2 = covariance * beta1 + lambda2 * beta2;
  const b = 2 * alpha * s1 - covariance;
  const c = 2 * alpha * s2 - lambda2;
  const square = alpha * alpha;
  return [
    beta1 * s1 + beta2 * s2,
    b,
    c,
    b,
    square * lambda1,
    square * covariance,
    c,
    square * covariance,
    square * lambda2,
  ];
}

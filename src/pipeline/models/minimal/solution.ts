import type { Theta } from './loss.ts';
import type { Moments, Spectrum } from './moments.ts';
import { arrowheadTop } from './sharpness.ts';

/** Balance Q = α² − β₁² − β₂², conserved by gradient flow. */
export function balance({ alpha, beta1, beta2 }: Theta): number {
  return (alpha - beta2) * (alpha + beta2) - beta1 * beta1;
}

/**
 * α∞² of the minimum (α, 0, 1/α) with balance Q: the positive root (Q + √(Q² + 4))/2 of x − 1/x =
 * Q. Below −1 its other form, 2/(√(Q² + 4) − Q), which does not cancel there.
 */
export function solutionAlphaSquared(q: number): number {
  const radius = Math.sqrt(q * q + 4);
  return q >= -1 ? (q + radius) / 2 : 2 / (radius - q);
}

/**
 * Sharpness S∞ of the minimum that gradient flow reaches from a point of balance Q
 * (gradient-flow-solution sharpness). For covariance 0 the Hessian there splits into λ₁α² and a
 * block with eigenvalues 0 and λ₂(α² + α⁻²) = λ₂√(Q² + 4).
 */
export function solutionSharpness(
  q: number,
  { lambda1, lambda2, covariance }: Moments,
  s: Spectrum,
): number {
  const square = solutionAlphaSquared(q);
  if (covariance === 0) return Math.max(lambda1 * square, lambda2 * Math.sqrt(q * q + 4));
  return arrowheadTop(
    lambda2 / square,
    s.large * s.u2,
    s.small * s.v2,
    s.large * square,
    s.small * square,
  );
}

/**
 * End point of gradient flow from θ where it is known in closed form: β₁ = 0, αβ₂ = 1, α² from the
 * balance. Undefined where the sign of α∞ takes an integration (Q ≤ 0 and αβ₂ ≤ 0, but for
 * covariance 0, β₁ = 0 and α ≠ −β₂) or where the flow ends at the saddle α = β₂ = 0.
 */
export function solution(theta: Theta, { covariance }: Moments): Theta | undefined {
  const { alpha, beta1, beta2 } = theta;
  const q = balance(theta);
  const sign = solutionSign();
  if (sign === 0) return undefined;
  const end = sign * Math.sqrt(solutionAlphaSquared(q));
  return { alpha: end, beta1: 0, beta2: 1 / end };

  function solutionSign(): number {
    if (q > 0) return Math.sign(alpha);
    if (covariance !== 0) return 0;
    if (alpha * beta2 > 0) return Math.sign(alpha);
    if (beta1 === 0 && q < 0) return Math.sign(beta2);
    return 0;
  }
}

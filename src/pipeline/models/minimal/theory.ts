import { hypot } from '../../numeric/elementary.ts';
import type { Theta } from './loss.ts';
import { gradient } from './loss.ts';
import type { Moments, Spectrum } from './moments.ts';

/**
 * q = η²((∂α)² − ‖∂β‖²): by how much one step of gradient descent changes the balance, exactly (no
 * projection).
 */
export function balanceChange(theta: Theta, moments: Moments, eta: number): number {
  const slope = gradient(theta, moments);
  const small = hypot(slope.beta1, slope.beta2);
  return eta * eta * (slope.alpha - small) * (slope.alpha + small);
}

/**
 * By how much the projection |β₁| ≥ floor changes the balance after a step that left β₁ at `before`
 * without it: ≤ 0.
 */
export function projectionChange(before: number, floor: number): number {
  return -Math.max(0, (floor - Math.abs(before)) * (floor + Math.abs(before)));
}

/**
 * Top eigenvalue of the (α, β₂) block of the Hessian at β₁ = 0, covariance 0: what S is where λ₁α²,
 * the sharpness across the valley, is smaller, as it is near α = 0.
 */
export function blockSharpness(alpha: number, beta2: number, lambda2: number): number {
  const [a, b] = [alpha * alpha, beta2 * beta2];
  return 0.5 * lambda2 * (a + b + hypot(a - b, 2 * (2 * alpha * beta2 - 1)));
}

/**
 * Bound on the rise S∞(t+1) − S∞(t) of the gradient-flow-solution sharpness in one step:
 *
 *     Λ·g'(Q_t + q₊)·q₊ + λ₂·(Q_t − Q_{t+1})₊ + rounding,
 *     g'(x) = ½(1 + x/√(x² + 4)),  Λ = λ_max(Σ),  q₊ = max(q, 0)
 *
 * Why: α∞² = g(Q) with g convex and increasing, S∞ is close to Λ·g(Q), and Q rises by no more than
 * q₊ (the projection only lowers it); a convex g rises by no more than its slope at the far end.
 * Where Q falls, α∞⁻² rises, which lifts S∞ by no more than λ₂ times the fall.
 *
 * @param sharpness S∞(t), for the rounding of 1e-13·S∞
 */
export function solutionRiseBound(
  balance: number,
  balanceNext: number,
  change: number,
  { lambda2 }: Moments,
  { large }: Spectrum,
  sharpness: number,
): number {
  const rise = Math.max(0, change);
  const x = balance + rise;
  const slope = 0.5 * (1 + x / Math.sqrt(x * x + 4));
  return large * slope * rise + lambda2 * Math.max(0, balance - balanceNext) + 1e-13 * sharpness;
}

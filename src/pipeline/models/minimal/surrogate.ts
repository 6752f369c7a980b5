import type { Stability } from '../../core/run.ts';
import type { Moments } from './moments.ts';

/**
 * α̂ = √(τ/λ₁), √(2/(ηλ₁)) for gradient descent: the |α| at which the sharpness λ₁α² of the valley
 * floor (β₁ = 0) equals the threshold τ.
 */
export function edgeAlpha(lambda1: number, eta: number, stability: Stability): number {
  // In units in which λ₁ is 1 the learning rate is ηλ₁, and the threshold there is α̂².
  return Math.sqrt(stability.threshold(eta * lambda1));
}

/**
 * Surrogate loss L̂ = ½λ₂(sign(α)·α̂·β₂ − 1)²: the convergent part of the loss with α pinned at the
 * edge.
 */
export function surrogateLoss(
  alpha: number,
  beta2: number,
  lambda2: number,
  alphaHat: number,
): number {
  const r = (alpha < 0 ? -alphaHat : alphaHat) * beta2 - 1;
  return 0.5 * lambda2 * (r * r);
}

/**
 * Predicted slope of ln L̂ per step at the edge: that of r², where r contracts as a direction of
 * curvature λ₂α̂² does; 2·ln(1 − 2λ₂/λ₁) for gradient descent. NaN where 2λ₂ > λ₁, for which it
 * says nothing.
 */
export function predictedSlope({ lambda1, lambda2 }: Moments, stability: Stability): number {
  return 2 * stability.decay((stability.threshold(1) * lambda2) / lambda1);
}

/**
 * What L₁ must be on average while α stays at the edge, so that the oscillation cancels the
 * sharpening: ½·α̂λ₂β₂(1 − α̂β₂) for α > 0, mirrored for α < 0.
 */
export function predictedMeanL1(
  alpha: number,
  beta2: number,
  lambda2: number,
  alphaHat: number,
): number {
  const product = (alpha < 0 ? -alphaHat : alphaHat) * beta2;
  return 0.5 * lambda2 * product * (1 - product);
}

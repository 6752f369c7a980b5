import { log1p } from '../../numeric/elementary.ts';
import type { Moments } from './moments.ts';

/** α̂ = √(2/(ηλ₁)): the |α| at which the sharpness λ₁α² of the valley floor (β₁ = 0) equals 2/η. */
export function edgeAlpha(lambda1: number, eta: number): number {
  return Math.sqrt(2 / (eta * lambda1));
}

/** Surrogate loss L̂ = ½λ₂(sign(α)·α̂·β₂ − 1)²: the convergent part of the loss with α pinned at the edge. */
export function surrogateLoss(
  alpha: number,
  beta2: number,
  lambda2: number,
  alphaHat: number,
): number {
  const r = (alpha < 0 ? -alphaHat : alphaHat) * beta2 - 1;
  return 0.5 * lambda2 * (r * r);
}

/** Predicted slope of ln L̂ per step at the edge: 2·ln(1 − 2λ₂/λ₁); NaN where 2λ₂ > λ₁, for which it says nothing. */
export function predictedSlope({ lambda1, lambda2 }: Moments): number {
  return 2 * log1p((-2 * lambda2) / lambda1);
}

/**
 * What L₁ must be on average while α stays at the edge, so that the oscillation cancels the sharpening:
 * ½·α̂λ₂β₂(1 − α̂β₂) for α > 0, mirrored for α < 0.
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

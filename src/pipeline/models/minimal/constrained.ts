/**
 * One step of the constrained trajectory: gradient descent on (α, β₂) in the valley floor β₁ = 0,
 * projected onto the stable set |α| ≤ α̂ after the step. It shadows gradient descent with the
 * oscillation averaged out. Covariance 0 only.
 */
export function constrainedStep(
  alpha: number,
  beta2: number,
  lambda2: number,
  eta: number,
  alphaHat: number,
): readonly [alpha: number, beta2: number] {
  const r = alpha * beta2 - 1;
  const moved = alpha - eta * (lambda2 * beta2 * r);
  return [Math.max(-alphaHat, Math.min(alphaHat, moved)), beta2 - eta * (lambda2 * alpha * r)];
}

import type { Stability } from '../../core/run.ts';
import { log } from '../../numeric/elementary.ts';
import { exp } from '../../numeric/exponential.ts';
import { createFlow, type Flow } from './flow.ts';
import type { Theta } from './loss.ts';
import type { Moments } from './moments.ts';
import { edgeAlpha, predictedMeanL1 } from './surrogate.ts';

/** The averaged dynamics of gradient descent, moved on in time. Covariance 0 only. */
export interface Central {
  /**
   * (α, √mean β₁², β₂): off the edge the flow's own θ; at the edge β₁ is the root mean square of
   * the oscillation.
   */
  readonly theta: Theta;
  readonly logBeta1: number;
  /** Whether α is held at the edge now. */
  readonly atEdge: boolean;
  advance(duration: number): void;
}

/**
 * Central flow: gradient flow while |α| < α̂; from where it would cross |α| = α̂, α is held there,
 * at the edge s·α̂ of the side s = sign(α) on which it comes (the flow may have taken α through 0
 * on its way), and β₂ follows β₂' = −λ₂·sα̂(sα̂β₂ − 1), which has the solution 1 − sα̂β₂ = (1 −
 * sα̂β₂(0))·exp(−λ₂α̂²t). The oscillation that holds α must cancel sharpening on average: mean L₁ =
 * ½·sα̂λ₂β₂(1 − sα̂β₂), mean β₁² = 2·L₁/(λ₁α̂²). A start beyond the edge is taken to it at once, as
 * the oscillation does within a few steps. Once held, α stays: sα̂β₂ rises to 1 and never over it.
 */
export function createCentral(
  start: Theta,
  moments: Moments,
  eta: number,
  stability: Stability,
): Central {
  const { lambda1, lambda2 } = moments;
  const alphaHat = edgeAlpha(lambda1, eta, stability);
  const rate = lambda2 * alphaHat * alphaHat;
  const clamped = Math.max(-alphaHat, Math.min(alphaHat, start.alpha));
  let flow: Flow | undefined;
  /** At the edge: ±α̂, and β₂. */
  let edge = clamped;
  let beta2 = start.beta2;
  if (!held(clamped, beta2)) flow = createFlow({ ...start, alpha: clamped }, moments);

  /** Whether α has come to the edge, and gradient flow there would push |α| further up. */
  function held(alpha: number, b2: number): boolean {
    const product = Math.sign(alpha) * alphaHat * b2;
    return Math.abs(alpha) >= alphaHat && product > 0 && product < 1;
  }

  /** Moves β₂ on with α at the edge. */
  function hold(duration: number): void {
    const missing = 1 - edge * beta2;
    beta2 = (1 - missing * exp(-rate * duration)) / edge;
  }

  function meanBeta1(): number {
    const l1 = Math.max(0, predictedMeanL1(edge, beta2, lambda2, alphaHat));
    return Math.sqrt((2 * l1) / lambda1) / alphaHat;
  }

  return {
    get theta() {
      return flow ? flow.theta : { alpha: edge, beta1: meanBeta1(), beta2 };
    },
    get logBeta1() {
      return flow ? flow.logBeta1 : log(meanBeta1());
    },
    get atEdge() {
      return flow === undefined;
    },
    advance(duration) {
      if (!flow) {
        hold(duration);
        return;
      }
      const before = flow.theta;
      flow.advance(duration);
      const after = flow.theta;
      if (!held(after.alpha, after.beta2)) return;
      edge = Math.sign(after.alpha) * alphaHat;
      // It crossed on the way. α and β₂ move by the small λ₂ only: on a straight line, within a
      // step.
      const moved = after.alpha - before.alpha;
      const part = moved === 0 ? 0 : Math.min(1, Math.max(0, (edge - before.alpha) / moved));
      beta2 = before.beta2 + part * (after.beta2 - before.beta2);
      flow = undefined;
      hold((1 - part) * duration);
    },
  };
}

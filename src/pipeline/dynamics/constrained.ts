import { constrainedStep } from '../models/minimal/constrained.ts';
import { edgeAlpha } from '../models/minimal/surrogate.ts';
import { type Dynamics, needsNoCovariance } from './dynamics.ts';

/**
 * The constrained trajectory from the run's start: gradient descent on (α, β₂) with β₁ = 0,
 * projected onto the stable set |α| ≤ α̂ after each step. Row 0 is the start with its β₁ set to 0
 * and |α| brought down to α̂. For covariance 0 only.
 */
export const constrained: Dynamics = {
  name: 'constrained',
  about: 'gradient descent without oscillation, projected onto the stable set',
  start(config, stability) {
    needsNoCovariance(config, 'constrained');
    const { init, moments, eta } = config;
    const alphaHat = edgeAlpha(moments.lambda1, eta, stability);
    let alpha = Math.max(-alphaHat, Math.min(alphaHat, init[0]));
    let beta2 = init[2];
    return {
      get theta() {
        return { alpha, beta1: 0, beta2 };
      },
      logBeta1: Number.NEGATIVE_INFINITY,
      advance() {
        [alpha, beta2] = constrainedStep(alpha, beta2, moments.lambda2, eta, alphaHat);
      },
    };
  },
};

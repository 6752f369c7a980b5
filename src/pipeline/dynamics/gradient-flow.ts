import { createFlow } from '../models/minimal/flow.ts';
import type { Dynamics } from './dynamics.ts';

/**
 * Gradient flow θ' = −∇L(θ) from the run's start; row t is its θ at time ηt, integrated from row to
 * row by an adaptive implicit method, nothing interpolated.
 */
export const gradientFlow: Dynamics = {
  name: 'gradient-flow',
  about: 'gradient flow, the limit of small learning rates',
  start({ init: [alpha, beta1, beta2], moments, eta }) {
    const flow = createFlow({ alpha, beta1, beta2 }, moments);
    return {
      get theta() {
        return flow.theta;
      },
      get logBeta1() {
        return flow.logBeta1;
      },
      get residual() {
        return flow.residual;
      },
      advance: () => flow.advance(eta),
    };
  },
};

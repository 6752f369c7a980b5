import { createFlow } from '../models/minimal/flow.ts';
import { trajectory } from './trajectory.ts';

/**
 * Gradient flow θ' = −∇L(θ) from the run's start; row t is its θ at time ηt, integrated from row to row by an adaptive
 * implicit method, nothing interpolated.
 *
 * @throws ConfigError at once where a parameter cannot be used.
 */
export const gradientFlow = trajectory(
  'gradient-flow',
  ({ init: [alpha, beta1, beta2], moments, eta }) => {
    const flow = createFlow({ alpha, beta1, beta2 }, moments);
    return {
      get theta() {
        return flow.theta;
      },
      get logBeta1() {
        return flow.logBeta1;
      },
      advance: () => flow.advance(eta),
    };
  },
);

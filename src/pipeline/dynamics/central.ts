import { createCentral } from '../models/minimal/central.ts';
import { type Dynamics, needsNoCovariance } from './dynamics.ts';

/**
 * The central flow from the run's start: gradient flow off the edge; at the edge α is held at ±α̂,
 * β₂ follows, and β₁ is the root mean square of the oscillation that holds it there, so that `l1`
 * is the predicted mean of L₁. For covariance 0 only.
 */
export const central: Dynamics = {
  name: 'central',
  about: 'the central flow, gradient descent with its oscillation averaged out',
  start(config, stability) {
    needsNoCovariance(config, 'central');
    const { init, moments, eta } = config;
    const [alpha, beta1, beta2] = init;
    const flow = createCentral({ alpha, beta1, beta2 }, moments, eta, stability);
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
};

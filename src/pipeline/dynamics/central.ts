import { createCentral } from '../models/minimal/central.ts';
import { needsNoCovariance, trajectory } from './trajectory.ts';

/**
 * The central flow from the run's start: gradient flow off the edge; at the edge α is held at ±α̂, β₂ follows, and β₁ is
 * the root mean square of the oscillation that holds it there, so that `l1` is the predicted mean of L₁.
 *
 * @throws ConfigError at once where a parameter cannot be used, or the covariance is not 0.
 */
export const centralFlow = trajectory('central', (config) => {
  needsNoCovariance(config, 'central');
  const [alpha, beta1, beta2] = config.init;
  const central = createCentral({ alpha, beta1, beta2 }, config.moments, config.eta);
  return {
    get theta() {
      return central.theta;
    },
    get logBeta1() {
      return central.logBeta1;
    },
    advance: () => central.advance(config.eta),
  };
});

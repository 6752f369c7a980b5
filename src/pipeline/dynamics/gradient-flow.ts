import { createFlow } from '../models/minimal/flow.ts';
import { createIntegrator } from '../numeric/runge-kutta.ts';
import { type Dynamics, gradientOf } from './dynamics.ts';

/** Of each weight of a network, a step of the integrator. */
const TOLERANCE = 1e-6;

/**
 * Gradient flow θ' = −∇L(θ) from the run's start; row t is its θ at time ηt, integrated from row to
 * row by an adaptive method, nothing interpolated: an implicit one for the minimal model, whose
 * rates are far apart, an explicit one for networks, whose steps are as fine as their sharpness
 * asks for.
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
  startNetwork(network, decay) {
    const center = network.theta.slice();
    const gradient = gradientOf(network, decay);
    const integrator = createIntegrator(
      (theta, into) => {
        gradient(theta, into);
        for (let i = 0; i < into.length; i++) into[i]! *= -1;
      },
      center,
      TOLERANCE,
    );
    return { center, advance: (eta) => integrator.advance(eta) };
  },
};

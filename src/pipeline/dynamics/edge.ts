import { gradient } from '../models/minimal/loss.ts';
import { log } from '../numeric/elementary.ts';
import { exp } from '../numeric/exponential.ts';
import { type Dynamics, gradientOf, needsGradientDescent } from './dynamics.ts';
import { createEdgeFlow } from './edge-flow.ts';

/** Of each number of the state, a step of the integrator. */
const TOLERANCE = 1e-8;
const NETWORK_TOLERANCE = 1e-4;
/**
 * Gradient descent never comes to rest in a direction of a network: this much is left of its
 * oscillation at least, in the units of the weights.
 */
const LEAST_MAGNITUDE = 1e-3;

/**
 * Edge Flow from the run's start (see edge-flow.ts). The start is taken apart into a center with β₁
 * = 0 and an oscillation along β₁ of its size; a row's θ is the point w + xu on one side of the
 * center, so that β₁ is the magnitude and `l1` the mean of L₁. The floor of |β₁| is the least
 * magnitude.
 *
 * In a network the direction starts as the top eigenvector of the Hessian and the magnitude at its
 * least; a row's weights are the center, and its loss the mean of both sides of it.
 */
export const edge: Dynamics = {
  name: 'edge',
  about: 'Edge Flow: a center, and the direction and size of its oscillation',
  start(config, stability) {
    needsGradientDescent(stability, 'edge');
    const { init, moments, eta, floor } = config;
    const [alpha, beta1, beta2] = init;
    const flow = createEdgeFlow(
      ([a, b, c], into) => {
        const slope = gradient({ alpha: a!, beta1: b!, beta2: c! }, moments);
        into[0] = slope.alpha;
        into[1] = slope.beta1;
        into[2] = slope.beta2;
      },
      {
        center: Float64Array.of(alpha, 0, beta2),
        direction: Float64Array.of(0, beta1 < 0 ? -1 : 1, 0),
        logMagnitude: log(Math.abs(beta1)),
        leastLogMagnitude: log(floor),
        tolerance: TOLERANCE,
      },
    );
    const at = (i: number) => flow.center[i]! + exp(flow.logMagnitude()) * flow.direction[i]!;
    return {
      get theta() {
        return { alpha: at(0), beta1: at(1), beta2: at(2) };
      },
      get logBeta1() {
        return flow.center[1] === 0
          ? flow.logMagnitude() + log(Math.abs(flow.direction[1]!))
          : log(Math.abs(at(1)));
      },
      advance: () => flow.advance(eta),
    };
  },
  startNetwork(network, decay) {
    network.gradientAt();
    network.track({ all: true });
    const least = log(LEAST_MAGNITUDE);
    const { center, direction, ...flow } = createEdgeFlow(gradientOf(network, decay), {
      center: network.theta.slice(),
      direction: network.ritzVector(0).slice(),
      logMagnitude: least,
      leastLogMagnitude: least,
      tolerance: NETWORK_TOLERANCE,
    });
    const lossAt = (distance: number) => {
      for (let i = 0; i < center.length; i++)
        network.theta[i] = center[i]! + distance * direction[i]!;
      return network.lossAt();
    };
    return {
      center,
      loss() {
        const magnitude = exp(flow.logMagnitude());
        return 0.5 * (lossAt(magnitude) + lossAt(-magnitude));
      },
      advance: flow.advance,
    };
  },
};

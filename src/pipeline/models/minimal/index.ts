import { log10 } from '../../numeric/elementary.ts';
import type { Model } from '../model.ts';
import { runColumns } from './columns.ts';
import { gradient, lossSplit, type Theta } from './loss.ts';
import type { Moments } from './moments.ts';
import { minimalParameters } from './parameters.ts';
import { presets } from './presets/index.ts';

const { paper } = presets;

/**
 * The network f(x) = α(β₁x₁ + β₂x₂) of the paper, for any optimizer. Its sharpness in closed form
 * is an operator's; plain gradient descent has arithmetic of its own, in which β₁ never underflows.
 */
export const minimal: Model = {
  name: 'minimal',
  about: 'the minimal network of three parameters, f(x) = α(β₁x₁ + β₂x₂)',
  parameters: minimalParameters,
  defaults: { eta: paper.eta, steps: paper.steps },
  columns: runColumns('alpha', 'beta1', 'beta2', 'log10_abs_beta1'),
  start(values) {
    const { init, floor, moments } = values as {
      readonly init: readonly number[];
      readonly floor: number;
      readonly moments: Moments;
    };
    return {
      theta: Float64Array.from(init),
      objective: {
        loss: (theta) => lossSplit(point(theta), moments).loss,
        gradient(theta, into) {
          const slope = gradient(point(theta), moments);
          into[0] = slope.alpha;
          into[1] = slope.beta1;
          into[2] = slope.beta2;
        },
        project(theta) {
          const beta1 = theta[1]!;
          if (Math.abs(beta1) < floor) theta[1] = beta1 < 0 ? -floor : floor;
        },
        describe(theta, { log10_abs_beta1 }, i) {
          log10_abs_beta1![i] = log10(Math.abs(theta[1]!));
        },
      },
    };
  },
};

function point(theta: Float64Array): Theta {
  return { alpha: theta[0]!, beta1: theta[1]!, beta2: theta[2]! };
}

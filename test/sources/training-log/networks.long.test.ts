import { describe, expect, test } from 'vitest';
import { detectLog, ndjson } from './read-log.ts';
import {
  chebyshevTask,
  generator,
  linearTask,
  type NetworkLog,
  type NetworkOptions,
  normal,
  trainNetwork,
} from './small-network.ts';

const trained = new Map<string, NetworkLog>();
const networks: Readonly<Record<string, NetworkOptions & { readonly phases: readonly string[] }>> =
  {
    'one hidden layer, to the edge': {
      widths: [1, 30, 1],
      activation: 'tanh',
      eta: 0.3,
      steps: 1500,
      seed: 3,
      ...chebyshevTask(4, 20),
      phases: ['progressive-sharpening', 'edge-of-stability'],
    },
    'two hidden layers, to the edge': {
      widths: [1, 20, 15, 1],
      activation: 'tanh',
      eta: 0.2,
      steps: 2000,
      seed: 5,
      scale: 1.2,
      ...chebyshevTask(5, 20),
      phases: ['progressive-sharpening', 'edge-of-stability'],
    },
    'two hidden layers, started over the threshold': {
      widths: [1, 20, 15, 1],
      activation: 'tanh',
      eta: 0.4,
      steps: 1200,
      seed: 5,
      scale: 1.2,
      ...chebyshevTask(5, 20),
      phases: ['catapult', 'progressive-sharpening', 'edge-of-stability'],
    },
    'deep linear, never at the edge': {
      widths: [5, 20, 10, 3],
      activation: 'linear',
      eta: 0.3,
      steps: 600,
      seed: 7,
      scale: 0.15,
      ...linearTask(2),
      phases: ['progressive-sharpening', 'convergence'],
    },
    'deep linear, over the edge and away': {
      widths: [5, 20, 10, 3],
      activation: 'linear',
      eta: 0.6,
      steps: 600,
      seed: 7,
      scale: 0.15,
      ...linearTask(2),
      phases: ['progressive-sharpening', 'edge-of-stability', 'diverged'],
    },
  };

describe.each(Object.entries(networks))('%s', (name, { phases, ...options }) => {
  const log = () => {
    let known = trained.get(name);
    if (!known) {
      known = trainNetwork(options);
      trained.set(name, known);
    }
    const { loss, sharpness } = known;
    const step = loss.map((_, t) => t);
    const threshold = 2 / options.eta;
    const below = sharpness.findIndex((s) => s < threshold);
    const crossing = sharpness.findIndex((s, t) => t > below && s >= threshold);
    return { step, loss, sharpness, crossing };
  };

  test('as it was trained', async () => {
    const { crossing, ...columns } = log();
    const { summary } = await detectLog(ndjson(columns), { eta: options.eta });
    expect(summary.phases.map(({ phase }) => phase)).toEqual(phases);
    if (crossing < 0) expect(summary.first_crossing).toBeNull();
    else expect(Math.abs(summary.first_crossing! - crossing)).toBeLessThanOrEqual(2);
  });

  test('with 2 % of noise on the sharpness', async () => {
    const { crossing, step, loss, sharpness } = log();
    const random = generator(9);
    const noisy = sharpness.map((s) => s * (1 + 0.02 * normal(random)));
    const { summary } = await detectLog(ndjson({ step, loss, sharpness: noisy }), {
      eta: options.eta,
    });
    expect(summary.phases.map(({ phase }) => phase)).toEqual(phases);
    if (crossing >= 0)
      expect(Math.abs(summary.first_crossing! - crossing)).toBeLessThanOrEqual(
        Math.max(5, step.length / 100),
      );
  });
});

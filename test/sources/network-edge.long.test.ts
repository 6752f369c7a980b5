import { lastValueFrom, tap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { type NetworkOptions, setupNetwork } from '../../src/pipeline/models/network/config.ts';
import { createNetwork } from '../../src/pipeline/models/network/network.ts';
import { startWeights } from '../../src/pipeline/models/network/start.ts';
import { networkPipeline } from '../../src/pipeline/operators/network-pipeline.ts';
import type { ExplainedSpike } from '../../src/pipeline/phases/measured/spike-cause.ts';
import { networkDescent } from '../../src/pipeline/sources/descent/network-descent.ts';

const MINUTES = 60_000;

describe('the tracker along runs at the edge', () => {
  test.each([
    ['eigenvalues that meet', { layers: '1-30-20-1', data: 'chebyshev:6:20', seed: 2 }, 0.2, 0],
    ['gelu', { layers: '1-20-15-1', data: 'chebyshev:4:15', activation: 'gelu', seed: 5 }, 0.5, 0],
    ['momentum', { layers: '1-20-15-1', data: 'chebyshev:5:20', seed: 3 }, 0.05, 0.9],
  ] as const)(
    '%s: none of 33,400 measurements is off by more than 1e-6, and every error holds',
    (_, more, eta, beta) => {
      const options: NetworkOptions = { ...more, eta, steps: 1 };
      const { layers, data, config } = setupNetwork(options);
      const shape = { layers, activation: config.activation, loss: config.loss };
      const network = createNetwork(shape, data);
      const reference = createNetwork(shape, data, { tracked: 4, seed: 9 });
      const fresh = reference.saveTracker();
      const velocity = new Float64Array(network.parameters);
      network.theta.set(startWeights(layers, config.seed, 1));
      let edge = 0;
      const worst = [0, 0, 0];
      for (let t = 0; t < 33_400; t++) {
        network.gradientAt();
        const { values, error } = network.track({ probing: t % 4 === 0 ? 1 : 0 });
        reference.theta.set(network.theta);
        reference.gradientAt();
        reference.resumeTracker({ ...fresh, measurements: 0, draws: t * 1e5 });
        const converged = reference.track({ tolerance: 1e-8, all: true });
        const off = Math.abs(values[0]! - converged.values[0]!);
        for (const [i, value] of values.entries())
          worst[i] = Math.max(
            worst[i]!,
            Math.abs(value - converged.values[i]!) / converged.values[0]!,
          );
        if (off > error + converged.error) expect(off).toBeLessThanOrEqual(error);
        if (converged.values[0]! > 1.9 / eta) edge++;
        for (let i = 0; i < velocity.length; i++) {
          velocity[i] = beta * velocity[i]! + network.gradient[i]!;
          network.theta[i]! -= eta * velocity[i]!;
        }
      }
      // What is left for the last one is small beside the largest.
      expect(worst[0]).toBeLessThan(1e-6);
      expect(worst[1]).toBeLessThan(1e-3);
      expect(worst[2]).toBeLessThan(0.05);
      expect(edge).toBeGreaterThan(20_000);
    },
    10 * MINUTES,
  );
});

/** Mean over the last fifth of a run of what should settle at 1. */
async function settled(options: NetworkOptions): Promise<number> {
  const ratios: number[] = [];
  await lastValueFrom(
    networkDescent(options).pipe(
      networkPipeline(),
      tap(({ run, columns, length }) => {
        const { eta, sharpness_ratio: ratio } = columns;
        const batch = (columns as { readonly batch_sharpness?: Float64Array }).batch_sharpness;
        for (let i = 0; i < length; i++)
          ratios.push(batch ? run.stability.ratio(batch[i]!, eta[i]!) : ratio[i]!);
      }),
    ),
  );
  const last = ratios.slice(-Math.floor(ratios.length / 5));
  return last.reduce((sum, ratio) => sum + ratio) / last.length;
}

const A = { layers: '1-20-15-1', data: 'chebyshev:5:20' };
const B = { layers: '1-30-20-1', data: 'chebyshev:6:20' };

test.each([
  ['gd', { ...A, eta: 0.1, steps: 10_000 }],
  ['gd', { ...B, eta: 0.2, steps: 5000 }],
  ['momentum', { ...A, eta: 0.05, steps: 4000 }],
  ['momentum', { ...B, data: 'chebyshev:5:20', eta: 0.05, steps: 4000 }],
  ['nesterov', { ...A, eta: 0.02, steps: 4000 }],
  ['nesterov', { ...B, eta: 0.02, steps: 4000 }],
  ['rmsprop', { ...A, eta: 0.0005, steps: 5000 }],
  ['rmsprop', { ...B, eta: 0.0005, steps: 5000 }],
  ['adam', { ...A, eta: 0.001, steps: 6000 }],
  ['adam', { ...B, eta: 0.001, steps: 6000 }],
  ['adamw', { ...A, eta: 0.001, steps: 6000 }],
  ['adamw', { ...B, eta: 0.001, steps: 6000 }],
  ['momentum', { ...A, dampening: 0.9, eta: 0.5, steps: 4000 }],
  ['gd', { ...B, data: 'chebyshev:3:20', batch: 5, eta: 0.2, steps: 10_000 }],
  ['gd', { ...B, data: 'chebyshev:3:20', batch: 5, eta: 0.3, steps: 10_000 }],
] as const)(
  '%s settles at its threshold: %j',
  async (optimizer, options) => {
    const ratio = await settled({ ...options, optimizer });
    expect(ratio).toBeGreaterThan(0.95);
    expect(ratio).toBeLessThan(1.05);
  },
  3 * MINUTES,
);

test(
  'on 20 networks at least 95 % of the spikes lie by nine tenths in directions at the edge',
  async () => {
    const data = 'chebyshev:4:20';
    const mse = (['tanh', 'gelu', 'silu'] as const).flatMap((activation) =>
      ['1-20-15-1', '1-30-1', '1-16-16-16-1'].flatMap((layers) =>
        [0.15, 0.3].map((eta) => ({ activation, layers, eta, data, steps: 2500 })),
      ),
    );
    const classes = { loss: 'cross-entropy', steps: 800 } as const;
    const networks: NetworkOptions[] = [
      ...mse.filter(({ eta, layers }) => eta === 0.3 || layers !== '1-20-15-1'),
      { activation: 'relu', layers: '1-20-20-1', eta: 0.1, data, steps: 2500 },
      { ...classes, activation: 'gelu', layers: '64-12-12-10', eta: 0.3, data: 'digits:80' },
      { ...classes, activation: 'tanh', layers: '64-16-10', eta: 3, data: 'digits:60' },
      { preset: 'deep-linear' },
      { preset: 'network', steps: 3000 },
    ];
    expect(networks).toHaveLength(20);
    const spikes: ExplainedSpike[] = [];
    for (const network of networks) {
      const last = await lastValueFrom(networkDescent(network).pipe(networkPipeline()));
      spikes.push(...last.run.summary!.spikes);
    }
    expect(spikes.length).toBeGreaterThan(100);
    const part = (of: (spike: ExplainedSpike) => boolean) =>
      spikes.filter(of).length / spikes.length;
    expect(part(({ share }) => share! >= 0.9)).toBeGreaterThan(0.95);
    expect(part(({ cause }) => cause === 'edge')).toBeGreaterThan(0.95);
  },
  10 * MINUTES,
);

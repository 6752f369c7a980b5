import { lastValueFrom, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { type NetworkOptions, setupNetwork } from '../../src/pipeline/models/network/config.ts';
import { createNetwork } from '../../src/pipeline/models/network/network.ts';
import {
  networkDescent,
  networkSteps,
} from '../../src/pipeline/sources/descent/network-descent.ts';

const RMSPROP = { optimizer: 'rmsprop', 'weight-decay': 0.01, activation: 'silu' } as const;

/** Where what the optimizer divides by has turned the spectrum from one measurement to the next. */
const TURNS: readonly NetworkOptions[] = [
  { ...RMSPROP, layers: '1-20-20-1', data: 'chebyshev:3:10', eta: 0.005 },
  { ...RMSPROP, layers: '1-12-8-1', data: 'chebyshev:5:15', eta: 0.002 },
  { ...RMSPROP, layers: '1-8-8-8-1', data: 'chebyshev:5:15', eta: 0.005, activation: 'gelu' },
];

/** Training far beyond its threshold, where the spectrum leaps from step to step. */
const LEAPS: readonly NetworkOptions[] = [7, 48, 52, 69].map((seed) => ({
  ...{ layers: '64-5-10', data: 'digits:60', activation: 'silu', 'init-scale': 0.02 },
  ...{ seed, eta: 25, steps: 300 },
}));

test.each([
  ...TURNS.flatMap((options) => [1, 7].map((measure) => ({ ...options, steps: 400, measure }))),
  ...LEAPS.map((options) => ({ ...options, measure: 1 })),
])('S is the largest eigenvalue, as a search finds it that knows nothing: %j', async (options) => {
  const batches = networkDescent(options, { batchSize: 1000 });
  const [batch] = await lastValueFrom(batches.pipe(toArray()));
  const { columns, length } = batch!;
  const { sharpness, sharpness_error } = columns as Readonly<Record<string, Float64Array>>;
  const { layers, data, config } = setupNetwork(options);
  let looks = 0;
  for (const { step, network, operator } of networkSteps(setupNetwork(options))) {
    if (step >= length) break;
    if (step % Math.max(5, options.measure) !== 0) continue;
    const fresh = createNetwork({ ...config, layers }, data, { tracked: 8, seed: step });
    fresh.theta.set(network.theta);
    fresh.metric.set(network.metric);
    fresh.gradientAt();
    const { values, error } = fresh.track({ ...operator, tolerance: 1e-8, all: true });
    const off = Math.abs(values[0]! - sharpness![step]!);
    expect(off, `step ${step}`).toBeLessThan(1e-6 * Math.abs(values[0]!));
    // Both are rounded: what an optimizer divides by spans many powers of ten.
    const rounding = 1e-10 * Math.abs(values[0]!);
    expect(off).toBeLessThanOrEqual(sharpness_error![step]! + error + rounding);
    looks++;
  }
  expect(looks).toBeGreaterThan(50);
});

import { lastValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import { source } from '../../src/pipeline/core/source.ts';
import { type NetworkOptions, setupNetwork } from '../../src/pipeline/models/network/config.ts';
import { networkPipeline } from '../../src/pipeline/operators/network-pipeline.ts';
import type { ExplainedSpike } from '../../src/pipeline/phases/measured/spike-cause.ts';
import { networkDescent, networkRows } from '../../src/pipeline/sources/descent/network-descent.ts';
import { generator } from './training-log/small-network.ts';

const ACTIVATIONS = ['tanh', 'relu', 'gelu', 'silu', 'linear'] as const;

function draws(seed: number) {
  const random = generator(seed);
  const whole = (from: number, to: number) => from + Math.floor(random() * (to - from + 1));
  return {
    whole,
    pick: <T>(list: readonly T[]) => list[whole(0, list.length - 1)]!,
    log: (from: number, to: number) => Number((from * (to / from) ** random()).toPrecision(3)),
  };
}

async function spikesOf(options: NetworkOptions): Promise<readonly ExplainedSpike[]> {
  const last = await lastValueFrom(networkDescent(options).pipe(networkPipeline()));
  return last.run.summary!.spikes;
}

test('of networks drawn by chance 95 % of the spikes lie by nine tenths at the edge', async () => {
  const { whole, pick, log } = draws(7);
  const spikes: ExplainedSpike[] = [];
  for (let i = 0; i < 20; i++) {
    const hidden = Array.from({ length: whole(1, 3) }, () => whole(10, 40));
    const images = i % 7 === 6;
    spikes.push(
      ...(await spikesOf({
        activation: pick(ACTIVATIONS),
        layers: [images ? 64 : 1, ...hidden, images ? 10 : 1].join('-'),
        data: images ? `digits:${whole(50, 150)}` : `chebyshev:${whole(2, 7)}:${whole(10, 30)}`,
        ...(images ? { loss: pick(['mse', 'cross-entropy'] as const) } : {}),
        eta: images ? log(0.3, 3) : log(0.1, 0.4),
        steps: images ? 800 : 2500,
        seed: whole(1, 9999),
      })),
    );
  }
  expect(spikes.length).toBeGreaterThan(40);
  const explained = spikes.filter(({ share, cause }) => share! >= 0.9 && cause === 'edge');
  expect(explained.length / spikes.length).toBeGreaterThanOrEqual(0.95);
});

test('with all samples a spike of one step at the edge is not called a kick', async () => {
  const spikes = await spikesOf({
    ...{ layers: '64-38-37-38-10', activation: 'relu', loss: 'cross-entropy', seed: 30948 },
    ...{ data: 'digits:66', eta: 0.471, steps: 60 },
  });
  const sudden = spikes.find(({ begin, step }) => begin === step);
  expect(sudden).toMatchObject({ step: 25, cause: 'edge' });
  expect(sudden!.share).toBeGreaterThan(0.9);
});

test('a spike that batches with a bad sample make is not blamed on the edge', async () => {
  const { whole, pick, log } = draws(11);
  let count = 0;
  for (let i = 0; i < 40; i++) {
    const setup = setupNetwork({
      layers: pick(['1-10-1', '1-20-15-1']),
      activation: pick(['tanh', 'relu', 'silu'] as const),
      data: 'chebyshev:3:20',
      batch: pick([2, 4, 5, 10]),
      eta: log(0.02, 0.06),
      steps: 1500,
      seed: whole(1, 999),
    });
    const targets = setup.data.targets.slice();
    targets[7]! *= pick([5, 10, 30]);
    const bad = { ...setup, data: { ...setup.data, targets } };
    const { run } = await lastValueFrom(source(() => networkRows(bad)).pipe(networkPipeline()));
    const { spikes, eta_verdict: verdict } = run.summary!;
    count += spikes.length;
    expect(spikes.filter(({ cause }) => cause === 'edge')).toEqual([]);
    expect(verdict).toBeNull();
  }
  expect(count).toBeGreaterThan(200);
});

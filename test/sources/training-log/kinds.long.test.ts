import { lastValueFrom, tap } from 'rxjs';
import { expect, test } from 'vitest';
import type { NetworkOptions } from '../../../src/pipeline/models/network/config.ts';
import { networkPipeline } from '../../../src/pipeline/operators/network-pipeline.ts';
import { networkDescent } from '../../../src/pipeline/sources/descent/network-descent.ts';
import { flaws, judge, type Series, type Truth } from './truth.ts';

const SMALL = { layers: '1-20-15-1', data: 'chebyshev:5:20' };

/** Trainings of other kinds than those in `truth`. */
const KINDS: Readonly<Record<string, NetworkOptions>> = {
  momentum: { ...SMALL, optimizer: 'momentum', eta: 0.05, steps: 3000, seed: 3 },
  nesterov: { ...SMALL, optimizer: 'nesterov', eta: 0.02, steps: 3000, seed: 4 },
  adam: { ...SMALL, optimizer: 'adam', eta: 0.001, steps: 4000, seed: 5 },
  relu: {
    layers: '1-40-40-1',
    data: 'chebyshev:3:20',
    activation: 'relu',
    eta: 0.1,
    steps: 3000,
    seed: 2,
  },
  'a jump of η': { ...SMALL, eta: 0.05, schedule: '0:0.05,1500:0.15', steps: 3000, seed: 10 },
  'a warm-up': { ...SMALL, eta: 0.15, schedule: 'warmup:600', steps: 3000, seed: 9 },
  'a cosine': { ...SMALL, eta: 0.15, schedule: 'cosine', steps: 3000, seed: 17 },
  'never at the edge': { ...SMALL, data: 'chebyshev:2:20', eta: 0.02, steps: 2000, seed: 13 },
  'batches, never at the edge': {
    ...{ layers: '1-30-20-1', data: 'chebyshev:4:20', batch: 10, optimizer: 'momentum' },
    ...{ eta: 0.05, steps: 2000, seed: 18 },
  },
};

/**
 * Trains a network; the edge is where its exact sharpness first crosses the threshold from below.
 */
async function trained(name: string, options: NetworkOptions): Promise<Truth> {
  const series = { step: [], loss: [], sharpness: [], threshold: [] } satisfies Record<
    keyof Series,
    number[]
  > as Record<keyof Series, number[]>;
  await lastValueFrom(
    networkDescent(options).pipe(
      networkPipeline(),
      tap(({ columns, length }) => {
        for (const field of ['step', 'loss', 'sharpness', 'threshold'] as const)
          for (let i = 0; i < length; i++) series[field].push(Number(columns[field][i]));
      }),
    ),
  );
  const over = series.sharpness.map((sharpness, i) => {
    const threshold = series.threshold[i]!;
    return threshold > 0 && sharpness >= threshold;
  });
  const edge = over.findIndex((now, i) => i > 0 && now && !over[i - 1]!);
  return {
    name,
    outcome: edge < 0 ? 'never' : 'edge',
    edgeFrom: edge < 0 ? null : series.step[edge]!,
    leftAt: null,
    also: ['progressive-sharpening', edge < 0 ? 'convergence' : 'catapult', 'flat'],
    series,
  };
}

test('networks trained in other ways, logged in 26: 95 % right in all', async () => {
  const wrong: string[] = [];
  let count = 0;
  const edges: (number | null)[] = [];
  for (const [name, options] of Object.entries(KINDS)) {
    const truth = await trained(name, options);
    edges.push(truth.edgeFrom);
    for (const flaw of flaws([3])) {
      count++;
      const judged = judge(truth, flaw);
      if (!judged.right) wrong.push(`${name}, ${flaw.name}: ${judged.wrong}`);
    }
  }
  expect(edges.map((edge) => edge !== null).lastIndexOf(true)).toBe(5);
  expect(wrong.length, wrong.join('\n')).toBeLessThanOrEqual(0.05 * count);
}, 900_000);

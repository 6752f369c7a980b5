import fc from 'fast-check';
import { lastValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import {
  classifySharpness,
  detectPhases,
  flowSolution,
  gradientDescent,
  type RunOptions,
  resolveConfig,
  splitLoss,
  summarize,
} from '../../src/pipeline/index.ts';
import { PRESET_NAMES } from '../../src/pipeline/models/minimal/presets/index.ts';
import { runToResult } from '../../src/pipeline/sweep/run-result.ts';
import { summarizeDescent } from '../../src/pipeline/sweep/summary-kernel.ts';

/** Summary and last sharpness of the run as the stream computes them. */
async function streamed(options: RunOptions) {
  const run = gradientDescent(options, { batchSize: 997 });
  const last = await lastValueFrom(
    run.pipe(splitLoss(), classifySharpness(), flowSolution(), detectPhases(), summarize()),
  );
  return { summary: last.run.summary, finalSharpness: last.columns.sharpness![last.length - 1] };
}

const real = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const scale = (min: number, max: number) => real(Math.log(min), Math.log(max)).map(Math.exp);

const wide: fc.Arbitrary<RunOptions> = fc.record({
  lambda1: scale(1, 300),
  lambda2: scale(0.001, 10),
  eta: scale(0.003, 1),
  init: fc
    .tuple(real(-1.5, 1.5), fc.oneof(real(-0.3, 0.3), fc.constant(0)), real(-1.5, 1.5))
    .map((theta) => [...theta]),
  floor: fc.constantFrom(1e-6, 1e-3, 0.05, 0),
  steps: fc.integer({ min: 0, max: 4000 }),
  delta: fc.constantFrom(0.01, 0.3),
  epsilon: fc.constantFrom(1e-8, 1e-3),
});

/** Runs like `three-phases`, most of which converge. */
const near: fc.Arbitrary<RunOptions> = fc.record({
  lambda1: fc.constant(100),
  lambda2: scale(0.05, 0.5),
  eta: scale(0.03, 0.1),
  init: fc.tuple(real(0.2, 0.5), real(-0.1, 0.1), real(0.2, 0.5)).map((theta) => [...theta]),
  floor: fc.constantFrom(1e-6, 1e-4),
  steps: fc.integer({ min: 2000, max: 6000 }),
});

/** The same with a learning rate so small that they never come to the edge. */
const gentle = near.chain((options) =>
  scale(0.01, 0.016).map((eta): RunOptions => ({ ...options, eta })),
);

const runs = fc.oneof(
  { weight: 18, arbitrary: wide },
  { weight: 2, arbitrary: near },
  { weight: 1, arbitrary: gentle },
);

describe('summarizeDescent', () => {
  test.each(PRESET_NAMES)('gives the summary of the stream on %s, bit for bit', async (preset) => {
    const result = summarizeDescent(resolveConfig({ preset }));
    // β₁ of `plain` leaves the range of float64.
    if (preset === 'plain') expect(result).toBeUndefined();
    else expect(result).toEqual(await streamed({ preset }));
  });

  test('gives the summary of the stream on any run that it takes, bit for bit', async () => {
    const outcomes = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(runs, async (options) => {
        const result = summarizeDescent(resolveConfig(options));
        const kind =
          result === undefined || result === 'given up' ? 'not taken' : result.summary.outcome;
        outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
        if (kind !== 'not taken') expect(result).toEqual(await streamed(options));
      }),
      { numRuns: 1500 },
    );
    for (const kind of [
      'diverged',
      'gradient-flow',
      'converged',
      'edge-of-stability',
      'not taken',
    ]) {
      expect(outcomes.get(kind) ?? 0, kind).toBeGreaterThan(5);
    }
  });

  test('leaves to the general way what it does not take', async () => {
    for (const options of [
      { covariance: 0.01 },
      { lambda1: 1, lambda2: 0.9 },
      { preset: 'plain' },
    ] as const) {
      expect(summarizeDescent(resolveConfig(options))).toBeUndefined();
      expect(runToResult(resolveConfig(options))).toMatchObject(await streamed(options));
    }
  });

  test('gives up when told to', () => {
    const asked: number[] = [];
    const stop = (rows: number) => asked.push(rows) < 3;
    expect(runToResult(resolveConfig({ steps: 1e8 }), stop)).toBeUndefined();
    expect(asked).toEqual([2 ** 20, 2 ** 20, 2 ** 20]);
  });
});

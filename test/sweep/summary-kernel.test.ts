import fc from 'fast-check';
import { lastValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import {
  classifySharpness,
  detectPhases,
  flowSolution,
  gradientDescent,
  type RunConfig,
  type RunOptions,
  resolveConfig,
  splitLoss,
  summarize,
} from '../../src/pipeline/index.ts';
import { PRESET_NAMES } from '../../src/pipeline/models/minimal/presets/index.ts';
import { runsToResults, runToResult } from '../../src/pipeline/sweep/run-result.ts';
import {
  type KernelResult,
  summarizeDescents,
  takesRun,
} from '../../src/pipeline/sweep/summary-kernel.ts';

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
  floor: fc.constantFrom(1e-6, 1e-4, 1e-60),
  steps: fc.integer({ min: 2000, max: 6000 }),
});

/** The same with a learning rate so small that they never come to the edge. */
const gentle = near.chain((options) =>
  scale(0.01, 0.016).map((eta): RunOptions => ({ ...options, eta })),
);

/** Runs too short to come to the edge. */
const short = near.chain((options) =>
  fc.integer({ min: 0, max: 60 }).map((steps): RunOptions => ({ ...options, eta: 0.05, steps })),
);

/** Runs whose swings are wide enough to cost digits, at times all of them. */
const chaotic: fc.Arbitrary<RunOptions> = fc.record({
  lambda2: scale(0.005, 0.3),
  eta: scale(0.1, 0.4),
  steps: fc.integer({ min: 500, max: 5000 }),
});

const runs = fc.oneof(
  { weight: 18, arbitrary: wide },
  { weight: 1, arbitrary: short },
  { weight: 2, arbitrary: chaotic },
  { weight: 2, arbitrary: near },
  { weight: 1, arbitrary: gentle },
);

/** Results of runs by their index: the kernel's alone, none for those that it gives back. */
function kernelResults(configs: readonly RunConfig[]) {
  const runs = configs.map((config, index) => ({ index, config }));
  const results = new Map<number, KernelResult | undefined>();
  const taken = runs.filter(({ config }) => takesRun(config)).values();
  for (const { index, result } of summarizeDescents(taken, () => true)) results.set(index, result);
  return results;
}

describe('summarizeDescents', () => {
  test('gives the summaries of the stream on all presets, bit for bit', async () => {
    const results = kernelResults(PRESET_NAMES.map((preset) => resolveConfig({ preset })));
    for (const [index, preset] of PRESET_NAMES.entries()) {
      // β₁ of `plain` leaves the range of float64.
      if (preset === 'plain') expect(results.get(index)).toBeUndefined();
      else expect(results.get(index), preset).toEqual(await streamed({ preset }));
    }
  });

  test('gives the summary of the stream on any run that it takes, beside any other', async () => {
    const outcomes = new Map<string, number>();
    const count = (kind: string) => outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
    await fc.assert(
      fc.asyncProperty(fc.array(runs, { minLength: 1, maxLength: 6 }), async (all) => {
        const results = kernelResults(all.map((options) => resolveConfig(options)));
        for (const [index, options] of all.entries()) {
          const result = results.get(index);
          count(result?.summary.outcome ?? 'not taken');
          if (!result) continue;
          if (result.summary.trusted_until !== null) count('chaotic');
          expect(result).toEqual(await streamed(options));
        }
      }),
      { numRuns: 450 },
    );
    for (const kind of [
      'diverged',
      'gradient-flow',
      'sharpening',
      'converged',
      'edge-of-stability',
      'chaotic',
      'not taken',
    ]) {
      expect(outcomes.get(kind) ?? 0, kind).toBeGreaterThan(5);
    }
  });

  test('sees digits that are lost on the way down and up from a wide swing', async () => {
    const options: RunOptions = {
      lambda2: 0.33369473589419985,
      eta: 0.033634143780268674,
      init: [0.4424283422064036, 0.03808767055161297, 0.2405577772296965],
      floor: 1e-60,
      steps: 3000,
    };
    const result = kernelResults([resolveConfig(options)]).get(0);
    expect(result).toEqual(await streamed(options));
    // The last step at 1.4 τ is 286.
    expect(result!.summary.trusted_until).toBe(1677);
  });

  test.each([
    // α keeps what the wide swing has left of its digits, and β₁ loses more at each of 2,500 steps.
    [
      2957,
      {
        lambda2: 0.20107613167507302,
        eta: 0.0334542749486773,
        init: [0.49630983155984565, -0.04713859828477767, 0.3773961625007466],
        floor: 2.578235872810194e-83,
        steps: 3000,
      },
    ],
    // Few digits are left, and L̂ passes 0 behind the edge phase.
    [
      2321,
      {
        lambda2: 0.21163412601958959,
        eta: 0.04639171027140553,
        init: [0.6485488994194821, 0.005001460411640624, 0.13376996037797745],
        floor: 1.5476856655816606e-56,
        steps: 3000,
      },
    ],
  ])(
    'sees digits that are lost long behind the last wide swing, at step %d',
    async (until, options) => {
      const result = kernelResults([resolveConfig(options)]).get(0);
      expect(result).toEqual(await streamed(options));
      expect(result!.summary.trusted_until).toBe(until);
    },
  );

  test('leaves to the general way what it does not take, in the order of the runs', async () => {
    const all: RunOptions[] = [
      { covariance: 0.01 },
      { steps: 3000 },
      { lambda1: 1, lambda2: 0.9 },
      { preset: 'plain' },
      { samples: 20, seed: 3, steps: 2000 },
      { optimizer: 'momentum', steps: 2000 },
      { steps: 50 },
      { precision: '80', steps: 60 },
      { preset: 'three-phases' },
    ];
    const results = [...runsToResults(all.map((options) => resolveConfig(options)))];
    for (const [i, options] of all.entries())
      expect(results[i]!.result, String(i)).toMatchObject(await streamed(options));
  });

  test('tells of all rows but those of the last blocks, and gives up when told to', () => {
    const asked: number[] = [];
    const stop = (rows: number) => asked.push(rows) < 3;
    const long = resolveConfig({ steps: 1e8 });
    expect(runToResult(long, stop)).toBeUndefined();
    expect(asked).toEqual([2 ** 20, 2 ** 20, 2 ** 20]);

    asked.length = 0;
    expect([...runsToResults([long, long], stop)]).toEqual([]);
    expect(asked).toEqual([2 ** 21, 2 ** 21, 2 ** 21]);

    let told = 0;
    const configs = [3e6, 5, 2e6, 1e6].map((steps) => resolveConfig({ steps }));
    const add = (rows: number) => {
      told += rows;
      return true;
    };
    for (const run of runsToResults(configs, add)) told -= run.told;
    expect(told).toBe(0);
  });
});

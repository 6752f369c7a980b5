import fc from 'fast-check';
import { lastValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { type RunOptions, resolveConfig } from '../../src/pipeline/models/minimal/config.ts';
import { PRESET_NAMES } from '../../src/pipeline/models/minimal/presets/index.ts';
import { classifySharpness } from '../../src/pipeline/operators/classify-sharpness.ts';
import { detectPhases } from '../../src/pipeline/operators/detect-phases.ts';
import { flowSolution } from '../../src/pipeline/operators/flow-solution.ts';
import { splitLoss } from '../../src/pipeline/operators/split-loss.ts';
import { summarize } from '../../src/pipeline/operators/summarize.ts';
import { gradientDescent } from '../../src/pipeline/sources/descent/gradient-descent.ts';
import { runToResult } from '../../src/pipeline/sweep/run-result.ts';
import { openSweep, runId, sweepSpec } from '../../src/pipeline/sweep/sweep.ts';

/** The summary of the stream, by the operators that `eos stream` uses. */
async function streamed(options: RunOptions) {
  const steps = gradientDescent(options).pipe(
    splitLoss(),
    classifySharpness(),
    flowSolution(),
    detectPhases(),
    summarize(),
  );
  const { run, columns, length } = await lastValueFrom(steps);
  return { summary: run.summary, finalSharpness: columns.sharpness![length - 1] };
}

describe('a run without a stream', () => {
  test.each([...PRESET_NAMES])(
    'has the summary of the preset %s to the last bit',
    async (preset) => {
      const result = runToResult(resolveConfig({ preset }))!;
      const { summary, finalSharpness } = await streamed({ preset });
      expect(result.summary).toEqual(summary);
      expect(Object.is(result.finalSharpness, finalSharpness)).toBe(true);
    },
  );

  test.each([
    { optimizer: 'momentum', momentum: 0.5 },
    { optimizer: 'nesterov', momentum: 0.9 },
    { init: [1e-323, -0.09, 0], floor: 0, eta: 0.3, steps: 3 },
  ] satisfies RunOptions[])('has the summary of %o to the last bit', async (options) => {
    const result = runToResult(resolveConfig(options))!;
    const { summary, finalSharpness } = await streamed(options);
    expect(result.summary).toEqual(summary);
    expect(Object.is(result.finalSharpness, finalSharpness)).toBe(true);
  });

  test('has the summary of any run to the last bit', async () => {
    const options = fc.record({
      eta: fc.double({ min: 0.005, max: 0.6, noNaN: true }),
      lambda2: fc.double({ min: 1e-3, max: 1, noNaN: true }),
      covariance: fc.constantFrom(0, 0, 0.01),
      samples: fc.constantFrom(null, null, 30),
      seed: fc.integer({ min: 0, max: 99 }),
      floor: fc.constantFrom(0, 1e-6, 1e-3),
      steps: fc.integer({ min: 0, max: 6000 }),
      init: fc.tuple(
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.double({ min: -0.5, max: 0.5, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(options, async (run) => {
        const result = runToResult(resolveConfig(run))!;
        const { summary, finalSharpness } = await streamed(run);
        expect(result.summary).toEqual(summary);
        expect(Object.is(result.finalSharpness, finalSharpness)).toBe(true);
      }),
      {
        numRuns: 60,
        examples: [
          // β₁ starts below the range of normal numbers, with correlated features: batches must not
          // matter.
          [
            {
              eta: 0.0231,
              lambda2: 0.998,
              covariance: 0,
              samples: 30,
              seed: 0,
              floor: 0,
              steps: 4749,
              init: [2.2e-148, 5e-324, 0],
            },
          ],
        ],
      },
    );
  });

  test('S∞ at the start is that of the first row, also where the first step diverges', () => {
    const config = resolveConfig({ eta: 1e6, steps: 10 });
    const { summary, startSolutionSharpness } = runToResult(config)!;
    expect(summary.last_step).toBeLessThan(10);
    // λ₁·α∞² with Q = α² − β₁² − β₂² = −0.01: α∞² = 2/(√(Q² + 4) − Q).
    expect(startSolutionSharpness).toBeCloseTo((100 * 2) / (Math.sqrt(0.0001 + 4) + 0.01), 9);
  });

  test('is given up when asked to', () => {
    let batches = 0;
    expect(
      runToResult(resolveConfig({ steps: 1_000_000_000 }), () => ++batches < 3),
    ).toBeUndefined();
    expect(batches).toBe(3);
  });
});

test('a sweep in many bits has the true summaries, and an identity of its own', () => {
  const grid = { preset: 'three-phases', eta: '1/7', steps: '4000' } as const;
  const [plain, precise] = [sweepSpec(grid), sweepSpec({ ...grid, precision: 'auto' })].map(
    openSweep,
  );
  expect(precise!.id).not.toBe(plain!.id);
  const { summary, config } = runToResult(precise!.config(0))!;
  expect(summary).toMatchObject({ cycles: 36, trusted_until: null, precision: 512 });
  expect(runId(config)).not.toBe(runId(plain!.config(0)));
  expect(runToResult(plain!.config(0))!.summary.trusted_until).toBeLessThan(600);
  expect(precise!.has(plain!.config(0))).toBe(false);
});

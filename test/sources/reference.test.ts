import { readdirSync, readFileSync } from 'node:fs';
import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import {
  classifySharpness,
  detectPhases,
  flowSolution,
  gradientDescent,
  type RunOptions,
  type RunSummary,
  type Step,
  splitLoss,
  summarize,
  toSteps,
} from '../../src/pipeline/index.ts';
import { PRESET_NAMES, presets } from '../../src/pipeline/models/minimal/presets.ts';

interface Reference {
  readonly case: {
    readonly name: string;
    readonly lambda1: number;
    readonly lambda2: number;
    readonly s12?: number;
    readonly eta: string;
    readonly init: readonly number[];
    readonly floor: number;
    readonly steps: number;
  };
  readonly threshold: number;
  readonly summary: Readonly<Record<string, unknown>>;
  readonly rows: readonly Readonly<Record<string, number | string>>[];
}

const FOLDER = new URL('../reference/', import.meta.url);
const references = readdirSync(FOLDER).map(
  (file) => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Reference,
);

function optionsOf({ case: c }: Reference): RunOptions {
  const { lambda1, lambda2, s12 = 0, eta, init, floor, steps } = c;
  return { lambda1, lambda2, covariance: s12, eta, init, floor, steps };
}

async function computed(options: RunOptions): Promise<{ steps: Step[]; summary: RunSummary }> {
  const run = gradientDescent(options).pipe(
    splitLoss(),
    classifySharpness(),
    flowSolution(),
    detectPhases(),
    summarize(),
  );
  const steps = await lastValueFrom(run.pipe(toSteps(), toArray()));
  const batches = await lastValueFrom(run.pipe(toArray()));
  return { steps, summary: batches[0]!.run.summary! };
}

/** Columns whose residual cancels near zero: an error of 1e-12 of the loss is as good. */
const CANCELLING = new Set(['l2', 'l_hat']);

test('there are eight cases', () => {
  expect(references.map((reference) => reference.case.name).sort()).toEqual([
    'divergent',
    'figure3',
    'gradient-flow',
    'mirrored',
    'paper',
    'plain',
    'sampled',
    'three-phases',
  ]);
});

describe.each(references.map((reference) => [reference.case.name, reference] as const))(
  '%s',
  (name, reference) => {
    const tolerance = name === 'plain' ? 1e-8 : 1e-9;
    const result = computed(optionsOf(reference));

    test('every column of every row agrees with 60-digit arithmetic', async () => {
      const { steps } = await result;
      const wrong: string[] = [];
      let compared = 0;
      for (const row of reference.rows) {
        const step = steps[row.step as number] as
          | Readonly<Record<string, number | string>>
          | undefined;
        for (const [column, expected] of Object.entries(row)) {
          const actual = step?.[column];
          compared++;
          if (typeof expected === 'string' || column === 'step' || column === 'cycle') {
            if (actual !== expected)
              wrong.push(`${column} at ${row.step}: ${actual}, expected ${expected}`);
            continue;
          }
          const allowed = Math.max(
            tolerance * Math.abs(expected),
            CANCELLING.has(column) ? 1e-12 * (row.loss as number) : 0,
            1e-300,
          );
          if (!(Math.abs((actual as number) - expected) <= allowed)) {
            wrong.push(`${column} at ${row.step}: ${actual}, expected ${expected}`);
          }
        }
      }
      expect(compared).toBe(reference.rows.length * 17);
      expect(wrong).toEqual([]);
    });

    test('the summary agrees', async () => {
      const { summary, steps } = await result;
      const { l_hat_slope, l_hat_slope_predicted, mean_l1_in_eos, mean_l1_predicted, ...rest } =
        reference.summary;
      for (const [key, expected] of Object.entries(rest)) {
        const actual = summary[key as keyof RunSummary];
        if (key === 'max_sharpness_ratio') {
          expect(Math.abs((actual as number) / (expected as number) - 1)).toBeLessThan(tolerance);
        } else {
          expect({ [key]: actual }).toEqual({ [key]: expected });
        }
      }
      expect(summary.final_loss).toBe(steps.at(-1)!.loss);
      const fits = { l_hat_slope, l_hat_slope_predicted, mean_l1_in_eos, mean_l1_predicted };
      for (const [key, expected] of Object.entries(fits)) {
        const actual = summary[key as keyof RunSummary] as number | null;
        if (expected === undefined) expect({ [key]: actual }).toEqual({ [key]: null });
        else expect(Math.abs(actual! / (expected as number) - 1), key).toBeLessThan(1e-9);
      }
    });

    const preset = PRESET_NAMES.find((each) => each === name);
    if (preset) {
      test('is what the preset runs', () => {
        const [numerator, denominator] = reference.case.eta.split('/').map(Number);
        const { lambda1, lambda2, init, floor, steps } = reference.case;
        expect(presets[preset]).toEqual({
          lambda1,
          lambda2,
          init,
          floor,
          steps,
          eta: numerator! / denominator!,
        });
      });
    }
  },
);

test('plain falls to 10^−535 and comes back, and tells where float64 would have lost it', async () => {
  const { steps, summary } = await computed({ preset: 'plain' });
  const logs = steps.map((step) => step.log10_abs_beta1);
  expect(Math.min(...logs)).toBeCloseTo(-535, 0);
  expect(logs.at(-1)!).toBeGreaterThan(-160);
  expect(steps.filter((step) => step.beta1 === 0).length).toBeGreaterThan(100);
  expect(summary.warnings).toMatchObject([{ kind: 'float64-underflow', step: 2975 }]);
});

test('paper without the floor diverges at step 4844, where naive float64 would seem to converge to 2.48 × 2/η', async () => {
  const { steps, summary } = await computed({ preset: 'paper', floor: 0 });
  expect(Math.min(...steps.map((step) => step.log10_abs_beta1))).toBeCloseTo(-1066, 0);
  expect(summary).toMatchObject({ outcome: 'diverged', diverged_at: 4844 });
  expect(summary.warnings[0]!.message).toContain('2.48 × 2/η');

  // The naive run itself, as one would write it.
  let [alpha, beta1, beta2] = [0.3, 0.1, 0.3];
  let zeroAt: number | null = null;
  for (let t = 0; t < 400_000; t++) {
    const r = alpha * beta2 - 1;
    const gradAlpha = 100 * alpha * beta1 * beta1 + 0.01 * beta2 * r;
    const gradBeta2 = 0.01 * alpha * r;
    beta1 *= 1 - 0.05 * (100 * (alpha * alpha));
    alpha -= 0.05 * gradAlpha;
    beta2 -= 0.05 * gradBeta2;
    if (beta1 === 0) zeroAt ??= t + 1;
  }
  expect(summary.warnings[0]!.step).toBe(zeroAt);
  expect((0.05 * 100 * alpha * alpha) / 2).toBeCloseTo(2.48, 2);
});

test('mirrored is the mirror image of three-phases, digit for digit', async () => {
  const straight = await computed({ preset: 'three-phases', steps: 4000 });
  const mirrored = await computed({ preset: 'three-phases', steps: 4000, init: [-0.3, 0.1, -0.3] });
  expect(mirrored.steps.length).toBe(4001);
  mirrored.steps.forEach((step, t) => {
    const image = straight.steps[t]!;
    expect(step).toEqual({ ...image, alpha: -image.alpha, beta2: -image.beta2 });
  });
});

test('T(0.01, 1e-8) of three-phases is 7691', async () => {
  const { summary } = await computed({ preset: 'three-phases' });
  expect(summary.convergence_time).toEqual({ delta: 0.01, epsilon: 1e-8, step: 7691 });
});

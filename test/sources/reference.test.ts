import { describe, expect, test } from 'vitest';
import { PRESET_NAMES, presets } from '../../src/pipeline/models/minimal/presets/index.ts';
import { computed, optionsOf, references, summaryDifferences, wrongCells } from './references.ts';

test('there are fifteen cases', () => {
  expect(references.map((reference) => reference.case.name).sort()).toEqual([
    'chaotic-convergent',
    'chaotic-divergent',
    'chaotic-edge',
    'covariance-unprojected',
    'divergent',
    'factor-zero',
    'figure3',
    'gradient-flow',
    'mirrored',
    'nearly-chaotic',
    'paper',
    'plain',
    'sampled',
    'sampled-negative',
    'three-phases',
  ]);
});

describe.each(references.map((reference) => [reference.case.name, reference] as const))(
  '%s in float64',
  (name, reference) => {
    const result = computed(optionsOf(reference));

    test('every column of every trusted row agrees with the true run', async () => {
      const { steps, summary } = await result;
      const last = summary.trusted_until ?? Number.POSITIVE_INFINITY;
      const rows = reference.rows.filter(({ step }) => (step as number) <= last);
      const allowed = (step: number) =>
        summary.trusted_until === null ? 1e-9 : Math.max(1e-9, 30 * 10 ** -steps[step]!.digits!);
      expect(rows.length).toBeGreaterThan(1);
      expect(wrongCells(steps, rows, allowed)).toEqual([]);
    });

    test('the summary agrees where every row is trusted', async () => {
      const { steps, summary } = await result;
      expect(summary.precision).toBe('float64');
      expect(summary.final_loss).toBe(steps.at(-1)!.loss);
      const chaotic = summary.warnings.filter(({ kind }) => kind === 'chaotic');
      expect(chaotic.map(({ step }) => step)).toEqual(
        summary.trusted_until === null ? [] : [summary.trusted_until],
      );
      if (summary.trusted_until === null) {
        expect(summaryDifferences(summary, reference, 1e-9)).toEqual([]);
      }
    });

    const preset = PRESET_NAMES.find((each) => each === name);
    if (preset) {
      test('is what the preset runs', () => {
        const [numerator, denominator] = String(reference.case.eta).split('/').map(Number);
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

test.each([
  ['chaotic-convergent', 591],
  ['nearly-chaotic', 593],
  ['chaotic-divergent', 1346],
])('float64 knows how far it can be trusted: %s', async (name, horizon) => {
  const reference = references.find((each) => each.case.name === name)!;
  const { summary } = await computed(optionsOf(reference));
  expect(summary.trusted_until! / horizon).toBeGreaterThan(0.7);
  expect(summary.trusted_until! / horizon).toBeLessThan(1.1);
});

test('plain falls to 10^−535 and comes back, and tells where float64 loses it', async () => {
  const { steps, summary } = await computed({ preset: 'plain' });
  const logs = steps.map((step) => step.log10_abs_beta1);
  expect(Math.min(...logs)).toBeCloseTo(-535, 0);
  expect(logs.at(-1)!).toBeGreaterThan(-160);
  expect(steps.filter((step) => step.beta1 === 0).length).toBeGreaterThan(100);
  expect(summary.warnings).toMatchObject([{ kind: 'float64-underflow', step: 2975 }]);
});

test('paper without the floor diverges at step 4844, where naive float64 converges', async () => {
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

import { lastValueFrom, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import type { PresetName } from '../../../src/pipeline/models/minimal/presets/index.ts';
import { classifySharpness } from '../../../src/pipeline/operators/classify-sharpness.ts';
import { detectPhases } from '../../../src/pipeline/operators/detect-phases.ts';
import { splitLoss } from '../../../src/pipeline/operators/split-loss.ts';
import { summarize } from '../../../src/pipeline/operators/summarize.ts';
import { gradientDescent } from '../../../src/pipeline/sources/descent/gradient-descent.ts';
import { detectLog, ndjson } from './read-log.ts';
import { generator, normal } from './small-network.ts';

interface ExactRun {
  readonly loss: Float64Array;
  readonly sharpness: Float64Array;
  readonly eta: number;
  readonly phases: readonly { readonly phase: string; readonly first_step: number }[];
}

const runs = new Map<PresetName, Promise<ExactRun>>();

/** A run of the model, with the phases of the exact detector. */
function exactRun(preset: PresetName): Promise<ExactRun> {
  const known = runs.get(preset);
  if (known) return known;
  const made = (async () => {
    const batches = await lastValueFrom(
      gradientDescent({ preset }).pipe(
        splitLoss(),
        classifySharpness(),
        detectPhases(),
        summarize(),
        toArray(),
      ),
    );
    const length = batches.reduce((sum, batch) => sum + batch.length, 0);
    const loss = new Float64Array(length);
    const sharpness = new Float64Array(length);
    let at = 0;
    for (const batch of batches) {
      loss.set(batch.columns.loss, at);
      sharpness.set(batch.columns.sharpness!, at);
      at += batch.length;
    }
    const { run } = batches[0]!;
    return { loss, sharpness, eta: run.config.eta, phases: run.summary!.phases };
  })();
  runs.set(preset, made);
  return made;
}

const cases = (['paper', 'figure3', 'three-phases', 'gradient-flow', 'plain'] as const).flatMap(
  (preset) =>
    [1, 5, 10, 20].flatMap((every) =>
      [0, 0.02].flatMap((noise) =>
        (noise === 0 ? [1] : [1, 2, 3]).map((seed) => ({ preset, every, noise, seed })),
      ),
    ),
);

test.each(cases)(
  '$preset, every $every steps, noise $noise, seed $seed: phases as of the exact detector',
  async ({ preset, every, noise, seed }) => {
    const { loss, sharpness, eta, phases } = await exactRun(preset);
    const random = generator(1000 * seed + every);
    const columns: Record<'step' | 'loss' | 'sharpness', number[]> = {
      step: [],
      loss: [],
      sharpness: [],
    };
    for (let t = 0; t < loss.length; t += every) {
      columns.step.push(t);
      columns.loss.push(loss[t]!);
      columns.sharpness.push(sharpness[t]! * (1 + noise * normal(random)));
    }
    const { summary } = await detectLog(ndjson(columns), { eta });
    expect(summary.phases.map(({ phase }) => phase)).toEqual(phases.map(({ phase }) => phase));
    const tolerance = loss.length / (noise === 0 ? 100 : 50);
    phases.forEach(({ first_step }, i) => {
      expect(Math.abs(summary.phases[i]!.first_step - first_step)).toBeLessThanOrEqual(tolerance);
    });
  },
);

test('without noise, cycles are counted as the exact detector counts them', async () => {
  const { loss, sharpness, eta } = await exactRun('paper');
  const step = Float64Array.from(loss, (_, t) => t);
  const { summary } = await detectLog(ndjson({ step, loss, sharpness }), { eta });
  expect(summary.cycles).toBe(25);
  expect(summary.first_crossing).toBe(2015);
  expect(summary.spike_count).toBe(25);
});

test.each([5, 50])('a sharpness measured every %d-th step is enough', async (k) => {
  const { loss, sharpness, eta } = await exactRun('paper');
  const step = Float64Array.from(loss, (_, t) => t);
  const rare = sharpness.map((s, t) => (t % k === 0 ? s : Number.NaN));
  const { summary, rows } = await detectLog(ndjson({ step, loss, sharpness: rare }), { eta });
  expect(summary.phases.map(({ phase }) => phase)).toEqual([
    'progressive-sharpening',
    'edge-of-stability',
  ]);
  expect(Math.abs(summary.first_crossing! - 2015)).toBeLessThanOrEqual(100);
  expect(summary.measured).toBe(Math.ceil(loss.length / k));
  expect(rows.sharpness!.filter((s) => !Number.isNaN(s))).toHaveLength(summary.measured);
});

test('without any sharpness there is no edge, though spikes, which is said', async () => {
  const { loss } = await exactRun('paper');
  const step = Float64Array.from(loss, (_, t) => t);
  const { summary, rows } = await detectLog(ndjson({ step, loss }));
  expect(summary.phases.map(({ phase }) => phase)).toEqual(['descent']);
  expect(summary.outcome).toBe('unknown');
  expect(summary.first_crossing).toBeNull();
  expect(summary.spike_count).toBe(25);
  expect(summary.max_sharpness_ratio).toBeNull();
  expect(summary.warnings.find(({ kind }) => kind === 'loss-only')?.message).toContain(
    'cannot be told from the loss alone',
  );
  expect(rows.sharpness_ratio!.every(Number.isNaN)).toBe(true);
});

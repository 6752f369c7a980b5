import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../src/pipeline/models/minimal/config.ts';
import { PRESET_NAMES } from '../../src/pipeline/models/minimal/presets/index.ts';
import { partPlan, partRange } from '../../src/pipeline/sweep/parts.ts';
import { openSweep, runId, type SweepOptions, sweepSpec } from '../../src/pipeline/sweep/sweep.ts';

const sweepOf = (options: SweepOptions) => openSweep(sweepSpec(options));

describe('a sweep', () => {
  test('is the product of its axes, each run once', () => {
    const sweep = sweepOf({
      eta: '0.01:0.5:log:7',
      lambda2: '0.01,0.1',
      samples: '50',
      seed: '0..4',
      steps: '10',
    });
    expect(sweep.runs).toBe(70);
    const configs = Array.from({ length: sweep.runs }, (_, i) => sweep.config(i));
    expect(new Set(configs.map(runId)).size).toBe(70);
    expect(new Set(configs.map(({ eta }) => eta)).size).toBe(7);
    expect(configs.every((config) => sweep.has(config))).toBe(true);
    expect(sweep.has(resolveConfig())).toBe(false);
  });

  test('a run has the parameters, and so the identity, that eos stream would give it', () => {
    const sweep = sweepOf({ preset: 'three-phases', eta: '1/20,1/12', steps: '100' });
    const { preset: _, ...expected } = resolveConfig({
      preset: 'three-phases',
      eta: '1/12',
      steps: 100,
    });
    expect(sweep.config(1)).toEqual({ ...expected, preset: null });
    expect(runId(sweep.config(1))).toBe(
      runId(resolveConfig({ preset: 'three-phases', eta: '1/12', steps: 100 })),
    );
  });

  test('a run has the same parameters, whichever runs were asked for before', () => {
    const axes: fc.Arbitrary<SweepOptions> = fc.constantFrom<SweepOptions>(
      { eta: '0.01:0.5:log:7', lambda2: '0.01,0.1', samples: '50', seed: '0..4', steps: '10' },
      { alpha: '0.1:0.5:lin:5', beta1: '0.01,0.1', covariance: '0,0.1', delta: '0.01,0.1' },
      { init: '0.3,0.1,0.3;0.6,0.01,0.6', floor: '0,1e-6', epsilon: '1e-3,1e-6' },
      { momentum: '0,0.5,0.9', eta: '0.01,0.02', floor: '1e-6' } as SweepOptions,
      { beta2: '1,2', precision: '128', eta: '0.01,0.02' },
    );
    fc.assert(
      fc.property(axes, fc.array(fc.nat(), { maxLength: 12 }), (options, numbers) => {
        const spec = sweepSpec(options);
        const sweep = openSweep(spec);
        for (const number of numbers) {
          const run = number % sweep.runs;
          expect(sweep.config(run)).toEqual(openSweep(spec).config(run));
        }
      }),
    );
    // Values that each go with others need not go together.
    const { config } = openSweep({
      axes: { ...sweepSpec({}).axes, lambda2: '0.001,1', covariance: '0.01,0.5' },
      trajectories: null,
    });
    expect([config(0), config(3)].map(({ covariance }) => covariance)).toEqual([0.01, 0.5]);
    expect(() => config(1)).toThrow(/^covariance: 0.5 is out of range/);
  });

  test('does not depend on how it was said', () => {
    const a = sweepSpec({ eta: '1/20', lambda2: '0.01', steps: '100' });
    const b = sweepSpec({ preset: 'paper', steps: '100' });
    expect(openSweep(a).id).toBe(openSweep(b).id);
    expect(openSweep(sweepSpec({ preset: 'paper', steps: '101' })).id).not.toBe(openSweep(a).id);
    expect(openSweep(sweepSpec({ preset: 'paper', steps: '100', trajectories: 5 })).id).not.toBe(
      openSweep(a).id,
    );
  });

  test('survives being written as JSON', () => {
    const spec = sweepSpec({
      eta: '0.01:0.5:log:7',
      init: '0.3,0.1,0.3;0.6,0.01,0.6',
      floor: '0,1e-6',
    });
    const again = openSweep(JSON.parse(JSON.stringify(spec)));
    expect(again.id).toBe(openSweep(spec).id);
    expect(again.config(17)).toEqual(openSweep(spec).config(17));
  });

  test('sweeps over parts of a start, and over whole starts, but not over both', () => {
    const parts = sweepOf({ alpha: '0.1:0.5:lin:5', beta1: '0.01,0.1' });
    expect(parts.runs).toBe(10);
    expect(parts.config(3).init).toEqual([0.2, 0.1, 0.3]);
    const starts = sweepOf({ init: '0.3,0.1,0.3;0.6,0.01,0.6', eta: '0.05,0.1' });
    expect(starts.config(2)).toMatchObject({ eta: 0.1, init: [0.3, 0.1, 0.3] });
    expect(() => sweepOf({ init: '0.3,0.1,0.3;0.6,0.01,0.6', alpha: '0.1,0.2' })).toThrow(
      /do not go together/,
    );
    expect(sweepOf({ init: '0.6,0.01,0.6', alpha: '0.1,0.2' }).config(0).init).toEqual([
      0.1, 0.01, 0.6,
    ]);
  });

  test.each<[SweepOptions, RegExp]>([
    [{ eta: '0.1,-0.1' }, /^eta: -0.1 is not a positive number/],
    [{ covariance: '0.5,2' }, /^covariance: 2 is out of range/],
    [{ covariance: '0.5', lambda2: '0.001,1' }, /^covariance: 0.5 is out of range/],
    [{ beta2: '1,1e200' }, /^init: the loss/],
    [{ trajectories: 0 }, /^trajectories/],
    [
      { seed: '0..1000000', steps: '0..1000000', eta: '0.1:0.2:lin:1000000' },
      /more than can be numbered/,
    ],
  ])('refuses %j', (options, message) => {
    expect(() => sweepSpec(options)).toThrow(message);
  });

  test('a huge sweep is counted, not listed', () => {
    expect(sweepOf({ eta: '0.01:0.5:log:1000000', lambda2: '0.001:1:log:1000000' }).runs).toBe(
      1e12,
    );
  });

  test('every preset can be swept', () => {
    for (const preset of PRESET_NAMES) expect(sweepOf({ preset }).runs).toBe(1);
  });
});

describe('partPlan', () => {
  test('its parts cover each run once, in files that stay few', () => {
    const axis = fc.integer({ min: 1, max: 5000 });
    fc.assert(
      fc.property(axis, axis, fc.integer({ min: 0, max: 100_000_000 }), (etas, seeds, steps) => {
        const text = {
          eta: etas === 1 ? '0.1' : `0.01:0.5:log:${etas}`,
          seed: `0..${seeds - 1}`,
          steps: String(steps),
        };
        const sweep = sweepOf(text);
        const plan = partPlan(sweep);
        expect(partRange(sweep, plan, 0)[0]).toBe(0);
        expect(partRange(sweep, plan, plan.count - 1)[1]).toBe(sweep.runs);
        const [from, to] = partRange(sweep, plan, plan.count >> 1);
        expect(to - from).toBeGreaterThan(0);
        expect(to - from).toBeLessThanOrEqual(plan.size);
        if (steps < 8_000_000) expect(plan.count).toBeLessThanOrEqual(4096 + 1);
        if (sweep.runs >= 24 && steps > 100_000) expect(plan.count).toBeGreaterThanOrEqual(24);
      }),
      { numRuns: 20 },
    );
  });
});

import { lastValueFrom, type MonoTypeOperatorFunction, map, type Observable, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { blocks } from '../../src/pipeline/core/operator.ts';
import {
  classifySharpness,
  detectPhases,
  flowSolution,
  gradientDescent,
  type ModelBatch,
  phaseLog,
  type RunEvent,
  splitLoss,
  summarize,
  thin,
  toSteps,
} from '../../src/pipeline/index.ts';
import { resolveConfig } from '../../src/pipeline/models/minimal/config.ts';
import type { SourceBatch } from '../../src/pipeline/models/minimal/run.ts';
import { standardOperators } from '../../src/pipeline/operators/standard.ts';
import { descentRows } from '../../src/pipeline/sources/descent/descent-rows.ts';

const run = gradientDescent({ preset: 'three-phases', steps: 3500 }, { batchSize: 500 });
const chain = run.pipe(splitLoss(), classifySharpness(), flowSolution(), detectPhases());
const rows = <T>(
  source: Observable<ModelBatch>,
  pick: (batch: ModelBatch) => ArrayLike<T> | undefined,
) =>
  lastValueFrom(
    source.pipe(
      map((batch) => Array.from(pick(batch) ?? [])),
      toArray(),
    ),
  ).then((parts) => parts.flat());

describe('each operator', () => {
  test.each([
    ['splitLoss', splitLoss(), ['l1', 'l2', 'l_hat']],
    ['classifySharpness', classifySharpness(), ['sharpness', 'sharpness_ratio', 'regime']],
    ['flowSolution', flowSolution(), ['balance', 'gfs_sharpness']],
  ] as [string, MonoTypeOperatorFunction<ModelBatch>, (keyof ModelBatch['columns'])[]][])(
    '%s is usable alone, and gives what it gives in the chain',
    async (_name, operator, columns) => {
      for (const column of columns) {
        const alone = await rows<number>(run.pipe(operator), (batch) => batch.columns[column]);
        const inChain = await rows<number>(chain, (batch) => batch.columns[column]);
        expect(alone.length).toBe(3501);
        expect(alone).toEqual(inChain);
      }
    },
  );

  test('says before step 0 which operator would add the column that it lacks', async () => {
    const untyped = detectPhases() as unknown as MonoTypeOperatorFunction<SourceBatch>;
    await expect(rows(run.pipe(untyped), (batch) => batch.columns.step)).rejects.toThrow(
      'detectPhases() needs the column sharpness; put classifySharpness() before it',
    );
    // @ts-expect-error the types say the same
    run.pipe(detectPhases());
  });

  test('reads S∞ where it is there, and gives the same without it', async () => {
    const alone = run.pipe(classifySharpness(), detectPhases());
    expect(await rows<number>(alone, (batch) => batch.columns.phase)).toEqual(
      await rows<number>(chain, (batch) => batch.columns.phase),
    );
  });

  test('as a plain loop gives the digits of the stream', async () => {
    const source = descentRows(resolveConfig({ preset: 'three-phases', steps: 3500 }));
    const looped: number[] = [];
    for (const { columns, length } of blocks(source, standardOperators(), 512)) {
      for (let i = 0; i < length; i++) looped.push(columns.cycle![i]!, columns.l_hat![i]!);
    }
    const streamed = await rows<number>(chain, ({ columns: { cycle, l_hat } }) =>
      Array.from(cycle!, (number, i) => [number, l_hat![i]!]).flat(),
    );
    expect(looped).toEqual(streamed);
    const last = await lastValueFrom(chain.pipe(summarize()));
    expect(source.run.summary).toEqual(last.run.summary);
  });

  test('has a state of its own in each subscription', async () => {
    const phases = () => rows<number>(chain, (batch) => batch.columns.cycle);
    const [first, second] = await Promise.all([phases(), phases()]);
    expect(first).toEqual(second);
    expect(first.at(-1)).toBe(16);
    expect(await phases()).toEqual(first);
  });

  test('leaves the batch that it was given alone', async () => {
    const seen: [ModelBatch, string[]][] = [];
    const noted = run.pipe(
      map((batch) => {
        seen.push([batch, Object.keys(batch.columns)]);
        return batch;
      }),
    );
    await lastValueFrom(noted.pipe(splitLoss(), classifySharpness(), detectPhases()));
    for (const [batch, columns] of seen) expect(Object.keys(batch.columns)).toEqual(columns);
  });

  test('passes errors on', async () => {
    const failing = run.pipe(
      map((batch) => {
        if (batch.columns.step[0]! > 1000) throw new Error('broken source');
        return batch;
      }),
    );
    const all = failing.pipe(
      splitLoss(),
      classifySharpness(),
      flowSolution(),
      detectPhases(),
      summarize(),
      thin(10),
    );
    await expect(lastValueFrom(all)).rejects.toThrow('broken source');
  });
});

describe('detectPhases', () => {
  test('is causal: a longer run begins with the labels of a shorter one', async () => {
    const longer = await rows<number>(chain, (batch) => batch.columns.phase);
    for (const steps of [0, 201, 202, 300, 2854, 2855]) {
      const shorter = gradientDescent({ preset: 'three-phases', steps }).pipe(
        classifySharpness(),
        detectPhases(),
      );
      expect(await rows<number>(shorter, (batch) => batch.columns.phase)).toEqual(
        longer.slice(0, steps + 1),
      );
    }
  });

  test('starts at the edge where the run starts over 2/η, in cycle 1', async () => {
    const [first] = await lastValueFrom(
      gradientDescent({ preset: 'paper', eta: 1 / 2, floor: 0 }).pipe(
        classifySharpness(),
        detectPhases(),
        toSteps(),
        toArray(),
      ),
    );
    expect(first).toMatchObject({ phase: 'eos-self-stabilization', cycle: 1 });
  });

  test('starts in convergence where the run starts at a flat minimum', async () => {
    const minimum = gradientDescent({ eta: 0.015, init: [1, 0, 1], floor: 0, steps: 3 });
    const phases = await lastValueFrom(
      minimum.pipe(classifySharpness(), detectPhases(), toSteps(), toArray()),
    );
    expect(phases.map((step) => step.phase)).toEqual(Array(4).fill('convergence'));
  });
});

describe('toSteps', () => {
  test('gives one object a row, words for codes', async () => {
    const steps = await lastValueFrom(chain.pipe(toSteps(), toArray()));
    expect(steps.length).toBe(3501);
    expect(steps[0]).toMatchObject({
      step: 0,
      alpha: 0.3,
      regime: 'stable',
      phase: 'progressive-sharpening',
      cycle: 0,
    });
    expect(Object.keys(steps[0]!).length).toBe(18);
    expect(Object.keys((await lastValueFrom(run.pipe(toSteps())))!)).not.toContain('phase');
  });
});

describe('summarize', () => {
  test('speaks of all steps, thinned or not', async () => {
    const summary = async (every: number) =>
      (await lastValueFrom(chain.pipe(summarize(), thin(every)))).run.summary;
    expect(await summary(100)).toEqual(await summary(1));
    expect((await summary(1))?.phases.map(({ phase }) => phase)).toEqual([
      'progressive-sharpening',
      'edge-of-stability',
      'convergence',
    ]);
  });

  test('warns where rounding seeds the oscillation', async () => {
    const correlated = gradientDescent({ covariance: 0.02, floor: 0, steps: 3000 });
    const { summary } = (
      await lastValueFrom(
        correlated.pipe(splitLoss(), classifySharpness(), detectPhases(), summarize()),
      )
    ).run;
    expect(summary!.first_crossing).not.toBeNull();
    expect(summary!.warnings).toMatchObject([{ kind: 'chaotic', step: summary!.trusted_until }]);
    expect(summary!.trusted_until).toBeLessThan(2400);
  });

  test('warns where β₁ is exactly 0, and S goes over 2/η for good', async () => {
    const still = gradientDescent({ init: [0.3, 0, 0.3], floor: 0, steps: 3000 });
    const { summary } = (
      await lastValueFrom(still.pipe(splitLoss(), classifySharpness(), detectPhases(), summarize()))
    ).run;
    expect(summary!.max_sharpness_ratio).toBeGreaterThan(1.5);
    expect(summary!.warnings).toMatchObject([
      { kind: 'no-oscillation', step: summary!.first_crossing },
    ]);
  });
});

describe('phaseLog', () => {
  test('reports start, phases, cycles and the end, in order', async () => {
    const events: RunEvent[] = [];
    await lastValueFrom(
      chain.pipe(
        summarize(),
        phaseLog((event) => events.push(event)),
      ),
    );
    expect(events[0]).toMatchObject({ event: 'start', step: 0, threshold: 40, steps: 3500 });
    expect(events.filter(({ event }) => event === 'phase')).toMatchObject([
      { step: 0, phase: 'progressive-sharpening' },
      { step: 202, phase: 'edge-of-stability' },
      { step: 2855, phase: 'convergence' },
    ]);
    expect(events.at(-1)).toMatchObject({ event: 'done', outcome: 'converged', cycles: 16 });

    const cycles = events.filter((event) => event.event === 'cycle');
    const [l1, ratio, cycle] = await Promise.all([
      rows<number>(chain, (batch) => batch.columns.l1),
      rows<number>(chain, (batch) => batch.columns.sharpness_ratio),
      rows<number>(chain, (batch) => batch.columns.cycle),
    ]);
    expect(cycles.map((event) => event.cycle)).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
    for (const event of cycles) {
      const inside = (values: readonly number[]) =>
        values.filter((_, t) => cycle[t] === event.cycle);
      expect(event.first_step).toBe(cycle.indexOf(event.cycle));
      expect(event.last_step).toBe(cycle.lastIndexOf(event.cycle));
      expect(event.peak_l1).toBe(Math.max(...inside(l1)));
      expect(l1[event.peak_step]).toBe(event.peak_l1);
      expect(event.overshoot).toBe(Math.max(...inside(ratio)) - 1);
    }
  });

  test('tells where digits end as soon as they do, and doubts what comes behind', async () => {
    const events: RunEvent[] = [];
    await lastValueFrom(
      gradientDescent({ preset: 'three-phases', eta: 1 / 7, steps: 2000 }).pipe(
        splitLoss(),
        classifySharpness(),
        detectPhases(),
        summarize(),
        phaseLog((event) => events.push(event)),
      ),
    );
    const warnings = events.filter((event) => event.event === 'warning');
    expect(warnings).toMatchObject([{ kind: 'chaotic', message: expect.stringContaining('auto') }]);
    const horizon = warnings[0]!.step;
    const cycles = events.filter((event) => event.event === 'cycle');
    expect(cycles.filter(({ trusted }) => trusted !== false).length).toBeGreaterThan(2);
    for (const { trusted, last_step } of cycles) {
      if (last_step < horizon) expect(trusted).toBeUndefined();
      if (last_step > horizon + 1) expect(trusted).toBe(false);
    }
  });

  test('takes no row without an L₁ for the peak of its cycle', async () => {
    const without = (step: number) => step % 7 === 3;
    const events: RunEvent[] = [];
    const some = chain.pipe(
      map((batch) => {
        const { l1, step } = batch.columns;
        const known = l1.map((value, i) => (without(step[i]!) ? Number.NaN : value));
        return { ...batch, columns: { ...batch.columns, l1: known } };
      }),
    );
    await lastValueFrom(some.pipe(phaseLog((event) => events.push(event))));
    const [l1, cycle] = await Promise.all([
      rows<number>(some, (batch) => batch.columns.l1),
      rows<number>(chain, (batch) => batch.columns.cycle),
    ]);
    const cycles = events.filter((event) => event.event === 'cycle');
    expect(cycles).toHaveLength(16);
    for (const event of cycles) {
      if (without(event.first_step)) continue;
      const known = l1.filter((value, t) => cycle[t] === event.cycle && !Number.isNaN(value));
      expect(event.peak_l1).toBe(Math.max(...known));
    }
  });

  test.each([['no-oscillation', { init: [0.3, 0, 0.3], floor: 0, steps: 3000 }]] as const)(
    'warns of %s at the crossing, and once',
    async (kind, options) => {
      const events: RunEvent[] = [];
      await lastValueFrom(
        gradientDescent(options).pipe(
          splitLoss(),
          classifySharpness(),
          detectPhases(),
          summarize(),
          phaseLog((event) => events.push(event)),
        ),
      );
      const at = events.findIndex(
        (event) => event.event === 'phase' && event.phase === 'edge-of-stability',
      );
      expect(events[at + 1]).toMatchObject({
        event: 'warning',
        kind,
        step: (events[at] as { step: number }).step,
      });
      expect(events.filter(({ event }) => event === 'warning')).toHaveLength(1);
    },
  );

  test('warns of float64 underflow when it happens', async () => {
    const events: RunEvent[] = [];
    const plain = gradientDescent({ preset: 'plain' }, { batchSize: 100 });
    await lastValueFrom(
      plain.pipe(
        splitLoss(),
        classifySharpness(),
        flowSolution(),
        detectPhases(),
        summarize(),
        phaseLog((event) => events.push(event)),
      ),
    );
    const warnings = events.filter(({ event }) => event === 'warning');
    expect(warnings).toMatchObject([{ kind: 'float64-underflow', step: 2975 }]);
    expect(events.indexOf(warnings[0]!)).toBeLessThan(
      events.findIndex((event) => 'step' in event && event.step > 3100),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ExplainedSpike } from '../../../src/pipeline/phases/measured/spike-cause.ts';
import { spikeCauseText } from '../../../src/pipeline/phases/measured/spike-text.ts';
import { detectLog, ndjson } from './read-log.ts';
import { generator, normal } from './small-network.ts';

const STEPS = 400;
const THRESHOLD = 2 / 0.01;
const steps = Array.from({ length: STEPS }, (_, t) => t);

/** Sharpness over threshold that rises to 1 at step 250 and stays a little over it. */
const rising = (t: number) => Math.min(1.04, 0.5 + (0.5 * t) / 250);

/** A log at η = 0.01 whose sharpness is off by so many of its error bars, relative to it. */
function logOf(
  ratio: (t: number) => number,
  error: (t: number) => number,
  off: (t: number) => number = () => 0,
  more: Readonly<Record<string, readonly number[]>> = {},
): string {
  const sharpness = steps.map((t) => THRESHOLD * ratio(t) * Math.exp(off(t) * error(t)));
  return ndjson({
    step: steps,
    loss: steps.map((t) => Math.exp(-t / 200)),
    lr: steps.map(() => 0.01),
    sharpness,
    sharpness_error: steps.map((t) => error(t) * sharpness[t]!),
    ...more,
  });
}

const without = (log: string) => log.replaceAll(/,"sharpness_error":[^,}]*/g, '');

async function edgeOf(log: string): Promise<number | null> {
  return (await detectLog(log)).summary.first_crossing;
}

describe('error bars', () => {
  test('of which many are large and some are small, date the edge by the small ones', async () => {
    const error = (t: number) => (t % 4 === 0 ? 0.001 : 0.4);
    const wrong = { told: [] as number[], guessed: [] as number[] };
    for (let seed = 1; seed <= 9; seed++) {
      const random = generator(seed);
      const off = steps.map(() => normal(random));
      const log = logOf(rising, error, (t) => off[t]!);
      const from = async (text: string) => Math.abs(((await edgeOf(text)) ?? STEPS) - 250);
      wrong.told.push(await from(log));
      wrong.guessed.push(await from(without(log)));
    }
    expect(Math.max(...wrong.told)).toBeLessThanOrEqual(8);
    expect(Math.max(...wrong.guessed)).toBeGreaterThan(40);
  });

  test('that are large leave open what a smooth series only seems to say', async () => {
    const log = logOf(
      (t) => Math.min(1.03, rising(t)),
      () => 0.5,
    );
    expect(await edgeOf(without(log))).toBeGreaterThanOrEqual(245);
    expect(await edgeOf(log)).toBeNull();
  });

  test('let measurements that failed pass', async () => {
    const failed = (t: number) => t >= 100 && t < 110;
    const log = logOf(
      (t) => (failed(t) ? 3 : 0.6 + t / 4000),
      (t) => (failed(t) ? 2 : 0.001),
    );
    expect(await edgeOf(without(log))).toBe(100);
    const { summary } = await detectLog(log);
    expect(summary.outcome).toBe('gradient-flow');
    expect(summary.max_sharpness_ratio).toBeLessThan(0.71);
  });

  test('that are too small for the scatter are not believed', async () => {
    const random = generator(8);
    const off = steps.map(() => 300 * normal(random));
    const log = logOf(
      () => 0.85,
      () => 3e-4,
      (t) => off[t]!,
    );
    expect(await edgeOf(log)).toBeNull();
  });

  test('that say what the scatter says change nothing', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1e6 }), async (seed) => {
        const random = generator(seed);
        const noise = steps.map(() => 0.02 * normal(random));
        const log = logOf(
          (t) => rising(t) * Math.exp(noise[t]!),
          () => 1e-4,
        );
        const [told, guessed] = [await detectLog(log), await detectLog(without(log))];
        expect(told.spans).toEqual(guessed.spans);
      }),
      { numRuns: 5 },
    ));

  test.each([
    ['-1', 'is not a number from 0 up'],
    ['NaN', 'is not a number from 0 up'],
    ['"?"', 'is not a number'],
    ['null', undefined],
  ])('of %s count for none, and the row is used', async (value, reason) => {
    const log = logOf(rising, () => 0.01);
    const broken = log.replaceAll(/"sharpness_error":[^,}]*/g, `"sharpness_error":${value}`);
    const [told, guessed] = [await detectLog(broken), await detectLog(without(log))];
    expect(told.spans).toEqual(guessed.spans);
    expect(told.summary.rows).toBe(STEPS);
    expect(told.summary.skipped).toEqual(
      reason === undefined
        ? []
        : [
            {
              what: 'value',
              reason: `sharpness_error ${reason}`,
              count: STEPS,
              first_line: 1,
            },
          ],
    );
  });

  test('are columns of the file, where the log has them', async () => {
    const { rows, summary } = await detectLog(logOf(rising, () => 0.01));
    expect(rows.sharpness_error![10]).toBeCloseTo(0.01 * rows.sharpness![10]!, 9);
    expect(summary.columns).toMatchObject({ sharpness_error: 'sharpness_error' });
  });
});

describe('batch sharpness', () => {
  const batches = { batch_sharpness: steps.map((t) => THRESHOLD * rising(t)) };
  const log = logOf(
    (t) => 0.7 * rising(t),
    () => 0.001,
    () => 0,
    batches,
  );

  test('is what is compared for SGD', async () => {
    const { summary, rows } = await detectLog(`{"eos":1,"optimizer":"sgd"}\n${log}`);
    expect(summary.columns.sharpness).toBe('batch_sharpness');
    expect(Math.abs(summary.first_crossing! - 250)).toBeLessThanOrEqual(3);
    expect(rows.sharpness).toEqual(batches.batch_sharpness);
    expect(summary.warnings).toEqual([]);
  });

  test('is not for another optimizer, nor where another column was asked for', async () => {
    const adam = await detectLog(`{"eos":1,"optimizer":"adam"}\n${log}`);
    expect(adam.summary.columns.sharpness).toBe('sharpness');
    const asked = await detectLog(`{"eos":1,"optimizer":"sgd"}\n${log}`, {
      columns: { sharpness: 'sharpness' },
    });
    expect(asked.summary.first_crossing).toBeNull();
    expect(asked.summary.warnings.map(({ message }) => message).join()).toContain(
      'it is the batch sharpness that settles at 2/η',
    );
  });

  test('alone is a sharpness, in a table as well', async () => {
    const cells = steps.map((t) => `${t},1,0.01,${batches.batch_sharpness[t]}`);
    const csv = `step,loss,lr,batch_sharpness\n${cells.join('\n')}\n`;
    expect(Math.abs((await edgeOf(csv))! - 250)).toBeLessThanOrEqual(3);
  });
});

describe('energy at the edge', () => {
  /** A loss of 1 that swings up to 5 about step 200, and how much of that lies at the edge. */
  function spiking(share: number, known: (t: number) => boolean = () => true): string {
    const rise = (t: number) => 4 * Math.exp(-(((t - 200) / 8) ** 2));
    const kept = (values: readonly number[]) => values.map((v, t) => (known(t) ? v : Number.NaN));
    return `{"eos":1,"optimizer":"gd","eigenvalues":3,"framework":"pytorch"}\n${ndjson({
      step: steps,
      loss: steps.map((t) => 1 + rise(t)),
      lr: steps.map(() => 0.01),
      sharpness: steps.map((t) => THRESHOLD * (t > 150 && t < 200 ? 1.1 : 0.98)),
      edge_energy: kept(steps.map((t) => 0.001 + share * rise(t))),
      edge_directions: kept(steps.map(() => 1)),
    })}`;
  }

  async function spikeOf(log: string): Promise<ExplainedSpike> {
    const { summary, events } = await detectLog(log);
    expect(summary.spike_count).toBe(1);
    expect(events.find(({ event }) => event === 'spike')).toMatchObject(summary.spikes[0]!);
    return summary.spikes[0] as ExplainedSpike;
  }

  test('explains a spike', async () => {
    const spike = await spikeOf(spiking(0.95));
    expect(spike).toMatchObject({ cause: 'edge', directions: 1, step: 200 });
    expect(spike.share).toBeCloseTo(0.95, 6);
    expect(spike.ratio).toBeCloseTo(1.1, 9);
    expect(spike.eta_that_holds).toBeCloseTo(0.01 / 1.1, 9);
    expect(spikeCauseText(spike)).toContain(
      '95 % of the rise in one direction at 1.1 × threshold; η ≤ 0.00909 would have held',
    );
  });

  test.each([
    [{ optimizer: 'gd' }, 'edge'],
    [{ optimizer: 'sgd' }, 'kick'],
    [{ optimizer: 'SGD' }, 'kick'],
    [{}, 'edge'],
    [
      {},
      'kick',
      { batch_sharpness: steps.map((t) => THRESHOLD * (t > 150 && t < 200 ? 1.5 : 0.98)) },
    ],
  ] as const)(
    'of mini-batches is no cause of what rises within three rows: %j, %s',
    async (said, cause, more: Readonly<Record<string, readonly number[]>> = {}) => {
      const rise = (t: number) => (t === 199 || t === 201 ? 1.5 : t === 200 ? 3 : 0);
      const log = ndjson({
        step: steps,
        loss: steps.map((t) => 1 + rise(t)),
        lr: steps.map(() => 0.01),
        sharpness: steps.map((t) => THRESHOLD * (t > 150 && t < 200 ? 1.5 : 0.98)),
        edge_energy: steps.map((t) => 0.001 + rise(t)),
        edge_directions: steps.map(() => 1),
        ...more,
      });
      const { summary } = await detectLog(log, said);
      expect(summary.spikes[0]).toMatchObject({ cause, begin: 199, step: 200 });
    },
  );

  test('is told by how much of it lies in one direction', async () => {
    const log = spiking(0.8)
      .replaceAll(/"edge_energy":([^,}]*)/g, (all, value) => {
        const [most, rest] = [0.75 * Number(value), 0.25 * Number(value)];
        return `${all},"edge_energies":[${most},${rest}]`;
      })
      .replaceAll('"edge_directions":1', '"edge_directions":2');
    const spike = await spikeOf(log);
    expect(spike.leading).toBeCloseTo(0.75, 6);
    expect(spikeCauseText(spike)).toContain('80 % of the rise in two directions (75 % in one) at');
  });

  test('explains it by the rows of which it is known', async () => {
    const spike = await spikeOf(spiking(0.9, (t) => t % 6 < 2));
    expect(spike.cause).toBe('edge');
    expect(spike.share).toBeCloseTo(0.9, 1);
  });

  test('that does not rise with the loss is no cause, and that is said', async () => {
    const spike = await spikeOf(spiking(0.1));
    expect(spike).toMatchObject({ cause: 'other', eta_that_holds: null });
    expect(spikeCauseText(spike)).toBe(
      'not the edge: only 10 % of the rise is in directions there',
    );
  });

  test('of which nothing rises with the loss is no cause, and that is said', async () => {
    expect(spikeCauseText(await spikeOf(spiking(0)))).toBe(
      'not the edge: nothing of the rise is in directions there',
    );
  });

  test.each([1, 3])(
    'is no cause where the sharpness stays below the threshold, with %i directions',
    async (directions) => {
      const log = spiking(0.95)
        .replaceAll(/"sharpness":[^,}]*/g, `"sharpness":${0.87 * THRESHOLD}`)
        .replaceAll('"edge_directions":1', `"edge_directions":${directions}`);
      const spike = await spikeOf(log);
      expect(spike).toMatchObject({ cause: 'other', eta_that_holds: null });
      expect(spikeCauseText(spike)).toBe(
        'not the edge: the sharpness was 0.87 × threshold at most',
      );
    },
  );

  test('is in directions that were at the edge while the loss rose, not at its peak', async () => {
    const log = spiking(0.95).replaceAll(/"step":(\d+)[^}]*/g, (row, step) =>
      Number(step) < 198 ? row : row.replace('"edge_directions":1', '"edge_directions":0'),
    );
    const spike = await spikeOf(log);
    expect(spike).toMatchObject({ cause: 'edge', directions: 1, step: 200 });
    expect(spikeCauseText(spike)).toContain('in one direction at 1.1 × threshold');
  });

  test('that was not logged while the loss rose leaves the cause open', async () => {
    const spike = await spikeOf(spiking(0.95, (t) => t < 170));
    expect(spike).toMatchObject({ cause: 'unknown', share: null });
    expect(spikeCauseText(spike)).toContain('is not known');
  });

  test('of directions that were measured long before says nothing against the edge', async () => {
    const log = spiking(0.1).replaceAll(/,"sharpness":[^,}]*/g, (all, at: number, text: string) =>
      /"step":\d$/.test(text.slice(0, at).split(',').at(-3)!) ? all : '',
    );
    expect(await spikeOf(log)).toMatchObject({ cause: 'unknown', share: null });
  });

  test('is a column of a log of eos_watch from its first row on, before any is known', async () => {
    const [header, ...lines] = spiking(0.95, (t) => t > 100).split('\n');
    async function* chunks() {
      yield new TextEncoder().encode(`${header}\n${lines.slice(0, 50).join('\n')}\n`);
      // Longer than rows wait for others.
      await new Promise((resolve) => setTimeout(resolve, 100));
      yield new TextEncoder().encode(lines.slice(50).join('\n'));
    }
    const { rows, summary } = await detectLog(chunks());
    expect(rows.l1).toHaveLength(STEPS);
    expect(rows.l1![0]).toBeNaN();
    expect(summary.spikes[0]).toMatchObject({ cause: 'edge' });
  });

  test('is not taken from an l1 that stands without directions', async () => {
    const { summary, rows } = await detectLog(
      ndjson({ step: steps, loss: steps.map(() => 1), l1: steps.map(() => 2) }),
    );
    expect(summary).not.toHaveProperty('edge_spikes');
    expect(rows).not.toHaveProperty('l1');
  });
});

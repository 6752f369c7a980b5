import { lastValueFrom, tap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { checksum } from '../../src/pipeline/core/checksum.ts';
import { RUN_COLUMNS, type RunColumn } from '../../src/pipeline/models/minimal/columns.ts';
import type { RunConfig, RunOptions } from '../../src/pipeline/models/minimal/config.ts';
import type { RunSummary } from '../../src/pipeline/models/minimal/summary.ts';
import { standardPipeline } from '../../src/pipeline/operators/standard.ts';
import { thin } from '../../src/pipeline/operators/thin.ts';
import { gradientDescent } from '../../src/pipeline/sources/descent/gradient-descent.ts';
import { checkFile } from '../../src/pipeline/theory/file-check.ts';
import { type RunColumns, runTable } from '../../src/pipeline/theory/run-table.ts';

/** What a file of a run holds. */
interface Held {
  readonly columns: Record<string, number[]>;
  readonly config: RunConfig;
  readonly summary: RunSummary;
  readonly digest: string;
}

async function held(options: RunOptions): Promise<Held> {
  const columns: Record<string, number[]> = Object.fromEntries(
    RUN_COLUMNS.map(({ name }) => [name, []]),
  );
  const { run } = await lastValueFrom(
    gradientDescent(options).pipe(
      standardPipeline(),
      tap({ error: () => {} }),
      thin(options.every ?? 1),
      tap((batch) => {
        for (const { name } of RUN_COLUMNS)
          columns[name]!.push(...batch.columns[name].subarray(0, batch.length));
      }),
    ),
  );
  const digest = checksum(JSON.stringify(run.config));
  return { columns, config: run.config, summary: run.summary!, digest };
}

/** Names of the checks that fail. */
function failing({ columns, config, summary, digest }: Held): string[] {
  const arrays = Object.fromEntries(
    Object.entries(columns).map(([name, values]) => [name, Float64Array.from(values)]),
  ) as unknown as RunColumns & { readonly step: Float64Array };
  const table = runTable(config, arrays, summary.diverged_at);
  const facts = {
    config: JSON.parse(JSON.stringify(config)) as RunOptions,
    summary: JSON.parse(JSON.stringify(summary)) as Record<string, unknown>,
    columns: Object.keys(columns),
    older: false,
    digest,
    digestOfConfig: checksum(JSON.stringify(config)),
  };
  return checkFile(table, facts)
    .filter(({ verdict }) => verdict === 'fails')
    .map(({ name }) => name);
}

describe('true runs hold against themselves', () => {
  test('that are chaotic, in files without digits', async () => {
    const run = await held({ lambda2: 0.1, eta: 1 / 7, steps: 600 });
    expect(run.summary.trusted_until).not.toBeNull();
    const { digits: _, ...columns } = run.columns;
    const config = { ...run.config, columns: Object.keys(columns) } as unknown as RunConfig;
    const digest = checksum(JSON.stringify(config));
    expect(failing({ ...run, columns, config, digest })).toEqual([]);
  });

  test('that diverge at a step of another optimizer, where gd would not yet', async () => {
    const run = await held({
      lambda1: 24.697585309852652,
      lambda2: 0.8550087007462773,
      eta: 0.15733373571609516,
      init: [-0.45426345815980174, 1e-200, 0.06544950726040821],
      floor: 1e-9,
      steps: 1623,
      optimizer: 'nesterov',
      momentum: 0.7919711613779158,
    });
    expect(run.summary.diverged_at).toBe(23);
    expect(failing(run)).toEqual([]);
  });

  test('without their losses, where the last one is rounding of α and β₂ alone', async () => {
    const run = await held({
      lambda1: 1619.360344652615,
      lambda2: 257.485143182139,
      covariance: 28.437237176766384,
      eta: 0.0014485954210067208,
      init: [0.16670164794448028, 0.01, 0.07128147125749296],
      floor: 1e-9,
      steps: 1126,
      samples: 3,
      seed: 705121,
      columns: ['step', 'alpha', 'beta1', 'beta2', 'l2', 'digits'],
    });
    const kept = new Set<string>(run.config.columns);
    const columns = Object.fromEntries(
      Object.entries(run.columns).filter(([name]) => kept.has(name)),
    );
    expect(failing({ ...run, columns })).toEqual([]);
    const summary = { ...run.summary, final_loss: 1.01 * run.summary.final_loss };
    expect(failing({ ...run, columns, summary })).toEqual(['file-summary']);
  });

  test('recovered and so thinned that the first row stands for 64 steps', async () => {
    const run = await held({ preset: 'paper', steps: 63, every: 1000 });
    expect(run.columns.step).toEqual([0, 63]);
    const columns = Object.fromEntries(
      Object.entries(run.columns).map(([name, values]) => [name, values.slice(0, 1)]),
    );
    const config = { ...run.config, steps: 6821 };
    const summary = { ...run.summary, interrupted: true, recovered: true as const };
    const digest = checksum(JSON.stringify(config));
    expect(failing({ columns, config, summary, digest })).toEqual([]);
  });

  test.each([
    ['three-phases', { preset: 'three-phases', steps: 3500 }],
    ['plain, where β₁ underflows', { preset: 'plain' }],
    ['sampled points', { samples: 50, seed: 3, steps: 2400 }],
    ['a chaotic one', { preset: 'three-phases', eta: 1 / 7, steps: 2000 }],
    ['a diverging one', { eta: 0.5, floor: 0 }],
    ['a thinned one', { preset: 'three-phases', every: 10, steps: 3000 }],
    ['many bits', { preset: 'three-phases', precision: 'auto', steps: 800 }],
    ['heavy ball', { preset: 'three-phases', optimizer: 'momentum', steps: 500 }],
  ] satisfies [string, RunOptions][])('%s', async (_, options) => {
    expect(failing(await held(options))).toEqual([]);
  });
});

const WHOLE = new Set(['seed', 'steps', 'every']);

describe('doctored runs do not', async () => {
  const run = await held({ preset: 'three-phases', steps: 3000 });
  const with_ = (name: RunColumn, change: (values: number[]) => number[]): Held => ({
    ...run,
    columns: { ...run.columns, [name]: change([...run.columns[name]!]) },
  });

  // Which digits are true, a second computation knows alone.
  const known = RUN_COLUMNS.map(({ name }) => name).filter(
    (name) => name !== 'step' && name !== 'digits',
  );
  test.each(known)('one cell of %s', (name) => {
    const changed = with_(name, (values) =>
      values.map((x, row) => (row === 1200 ? (Number.isInteger(x) ? x + 1 : x * 1.000001) : x)),
    );
    expect(failing(changed)).not.toEqual([]);
  });

  test.each([
    'eta',
    'lambda1',
    'lambda2',
    'floor',
    'delta',
    'epsilon',
    'seed',
    'steps',
    'every',
    'band',
  ] as const)('parameter %s', (name) => {
    const config = {
      ...run.config,
      [name]: run.config[name] * (WHOLE.has(name) ? 2 : 1.01) + (name === 'seed' ? 1 : 0),
    };
    expect(failing({ ...run, config })).not.toEqual([]);
  });

  test.each(['outcome', 'cycles', 'first_crossing', 'final_loss', 'mean_l1_in_eos'] as const)(
    'summary %s',
    (name) => {
      const summary = { ...run.summary, [name]: name === 'outcome' ? 'gradient-flow' : 3 };
      expect(failing({ ...run, summary })).toEqual(['file-summary']);
    },
  );

  test('rows left out, and a run cut short', () => {
    const keep = (wanted: (row: number) => boolean) => ({
      ...run,
      columns: Object.fromEntries(
        Object.entries(run.columns).map(([name, x]) => [name, x.filter((_, i) => wanted(i))]),
      ),
    });
    expect(failing(keep((row) => row !== 700))).toContain('file-rows');
    expect(failing(keep((row) => row < 1500))).toContain('file-rows');
    expect(failing(keep((row) => row > 0))).toContain('file-rows');
  });
});

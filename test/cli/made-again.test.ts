import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastValueFrom, type Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { openTable } from '../../src/cli/inspect/table-reader.ts';
import { derivedAgain, madeAgain } from '../../src/cli/verify/made-again.ts';
import { verifyFile } from '../../src/cli/verify/verify-file.ts';
import { checksum } from '../../src/pipeline/core/checksum.ts';
import { type Column, type ColumnType, columnArray } from '../../src/pipeline/core/schema.ts';
import { memoryTarget } from '../../src/pipeline/formats/byte-target.ts';
import { hyparquetFormat } from '../../src/pipeline/formats/parquet/hyparquet.ts';
import { parquetSink } from '../../src/pipeline/formats/parquet/parquet-sink.ts';
import type { RunOptions } from '../../src/pipeline/models/minimal/config.ts';
import { classifySharpness } from '../../src/pipeline/operators/classify-sharpness.ts';
import { detectPhases } from '../../src/pipeline/operators/detect-phases.ts';
import { flowSolution } from '../../src/pipeline/operators/flow-solution.ts';
import { splitLoss } from '../../src/pipeline/operators/split-loss.ts';
import { standardPipeline } from '../../src/pipeline/operators/standard.ts';
import { summarize } from '../../src/pipeline/operators/summarize.ts';
import { thin } from '../../src/pipeline/operators/thin.ts';
import { gradientDescent } from '../../src/pipeline/sources/descent/gradient-descent.ts';
import { findTraining } from '../../src/pipeline/sources/trainings/index.ts';
import { temporaryFolder } from '../setup/eos.ts';

const made = async (path: string) => madeAgain(path, await openTable(path), false);

async function failing(path: string): Promise<readonly string[]> {
  const { results } = await verifyFile(path, {}, false);
  return results.filter(({ verdict }) => verdict === 'fails').map(({ name }) => name);
}

/** Writes a run as `eos stream` does, up to a step where that is given. */
async function written(options: object, until?: number): Promise<string> {
  const path = join(temporaryFolder(), 'run.parquet');
  const runs = await findTraining(options).open();
  const config = runs.resolve(options);
  const rows = runs.rows(config, until === undefined ? {} : { until });
  const target = memoryTarget();
  await lastValueFrom(
    rows.pipe(
      runs.pipeline(config, () => {}),
      thin(config.every),
      parquetSink(target, { columns: config.columns }),
    ),
  );
  writeFileSync(path, target.bytes());
  return path;
}

interface Doctored {
  columns: { spec: Column; values: (number | string | null)[] }[];
  config: Record<string, unknown>;
  summary: Record<string, unknown>;
  metadata: Record<string, string>;
}

/** Rewrites a file after it was doctored, its digest and checksums made anew. */
async function doctor(path: string, change: (file: Doctored) => void): Promise<void> {
  const table = await openTable(path);
  const names = table.fields.map(({ name }) => name);
  const columns = table.fields.map(({ name, type, symbol, unit, meaning, required }) => ({
    spec: { name, type: type as ColumnType, symbol, unit, meaning, nullable: !required },
    values: [] as (number | string | null)[],
  }));
  for await (const block of table.read(names))
    for (const { spec, values } of columns) values.push(...Array.from(block[spec.name]!));
  const { 'eos.columns': _, ...metadata } = table.metadata;
  const file: Doctored = {
    columns,
    config: JSON.parse(metadata['eos.config']!) as Record<string, unknown>,
    summary: JSON.parse(metadata['eos.summary']!) as Record<string, unknown>,
    metadata,
  };
  change(file);
  const schema = file.columns.map(({ spec, values }) =>
    spec.type === 'STRING' ? { ...spec, words: [...new Set(values as string[])] } : spec,
  );
  const length = file.columns[0]!.values.length;
  const arrays = file.columns.map(({ values }, c) => {
    const { type, words } = schema[c]! as Column;
    const array = columnArray(type, length);
    values.forEach((value, i) => {
      array[i] = words ? words.indexOf(value as string) : ((value as number | null) ?? Number.NaN);
    });
    return array;
  });
  const config = JSON.stringify(file.config);
  const target = memoryTarget();
  const writer = hyparquetFormat()(target, schema);
  await writer.write({ length, columns: arrays });
  await writer.finish({
    ...file.metadata,
    'eos.config': config,
    'eos.digest': checksum(config),
    'eos.summary': JSON.stringify(file.summary),
  });
  await target.commit();
  writeFileSync(path, target.bytes());
}

const column = (file: Doctored, name: string) =>
  file.columns.find(({ spec }) => spec.name === name)!;

const THREE = { preset: 'three-phases', steps: 300 } as const;
const CHAOTIC = { lambda2: 0.1, eta: 1 / 7, steps: 700 } as const;
const DELTA = { delta: 0.01 } as const;
const NETWORK = { model: 'mlp', layers: '1-5-1', data: 'chebyshev:3:8', eta: 0.5, steps: 40 };

describe('a true file is made again to the last bit', () => {
  test.each<[string, object, number?]>([
    ['a run', THREE],
    ['thinned', { ...THREE, steps: 2000, every: 30 }],
    ['a few columns, without the step', { ...THREE, columns: ['loss', 'phase'] }],
    ['sampled', { samples: 20, seed: 4, steps: 200 }],
    ['chaotic', { preset: 'three-phases', eta: 1 / 7, steps: 700 }],
    ['diverging', { eta: 0.04, lambda2: 1, init: [0.5, 0.1, 0.3], floor: 0, steps: 300 }],
    ['of many bits', { ...THREE, precision: '128' }],
    ['of heavy ball', { ...THREE, optimizer: 'momentum', momentum: 0.7 }],
    ['interrupted', THREE, 170],
    ['interrupted and thinned', { ...THREE, every: 7 }, 171],
    ['a network', NETWORK],
    ['a network measured now and then', { ...NETWORK, measure: 3, batch: 4 }, 30],
  ])('%s', async (_, options, until) => {
    const path = await written(options, until);
    expect(await made(path)).toMatchObject({ verdict: 'holds', measured: 0 });
  });

  test('written by the library with other operators, columns and thinning', async () => {
    const path = join(temporaryFolder(), 'run.parquet');
    const write = async (batches: Observable<never>, columns?: readonly string[]) => {
      const target = memoryTarget();
      await lastValueFrom(batches.pipe(parquetSink(target, columns ? { columns } : {})));
      writeFileSync(path, target.bytes());
    };
    const rows = () => gradientDescent(THREE);
    await write(rows().pipe(classifySharpness()) as Observable<never>);
    expect(await failing(path)).toEqual([]);
    await write(rows().pipe(standardPipeline(), thin(10)) as Observable<never>, ['step', 'loss']);
    expect(await failing(path)).toEqual([]);
    expect((await made(path)).verdict).toBe('holds');
  });

  test.each<[string, RunOptions, { delta?: number }, { band?: number }]>([
    ['tolerance', { ...CHAOTIC, delta: 0.3 }, { delta: 0.01 }, {}],
    ['band', { ...CHAOTIC, steps: 900, band: 0.3 }, {}, { band: 0.05 }],
    ['tolerance of a run that diverges', { lambda2: 0.02, eta: 1 / 3, delta: 0.3 }, DELTA, {}],
  ])('of operators that were told another %s than their source', async (_, options, phases, s) => {
    const path = join(temporaryFolder(), 'run.parquet');
    const target = memoryTarget();
    await lastValueFrom(
      gradientDescent(options).pipe(
        splitLoss(),
        classifySharpness(s),
        flowSolution(),
        detectPhases(phases),
        summarize(),
        parquetSink(target),
      ),
    );
    writeFileSync(path, target.bytes());
    expect(await made(path)).toMatchObject({ verdict: 'holds', measured: 0 });
    expect(await failing(path)).toEqual([]);
  });
});

describe('a doctored one is not', () => {
  test('rewritten as it was, it is still true', async () => {
    const path = await written(THREE);
    await doctor(path, () => {});
    expect((await made(path)).verdict).toBe('holds');
  });

  test('one last bit, with row, column, value and what it should be', async () => {
    const path = await written(THREE);
    let own = Number.NaN;
    await doctor(path, (file) => {
      const { values } = column(file, 'alpha');
      own = values[123] as number;
      values[123] = own * (1 + Number.EPSILON);
    });
    expect(await made(path)).toMatchObject({
      verdict: 'fails',
      note: `alpha in row 123 (step 123) is ${own * (1 + Number.EPSILON)}, and should be ${own}`,
    });
  });

  test.each<[string, (file: Doctored) => void, RegExp]>([
    [
      'digits raised',
      (file) => column(file, 'digits').values.fill(15),
      /^digits in row \d+ \(step \d+\) is 15, and should be \d/,
    ],
    [
      'trust that is not there',
      (file) => {
        file.summary.trusted_until = 12;
      },
      /eos\.summary\.trusted_until is 12, and should be null/,
    ],
    [
      'another unit',
      (file) => Object.assign(column(file, 'loss').spec, { unit: 'J' }),
      /the unit of column loss is "J", and should be "1"/,
    ],
    [
      'another type',
      (file) => Object.assign(column(file, 'cycle').spec, { type: 'DOUBLE' }),
      /the type of column cycle is "DOUBLE", and should be "INT32"/,
    ],
    [
      'many bits claimed',
      (file) => {
        file.config.precision = '256';
        file.summary.precision = 256;
      },
      /should be/,
    ],
    [
      'an interruption claimed',
      (file) => {
        file.config.steps = 1000;
        file.summary.interrupted = true;
      },
      /eos\.summary\.warnings\.0 is not there, and should be {"kind":"interrupted"/,
    ],
    [
      'rows cut off',
      (file) => {
        for (const { values } of file.columns) values.length = 100;
      },
      /the run goes on behind step 99/,
    ],
    [
      'a step far ahead',
      (file) => {
        column(file, 'step').values[300] = 9e15;
      },
      /the last row is of step 9000000000000000, and there are only 301 rows/,
    ],
    [
      'an older version claimed',
      (file) => {
        file.metadata['eos.schema_version'] = '1';
      },
      /eos\.schema_version is 1, and the file has eos\.digest, eos\.columns, digits/,
    ],
  ])('%s', async (_, change, note) => {
    const path = await written(THREE);
    await doctor(path, change);
    expect(await made(path)).toMatchObject({ verdict: 'fails', note: expect.stringMatching(note) });
  });

  test('where a run would go on', async () => {
    const path = await written(THREE, 200);
    await doctor(path, ({ metadata }) => {
      metadata['eos.checkpoint'] = metadata['eos.checkpoint']!.replace(
        /"alpha":0\.\d/,
        '"alpha":0.9',
      );
    });
    expect((await made(path)).note).toMatch(/^eos\.checkpoint\.stages\.gradientDescent\.alpha is/);
  });

  test('a network', async () => {
    const path = await written(NETWORK);
    await doctor(path, (file) => {
      const { values } = column(file, 'sharpness');
      values[20] = (values[20] as number) * (1 + 1e-10);
    });
    expect((await made(path)).note).toMatch(/^sharpness in row 20 \(step 20\) is/);
  });
});

describe('of a run that would take too long', () => {
  const LONG = { model: 'mlp', layers: '64-20-10', data: 'digits:500', eta: 0.5, steps: 4 };

  test('a part is made again, and that is told', async () => {
    const path = await written(LONG);
    const again = await madeAgain(path, await openTable(path), false, 40_000);
    expect(again).toMatchObject({
      verdict: 'not reached',
      note: expect.stringMatching(
        /^the first 2 of 5 steps are the same; all take about .*, and --again makes them$/,
      ),
    });
    const all = await madeAgain(path, await openTable(path), true, 40_000);
    expect(all.verdict).toBe('holds');
  });

  test('what follows from its rows is made again in any case', async () => {
    const path = await written({ ...NETWORK, steps: 60 });
    const derived = async () => derivedAgain(path, await openTable(path));
    expect(await derived()).toMatchObject({ name: 'file-derived', verdict: 'holds' });
    await doctor(path, (file) => {
      column(file, 'threshold').values[7] = 3;
      file.summary.cycles = 17;
    });
    expect((await derived())!.details).toEqual({
      found: [
        'threshold in row 7 (step 7) is 3, and should be 4',
        expect.stringMatching(/^eos\.summary\.cycles is 17, and should be \d$/),
      ],
    });
  });

  test('bits that a run has not are found in its first steps', async () => {
    const path = await written({ ...THREE, steps: 1500, every: 5 });
    await doctor(path, (file) => {
      file.config.precision = '65536';
      file.summary.precision = 65_536;
    });
    const again = await madeAgain(path, await openTable(path), false, 4e6);
    expect(again).toMatchObject({
      verdict: 'fails',
      note: expect.stringMatching(/in row [1-9] \(step \d+\) is/),
    });
  });
});

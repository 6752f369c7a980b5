import fc from 'fast-check';
import { lastValueFrom, map, type Observable, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { blocks } from '../../src/pipeline/core/operator.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/pipeline/core/stored-state.ts';
import {
  classifySharpness,
  compiledDescent,
  gradientDescent,
  type ModelBatch,
  type RunOptions,
  resolveConfig,
  standardPipeline,
  thin,
} from '../../src/pipeline/index.ts';
import { PRESET_NAMES } from '../../src/pipeline/models/minimal/presets/index.ts';
import { standardOperators } from '../../src/pipeline/operators/standard.ts';
import { compiledRows } from '../../src/pipeline/sources/descent/compiled-descent.ts';
import { descentRows } from '../../src/pipeline/sources/descent/descent-rows.ts';
import { anyOptions } from './any-run.ts';

type Table = Readonly<Record<string, readonly number[]>>;

/** All columns of a run, and what its source says of its end. */
function rowsOf(options: RunOptions, size: number, reuse: boolean) {
  const rows = (reuse ? compiledRows : descentRows)(resolveConfig(options));
  const table: Record<string, number[]> = {};
  for (const { columns, length } of blocks(rows, standardOperators(), size))
    for (const [name, values] of Object.entries(columns)) {
      table[name] ??= [];
      table[name].push(...Array.from(values).slice(0, length));
    }
  const { summary, divergedAt, float64ZeroAt } = rows.run;
  return { table, end: { summary, divergedAt, float64ZeroAt } };
}

/** Names and rows of values that are not the same to the last bit. */
function different(a: Table, b: Table): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((name) => {
    const [x, y] = [a[name] ?? [], b[name] ?? []];
    if (x.length !== y.length) return [`${name}: ${x.length} and ${y.length} rows`];
    const row = x.findIndex((value, i) => !Object.is(value, y[i]));
    return row < 0 ? [] : [`${name} of row ${row}: ${x[row]} and ${y[row]}`];
  });
}

test.each(PRESET_NAMES)('compiled rows of %s are those of the operators, bit for bit', (preset) => {
  const [plain, compiled] = [rowsOf({ preset }, 1024, false), rowsOf({ preset }, 4096, true)];
  expect(different(plain.table, compiled.table)).toEqual([]);
  expect(compiled.end).toEqual(plain.end);
});

const decays = { lambda1: 100, lambda2: 10, eta: 0.012, init: [0.3, 0.1, 0.3], floor: 0 } as const;

test.each<[string, RunOptions]>([
  ['β₁ and the gradient decay out of the range of float64', { ...decays, steps: 3000 }],
  ['β₁ grows into it', { ...decays, lambda2: 0.1, eta: 0.05, init: [0.3, 1e-200, 0.3] }],
  ['β₁ ends at a floor below it', { ...decays, floor: 1e-160, steps: 1000 }],
  ['β₁ begins below its floor', { lambda2: 0.01, init: [0.3, 1e-8, 0.3], floor: 1e-6, steps: 100 }],
])('and where %s', (_, options) => {
  const [plain, compiled] = [rowsOf(options, 4096, false), rowsOf(options, 4096, true)];
  expect(different(plain.table, compiled.table)).toEqual([]);
  expect(compiled.end).toEqual(plain.end);
});

test('and of any run, in blocks of any size', () => {
  const sizes = fc.constantFrom(1, 37, 1000, 4096);
  fc.assert(
    fc.property(anyOptions, sizes, (options, size) => {
      const [plain, compiled] = [rowsOf(options, 512, false), rowsOf(options, size, true)];
      expect(different(plain.table, compiled.table)).toEqual([]);
      expect(compiled.end).toEqual(plain.end);
    }),
    {
      numRuns: 60,
      examples: [
        [
          {
            ...{ lambda1: 100, lambda2: 0.1, eta: 0.02, init: [0.3, 0.1, 0.3], steps: 2500 },
            ...{ floor: 0.010000000000000005, covariance: -8.94291821331854e-17 },
          },
          1,
        ],
      ],
    },
  );
});

const collect = (batches: Observable<ModelBatch>): Promise<Table> =>
  lastValueFrom(
    batches.pipe(
      map(({ columns, length }) =>
        Object.entries(columns).map(([name, values]) => [name, [...values].slice(0, length)]),
      ),
      toArray(),
      map((parts) => {
        const table: Record<string, number[]> = {};
        for (const [name, values] of parts.flat() as [string, number[]][]) {
          table[name] ??= [];
          table[name].push(...values);
        }
        return table;
      }),
    ),
  );

test('arrays are used again only where that is said; rows held back are not lost', async () => {
  const options = { preset: 'three-phases', steps: 9000 } as const;
  const arraysOf = async (reuse: boolean) => {
    const batches = await lastValueFrom(
      (reuse ? compiledDescent : gradientDescent)(options).pipe(toArray()),
    );
    return new Set(batches.map(({ columns }) => columns.alpha.buffer)).size;
  };
  expect(await arraysOf(false)).toBe(3);
  expect(await arraysOf(true)).toBe(1);
  const thinned = (reuse: boolean) =>
    collect(
      (reuse ? compiledDescent : gradientDescent)(options).pipe(standardPipeline(), thin(50)),
    );
  expect(different(await thinned(false), await thinned(true))).toEqual([]);
});

test('rows that somebody has taken out of a batch are classified as they are', async () => {
  const taken = (reuse: boolean) =>
    collect(
      (reuse ? compiledDescent : gradientDescent)({ steps: 3000 }).pipe(
        map(({ columns, ...batch }) => ({
          ...batch,
          length: batch.length >> 1,
          columns: {
            ...columns,
            alpha: columns.alpha.filter((_, i) => i % 2 === 1),
            beta1: columns.beta1.filter((_, i) => i % 2 === 1),
            beta2: columns.beta2.filter((_, i) => i % 2 === 1),
          },
        })),
        classifySharpness(),
      ),
    );
  const [plain, compiled] = [await taken(false), await taken(true)];
  expect(compiled.sharpness).toEqual(plain.sharpness);
});

test('a run goes on from a checkpoint of either kind', async () => {
  const options = { preset: 'paper', floor: 0, steps: 9000 } as const;
  const whole = await collect(gradientDescent(options).pipe(standardPipeline()));
  for (const reuse of [false, true]) {
    const batches = await lastValueFrom(
      (reuse ? compiledDescent : gradientDescent)(options, { until: 3000, batchSize: 1000 }).pipe(
        standardPipeline(),
        map(({ after }) => encodeCheckpoint(3001, after!)),
        toArray(),
      ),
    );
    const resume = decodeCheckpoint(batches.at(-1)!);
    const rest = await collect(
      (reuse ? gradientDescent : compiledDescent)(options, { resume }).pipe(standardPipeline()),
    );
    const expected = Object.fromEntries(
      Object.entries(whole).map(([name, values]) => [name, values.slice(-rest.step!.length)]),
    );
    expect(rest.step![0]).toBe(3001);
    expect(different(expected, rest)).toEqual([]);
  }
});

import { join } from 'node:path';
import { lastValueFrom, tap } from 'rxjs';
import type { Column, ColumnArray, Schema } from '../../src/pipeline/core/schema.ts';
import { arrowSink } from '../../src/pipeline/formats/arrow/arrow-sink.ts';
import { parquetSink } from '../../src/pipeline/formats/parquet/parquet-sink.ts';
import { RUN_COLUMNS } from '../../src/pipeline/models/minimal/columns.ts';
import type { RunConfig, RunOptions } from '../../src/pipeline/models/minimal/config.ts';
import { resolveConfig } from '../../src/pipeline/models/minimal/config.ts';
import { type DescentState, initialState } from '../../src/pipeline/models/minimal/descend.ts';
import type { ModelRun } from '../../src/pipeline/models/minimal/run.ts';
import type { RunSummary } from '../../src/pipeline/models/minimal/summary.ts';
import { fileTarget } from '../../src/pipeline/node/file-target.ts';
import { parquetjsFormat } from '../../src/pipeline/node/parquetjs.ts';
import { classifySharpness } from '../../src/pipeline/operators/classify-sharpness.ts';
import { detectPhases } from '../../src/pipeline/operators/detect-phases.ts';
import { flowSolution } from '../../src/pipeline/operators/flow-solution.ts';
import { splitLoss } from '../../src/pipeline/operators/split-loss.ts';
import { summarize } from '../../src/pipeline/operators/summarize.ts';
import { gradientDescent } from '../../src/pipeline/sources/descent/gradient-descent.ts';

/** Past what 32-bit integers, signed or not, can hold. */
export const LATE = 2 ** 32 - 50;

interface Case {
  readonly options: RunOptions;
  readonly from?: DescentState;
}

/** Real runs that between them hold everything a file must keep. */
export const CASES = {
  paper: { options: { preset: 'paper' } },
  plain: { options: { preset: 'plain' } },
  'β₁ exactly 0': { options: { init: [0.3, -0, 0.3], floor: 0, steps: 300 } },
  '200,000 rows': { options: { preset: 'three-phases', steps: 199_999 } },
  'a few columns': { options: { columns: ['phase', 'step', 'loss', 'regime'], steps: 3000 } },
  'one row': { options: { steps: 0 } },
  'steps around 2³²': {
    options: { steps: LATE + 200 },
    from: { ...initialState(resolveConfig({ init: [0.6, 1e-3, 0.5] })), step: LATE },
  },
} as const satisfies Record<string, Case>;

export type CaseName = keyof typeof CASES;
export const CASE_NAMES = Object.keys(CASES) as CaseName[];

export const FORMATS = {
  hyparquet: 'default.parquet',
  'parquetjs-lite': 'parquetjs.parquet',
  arrow: 'run.arrow',
} as const;

export type FormatName = keyof typeof FORMATS;
export const FORMAT_NAMES = Object.keys(FORMATS) as FormatName[];

/** What went into the files of one run. */
export interface Written {
  readonly rows: number;
  readonly columns: readonly Column[];
  /** All values of a column, one array. */
  values(name: string): ColumnArray;
  /** The words of a STRING column, one a row. */
  words(name: string): string[];
  readonly config: RunConfig;
  readonly summary: RunSummary;
}

/** Where the file of a run in a format stands. */
export function fileOf(folder: string, name: CaseName, format: FormatName): string {
  return join(folder, `${CASE_NAMES.indexOf(name)}-${FORMATS[format]}`);
}

/** Writes one run through all three sinks at once, and keeps what passed. */
export async function writeRun(folder: string, name: CaseName): Promise<Written> {
  const { options, from }: Case = CASES[name];
  const columns: Schema = RUN_COLUMNS.filter(
    ({ name }) => !('columns' in options) || (options.columns?.includes(name as never) ?? true),
  );
  const parts = new Map<string, ColumnArray[]>();
  let run: ModelRun | undefined;
  const names = columns.map(({ name }) => name);
  await lastValueFrom(
    gradientDescent(options, from ? { from } : {}).pipe(
      splitLoss(),
      classifySharpness(),
      flowSolution(),
      detectPhases(),
      summarize(),
      tap((batch) => {
        run = batch.run;
        for (const [column, values] of Object.entries(batch.columns)) {
          parts.set(column, [...(parts.get(column) ?? []), values as ColumnArray]);
        }
      }),
      parquetSink(fileTarget(fileOf(folder, name, 'hyparquet')), { columns: names }),
      parquetSink(fileTarget(fileOf(folder, name, 'parquetjs-lite')), {
        columns: names,
        format: parquetjsFormat,
      }),
      arrowSink(fileTarget(fileOf(folder, name, 'arrow')), { columns: names }),
    ),
  );
  if (!run?.summary) throw new Error(`the run '${name}' left no summary`);
  const joined = new Map([...parts].map(([column, arrays]) => [column, concatenated(arrays)]));
  const values = (column: string) => joined.get(column)!;
  return {
    rows: values('step').length,
    columns,
    values,
    words: (column) => {
      const words = columns.find((spec) => spec.name === column)!.words!;
      return Array.from(values(column), (code) => words[code]!);
    },
    config: run.config,
    summary: run.summary,
  };
}

function concatenated(arrays: readonly ColumnArray[]): ColumnArray {
  const all = new (arrays[0]!.constructor as new (n: number) => ColumnArray)(
    arrays.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

/** Bit patterns of doubles, so that −0, NaN and subnormals count. */
export function bits(values: ArrayLike<number>): BigUint64Array {
  return new BigUint64Array(Float64Array.from(values).buffer);
}

/**
 * The first row where the values read from a column are not those that were written, bit for bit;
 * −1 for none.
 */
export function firstDifference(
  written: Written,
  { name, type }: Column,
  read: ArrayLike<unknown>,
): number {
  const expected =
    type === 'STRING'
      ? written.words(name)
      : type === 'DOUBLE'
        ? bits(written.values(name))
        : undefined;
  const found = type === 'DOUBLE' ? bits(read as ArrayLike<number>) : read;
  const values = written.values(name);
  for (let i = 0; i < written.rows; i++) {
    const value = expected ? expected[i] : type === 'INT64' ? BigInt(values[i]!) : values[i];
    if (found[i] !== value) return i;
  }
  return read.length === written.rows ? -1 : written.rows;
}

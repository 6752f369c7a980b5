import { from } from 'rxjs';
import { blocks } from '../core/operator.ts';
import { RUN_COLUMNS, type RunColumn } from '../models/minimal/columns.ts';
import type { RunConfig } from '../models/minimal/config.ts';
import type { RunSummary } from '../models/minimal/summary.ts';
import { standardOperators } from '../operators/standard.ts';
import { thin } from '../operators/thin.ts';
import { descentRows } from '../sources/descent/descent-rows.ts';
import type { RunTable } from './run-table.ts';

/** A run made anew from the config of a file, held against its rows. */
export interface OwnRun {
  /** Whether α, β₁ and β₂ are the same to the last bit in every row of the file. */
  readonly identical: boolean;
  /** In words, the first row of each other column that differs. */
  readonly differences: readonly string[];
  readonly summary: RunSummary;
  /** The steps of the rows that `--every K` keeps of it. */
  keptSteps(every: number): readonly number[];
}

/** Relative difference that a compiler or another version may make. */
const TOLERANCE = 1e-12;

/**
 * Makes the run of a file once more, as far as its rows go: with the same arithmetic every row comes out the
 * same, and then labels, digits and summary have to be the same too.
 */
export function runAgain(table: RunTable, ended: boolean): OwnRun {
  const config: RunConfig = {
    ...table.config,
    steps: ended ? table.config.steps : table.lastStep,
  };
  const rows = descentRows(config);
  const names = RUN_COLUMNS.map(({ name }) => name).filter((name) => table.stored(name));
  const theta = new Set<RunColumn>(['alpha', 'beta1', 'beta2']);
  const differences = new Map<string, string>();
  let identical = true;
  let row = 0;
  for (const { columns, length } of blocks(rows, standardOperators(), 2048)) {
    for (let i = 0; i < length && row < table.length; i++) {
      if (columns.step![i] !== table.step[row]) continue;
      for (const name of names) {
        const [own, again] = [table.column(name)[row]!, columns[name]![i]!];
        if (Object.is(own, again)) continue;
        if (theta.has(name)) identical = false;
        if (Math.abs(own - again) <= TOLERANCE * Math.abs(again)) continue;
        if (!differences.has(name)) {
          differences.set(
            name,
            `${name} at step ${table.step[row]} is ${own}, made again ${again}`,
          );
        }
      }
      row++;
    }
    // Where not even the start is the same, the rest is of no use; nor is a run far longer than its file.
    if (!identical || rows.step > table.lastStep + 4096) break;
  }
  if (row < table.length) identical = false;
  return {
    identical,
    differences: [...differences.values()],
    summary: rows.run.summary!,
    keptSteps: (every) => keptSteps(config, every),
  };
}

function keptSteps(config: RunConfig, every: number): readonly number[] {
  const kept: number[] = [];
  from(markedRows(config))
    .pipe(thin(every))
    .subscribe(({ columns }) => {
      kept.push(...columns.step);
    });
  return kept;
}

/** What of a run decides which rows are kept. */
function* markedRows(config: RunConfig) {
  for (const batch of blocks(descentRows(config), standardOperators(), 2048)) {
    const { length, columns, run, schema } = batch;
    const copy = (name: string) => Float64Array.from(columns[name]!).subarray(0, length);
    yield {
      run,
      schema,
      length,
      columns: { step: copy('step'), phase: copy('phase'), l1: copy('l1') },
    };
  }
}

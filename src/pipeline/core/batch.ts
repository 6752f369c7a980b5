import { type MonoTypeOperatorFunction, tap } from 'rxjs';
import type { Snapshot } from './checkpoint.ts';
import { isPlain } from './is-plain.ts';
import type { Run } from './run.ts';
import type { ColumnArray, Schema } from './schema.ts';

/**
 * A block of consecutive rows, one typed array a column, and what the columns mean. Its arrays
 * belong to whoever receives it: nobody writes to them again.
 */
export interface Batch<Columns = Readonly<Record<string, ColumnArray>>, R extends Run = Run> {
  readonly run: R;
  readonly length: number;
  readonly schema: Schema;
  readonly columns: Columns;
  /**
   * Where each stage stands behind this batch; absent where rows are not those of the run to its
   * end.
   */
  readonly after?: Snapshot;
}

/** @throws TypeError for what an operator is handed and cannot be a block of rows */
export function checkBatch(of: string, given: unknown): void {
  const { run }: Partial<Batch<unknown>> = Object(given);
  if (isPlain(run)) return;
  throw new TypeError(`${of}: what comes by is not a batch of rows`);
}

/** Passes batches, and nothing else. */
export const checkBatches = <B>(of: string): MonoTypeOperatorFunction<B> =>
  tap((batch) => checkBatch(of, batch));

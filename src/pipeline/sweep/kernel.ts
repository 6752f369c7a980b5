import { blocks } from '../core/operator.ts';
import type { RunArrays } from '../models/minimal/columns.ts';
import { type RunOptions, resolveConfig } from '../models/minimal/config.ts';
import type { ModelBatch } from '../models/minimal/run.ts';
import { standardOperators } from '../operators/standard.ts';
import { compiledRows } from '../sources/descent/compiled-descent.ts';

/** Rows of a block: as many as keep all its columns in a core's own cache. */
const ROWS = 2048;

/**
 * All columns of a run, block after block, in the digits of the stream, without RxJS and without a
 * summary: for loops that look at each block and keep nothing of it, because its arrays are used
 * again for the next (of them the first `length` values count).
 *
 * @example for (const { length, columns } of runBlocks(presets.paper)) total += columns.loss[0];
 * @throws ConfigError where a parameter cannot be used
 */
export function runBlocks(
  options: RunOptions = {},
): Generator<ModelBatch & { readonly columns: RunArrays }> {
  const rows = compiledRows(resolveConfig(options));
  const operators = standardOperators().filter(({ definition }) => definition.adds.length > 0);
  return blocks(rows, operators, ROWS) as Generator<ModelBatch & { readonly columns: RunArrays }>;
}

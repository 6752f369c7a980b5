import { columnArray, RUN_COLUMNS, type RunArrays } from '../models/minimal/columns.ts';
import { type RunOptions, resolveConfig } from '../models/minimal/config.ts';
import { regimeColumns, sharpnessColumn } from '../operators/classify-sharpness.ts';
import { createPhaseDetector } from '../operators/detect-phases.ts';
import { solutionColumns } from '../operators/flow-solution.ts';
import { lossColumns } from '../operators/split-loss.ts';
import {
  hasEnded,
  type ModelBatch,
  nextBatch,
  startDescent,
} from '../sources/descent/gradient-descent.ts';

/** Rows of a block: as many as keep all its columns in a core's own cache. */
const ROWS = 2048;

/**
 * All columns of a run, block after block, in the digits of the stream, without RxJS: for loops that look at each block
 * and keep nothing of it, because its arrays are used again for the next (of them the first `length` values count).
 *
 * @example for (const { length, columns } of runBlocks(presets.paper)) total += columns.loss[0];
 * @throws ConfigError where a parameter cannot be used
 */
export function* runBlocks(
  options: RunOptions = {},
): Generator<ModelBatch & { readonly columns: RunArrays }> {
  const run = startDescent(resolveConfig(options));
  const { eta, band } = run.config;
  const into = Object.fromEntries(
    RUN_COLUMNS.map(({ name, type }) => [name, columnArray(type, ROWS)]),
  ) as unknown as RunArrays;
  const detect = createPhaseDetector();
  const sharpness = into.sharpness;
  do {
    const batch = nextBatch(run, ROWS, into);
    lossColumns(batch, into);
    sharpnessColumn(batch, sharpness);
    regimeColumns(sharpness, eta, band, into);
    solutionColumns(batch, into);
    detect(batch, into);
    yield { ...batch, columns: into };
  } while (!hasEnded(run));
}

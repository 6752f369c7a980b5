import type { RunConfig } from '../models/minimal/config.ts';
import { type RunResult, withStart } from './light-result.ts';
import { summarizeBatches } from './summary-batches.ts';
import { summarizeDescent } from './summary-kernel.ts';

/**
 * Runs gradient descent to its end and keeps the summary alone, in the digits of the stream's, without files and
 * without a stream.
 *
 * @param proceed asked now and then with the rows since; false gives the run up
 * @returns undefined where the run was given up
 */
export function runToResult(
  config: RunConfig,
  proceed: (rows: number) => boolean = () => true,
): RunResult | undefined {
  return withStart(config, summarizeDescent(config, proceed) ?? summarizeBatches(config, proceed));
}

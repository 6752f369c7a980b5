import type { RunConfig } from '../models/minimal/config.ts';
import { NETWORK_SWEEP_COLUMNS } from './network-columns.ts';
import { type NetworkResult, networkToResult } from './network-result.ts';
import { type RunResult, runsToResults, type TimedResult } from './run-result.ts';
import type { SweptConfig } from './sweep.ts';
import { rowsOf, SWEEP_COLUMNS, type SweepColumn, type SweepRows } from './sweep-columns.ts';

export type AnyResult = RunResult | NetworkResult;

/** Columns of the summary of a sweep. */
export const sweepColumns = (model: SweptConfig['model']): readonly SweepColumn<AnyResult>[] =>
  (model === 'mlp' ? NETWORK_SWEEP_COLUMNS : SWEEP_COLUMNS) as readonly SweepColumn<AnyResult>[];

/** An empty block of rows of a sweep's summary. */
export const anyRows = (model: SweptConfig['model']): SweepRows<AnyResult> =>
  rowsOf(sweepColumns(model));

/**
 * `runsToResults` of runs of any model; those of networks come one after the other.
 *
 * @param proceed asked now and then with the rows since; false gives up what is under way
 */
export function anyResults(
  model: SweptConfig['model'],
  configs: Iterable<SweptConfig>,
  proceed: (rows: number) => boolean,
): Generator<TimedResult<AnyResult>> {
  if (model === 'mlp') return networkResults(configs as Iterable<NetworkResult['config']>, proceed);
  return runsToResults(configs as Iterable<RunConfig>, proceed);
}

function* networkResults(
  configs: Iterable<NetworkResult['config']>,
  proceed: (rows: number) => boolean,
): Generator<TimedResult<NetworkResult>> {
  for (const config of configs) {
    const start = performance.now();
    let told = 0;
    const result = networkToResult(config, (rows) => {
      told += rows;
      return proceed(rows);
    });
    if (!result) return;
    yield { result, seconds: (performance.now() - start) / 1000, told };
  }
}

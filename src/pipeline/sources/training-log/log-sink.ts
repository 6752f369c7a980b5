import type { MonoTypeOperatorFunction } from 'rxjs';
import type { ByteTarget } from '../../formats/byte-target.ts';
import { hyparquetFormat } from '../../formats/parquet/hyparquet.ts';
import type { TableFormat } from '../../formats/table-format.ts';
import { type DurabilityOptions, tableSink } from '../../sinks/table-sink.ts';
import { LOG_COLUMNS } from './columns.ts';
import { logMetadata } from './log-metadata.ts';
import type { LogBatch, LogRun } from './training-log.ts';

export interface LogSinkOptions extends Omit<DurabilityOptions, 'from'> {
  /** The file format: Parquet unless given. */
  readonly format?: TableFormat;
}

/**
 * Writes what was detected in a log to a file with the columns of `LOG_COLUMNS`, config and summary as metadata. Passes
 * the batches on, and completes when the file is closed.
 *
 * @example trainingLog(input, { eta: parseEta('0.01') }).pipe(relateToThreshold(), detectLogPhases(console.log),
 *   logSink(fileTarget('run.parquet')))
 */
export function logSink(
  target: ByteTarget,
  { format = hyparquetFormat, ...durability }: LogSinkOptions = {},
): MonoTypeOperatorFunction<LogBatch> {
  return tableSink<LogRun, LogBatch>(target, format, {
    ...durability,
    columns: LOG_COLUMNS,
    metadata: (run, _progress, ended) => logMetadata(run, ended),
  });
}

import type { MonoTypeOperatorFunction } from 'rxjs';
import { type ColumnSpec, RUN_COLUMNS } from '../../models/minimal/columns.ts';
import { summarizeUnlessDone } from '../../operators/summarize.ts';
import { type DurabilityOptions, tableSink } from '../../sinks/table-sink.ts';
import type { ModelBatch, ModelRun } from '../../sources/descent/gradient-descent.ts';
import { type ByteTarget, targetOf } from '../byte-target.ts';
import { runMetadata } from '../run-metadata.ts';
import type { TableFormat } from '../table-format.ts';
import { hyparquetFormat } from './hyparquet.ts';

export interface ParquetSinkOptions extends DurabilityOptions {
  /** Columns to write; all columns of a run unless given. */
  readonly columns?: readonly ColumnSpec[];
  /** The program that encodes the file: hyparquet-writer unless given. */
  readonly format?: TableFormat;
}

/**
 * Writes a run to a Parquet file: row groups of 65,536 rows, all columns required, config and summary as key-value
 * metadata. Passes the batches on, and completes when the file is closed.
 *
 * @example gradientDescent(presets.paper).pipe(splitLoss(), classifySharpness(), flowSolution(), detectPhases(),
 *   parquetSink(memoryTarget()))
 */
export function parquetSink(
  to: string | ByteTarget,
  { format = hyparquetFormat, columns = RUN_COLUMNS, ...durability }: ParquetSinkOptions = {},
): MonoTypeOperatorFunction<ModelBatch> {
  const write = tableSink<ModelRun, ModelBatch>(targetOf(to), format, {
    ...durability,
    columns,
    metadata: runMetadata,
  });
  return (source) => source.pipe(summarizeUnlessDone(), write);
}

import type { MonoTypeOperatorFunction } from 'rxjs';
import { type Batch, checkBatches } from '../../core/batch.ts';
import { aFunction, being } from '../../core/guard.ts';
import type { Run } from '../../core/run.ts';
import { summarizeUnlessDone } from '../../operators/summarize.ts';
import { checkSinkOptions, type DurabilityOptions, tableSink } from '../../sinks/table-sink.ts';
import type { SinkTarget } from '../byte-target.ts';
import { checkTarget } from '../check-target.ts';
import { metadataWith } from '../run-metadata.ts';
import { COMPRESSIONS, type Compression, type TableFormat } from '../table-format.ts';
import { hyparquetFormat } from './hyparquet.ts';

export interface ParquetSinkOptions extends DurabilityOptions {
  /** Names of the columns to write; all that are there unless given. */
  readonly columns?: readonly string[] | null;
  /** How its numbers are packed: by Snappy unless given. */
  readonly compression?: Compression;
  /** The program that encodes the file: hyparquet-writer unless given. */
  readonly format?: TableFormat;
}

const OWN_OPTIONS = {
  compression: being(`one of ${COMPRESSIONS.join(', ')}`, (word) =>
    COMPRESSIONS.some((known) => known === word),
  ),
  format: aFunction,
};

/**
 * Writes a run to a Parquet file: row groups of 65,536 rows, config and summary as key-value
 * metadata. Passes the batches on, and completes when the file is closed.
 *
 * @example gradientDescent(presets.paper).pipe(splitLoss(), classifySharpness(), detectPhases(),
 *   parquetSink(memoryTarget()))
 */
export function parquetSink<C, R extends Run>(
  to: SinkTarget,
  options: ParquetSinkOptions = {},
): MonoTypeOperatorFunction<Batch<C, R>> {
  checkTarget('parquetSink', to, 'parquet');
  checkSinkOptions('parquetSink', options, OWN_OPTIONS);
  const { compression, format = hyparquetFormat(compression), ...sink } = options;
  const write = tableSink<C, R>(to, format, {
    ...sink,
    metadata: metadataWith(sink.columns),
  });
  return (source) => source.pipe(checkBatches('parquetSink'), summarizeUnlessDone(), write);
}

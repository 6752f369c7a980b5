import type { MonoTypeOperatorFunction } from 'rxjs';
import { type Batch, checkBatches } from '../../core/batch.ts';
import type { Run } from '../../core/run.ts';
import { summarizeUnlessDone } from '../../operators/summarize.ts';
import { checkSinkOptions, type DurabilityOptions, tableSink } from '../../sinks/table-sink.ts';
import type { SinkTarget } from '../byte-target.ts';
import { checkTarget } from '../check-target.ts';
import { metadataWith } from '../run-metadata.ts';
import type { TableFormat } from '../table-format.ts';

export interface ArrowSinkOptions extends DurabilityOptions {
  /** Names of the columns to write; all that are there unless given. */
  readonly columns?: readonly string[] | null;
}

/**
 * Writes a run to an Arrow IPC file: the columns and metadata of the Parquet file, strings
 * dictionary-encoded.
 */
export function arrowSink<C, R extends Run>(
  to: SinkTarget,
  options: ArrowSinkOptions = {},
): MonoTypeOperatorFunction<Batch<C, R>> {
  checkTarget('arrowSink', to, 'arrow');
  checkSinkOptions('arrowSink', options);
  const write = tableSink<C, R>(to, arrowFormat, {
    ...options,
    metadata: metadataWith(options.columns),
  });
  return (source) => source.pipe(checkBatches('arrowSink'), summarizeUnlessDone(), write);
}

/** Arrow IPC file format; apache-arrow is loaded when a file is begun. */
export const arrowFormat: TableFormat = (target, columns, from) => {
  const opened = import('./arrow-format.ts').then(({ arrowFormat }) =>
    arrowFormat(target, columns, from),
  );
  // Whoever writes is told.
  opened.catch(() => {});
  return {
    write: async (rows, metadata) => (await opened).write(rows, metadata),
    closing: async (rows, metadata) => (await opened).closing(rows, metadata),
    finish: async (metadata) => (await opened).finish(metadata),
  };
};

import type { SchemaElement } from 'hyparquet';
import { ByteWriter, type ColumnSource, ParquetWriter } from 'hyparquet-writer';
import type { MonoTypeOperatorFunction } from 'rxjs';
import { type ColumnArray, type ColumnSpec, RUN_COLUMNS } from '../columns.ts';
import type { ModelBatch, ModelRun } from '../source/gradient-descent.ts';
import type { ByteTarget } from './byte-target.ts';
import { runMetadata } from './run-metadata.ts';
import { bigints, type TableFormat, words } from './table-format.ts';
import { tableSink } from './table-sink.ts';

export interface ParquetSinkOptions {
  /** Columns to write; those of the run's config unless given. */
  readonly columns?: readonly ColumnSpec[];
  /** The program that encodes the file: hyparquet-writer unless given. */
  readonly format?: TableFormat;
}

/**
 * Writes a run to a Parquet file: row groups of 65,536 rows, all columns required, config and summary as key-value
 * metadata. Passes the batches on, and completes when the file is closed.
 *
 * @example gradientDescent(presets.paper).pipe(splitLoss(), classifySharpness(), flowSolution(), detectPhases(),
 *   summarize(), parquetSink(fileTarget('run.parquet')))
 */
export function parquetSink(
  target: ByteTarget,
  options: ParquetSinkOptions = {},
): MonoTypeOperatorFunction<ModelBatch> {
  return tableSink<ModelRun, ModelBatch>(target, options.format ?? hyparquetFormat, {
    columns: options.columns ?? RUN_COLUMNS,
    metadata: runMetadata,
  });
}

/** Parquet by hyparquet-writer. */
export const hyparquetFormat: TableFormat = (target, columns) => {
  const bytes = new ByteWriter(1 << 20);
  const parquet = new ParquetWriter({
    writer: bytes,
    schema: [{ name: 'root', num_children: columns.length }, ...columns.map(schemaElement)],
    createdBy: 'eos-stream',
  });
  /** Hands over what has been encoded, and starts the buffer again; offsets in the file go on. */
  const drain = async () => {
    const encoded = bytes.getBytes();
    await target.write(encoded);
    bytes.index = 0;
  };

  return {
    async write(rows) {
      await parquet.write({
        columnData: columns.map((spec, c) => encodable(spec, rows.columns[c]!)),
        rowGroupSize: rows.length,
      });
      await drain();
    },
    async finish(metadata) {
      parquet.kvMetadata = Object.entries(metadata).map(([key, value]) => ({ key, value }));
      await parquet.finish();
      await drain();
    },
  };
};

function schemaElement({ name, type }: ColumnSpec): SchemaElement {
  if (type !== 'STRING') return { name, type, repetition_type: 'REQUIRED' };
  return {
    name,
    type: 'BYTE_ARRAY',
    converted_type: 'UTF8',
    logical_type: { type: 'STRING' },
    repetition_type: 'REQUIRED',
  };
}

function encodable(spec: ColumnSpec, values: ColumnArray): ColumnSource {
  const { name, type } = spec;
  // Page indexes are written at the very end only; statistics of row groups serve readers as well here.
  const column = { name, offsetIndex: false } as const;
  switch (type) {
    case 'INT64':
      return { ...column, data: bigints(values), encoding: 'DELTA_BINARY_PACKED' };
    case 'INT32':
      return { ...column, data: values, encoding: 'RLE_DICTIONARY' };
    case 'STRING':
      return { ...column, data: words(values, spec), encoding: 'RLE_DICTIONARY' };
    case 'DOUBLE':
      // Digits of a trajectory hardly compress: Snappy would save 7 % and take twice the time.
      return { ...column, data: values, encoding: 'PLAIN', codec: 'UNCOMPRESSED' };
  }
}

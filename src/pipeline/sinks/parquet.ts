import type { DecodedArray, SchemaElement } from 'hyparquet';
import { ByteWriter, type ColumnSource, ParquetWriter } from 'hyparquet-writer';
import type { MonoTypeOperatorFunction } from 'rxjs';
import { type ColumnSpec, RUN_COLUMNS } from '../columns.ts';
import type { ModelBatch, ModelRun } from '../source/gradient-descent.ts';
import type { ByteTarget } from './byte-target.ts';
import { runMetadata } from './run-metadata.ts';
import {
  bigints,
  type Cells,
  type TableColumn,
  type TableFormat,
  type WideTableWriter,
  words,
} from './table-format.ts';
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

/** Parquet by hyparquet-writer: a `TableFormat` that takes free text, truth values and nulls as well. */
export function hyparquetFormat(target: ByteTarget, columns: readonly TableColumn[]): WideTableWriter {
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
}

function schemaElement({ name, type, nullable }: TableColumn): SchemaElement {
  const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED';
  if (type !== 'STRING' && type !== 'TEXT') return { name, type, repetition_type };
  return { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' }, repetition_type };
}

function encodable(spec: TableColumn, values: Cells): ColumnSource {
  const { name, type } = spec;
  // Page indexes are written at the very end only; statistics of row groups serve readers as well here.
  const column = { name, offsetIndex: false } as const;
  switch (type) {
    case 'INT64':
      return spec.nullable
        ? { ...column, data: Array.from(values, (value) => (value === null ? null : BigInt(value))) }
        : { ...column, data: bigints(values as ArrayLike<number>), encoding: 'DELTA_BINARY_PACKED' };
    case 'INT32':
      return { ...column, data: values as DecodedArray, encoding: 'RLE_DICTIONARY' };
    case 'STRING':
      return { ...column, data: words(values as ArrayLike<number>, spec), encoding: 'RLE_DICTIONARY' };
    case 'TEXT':
    case 'BOOLEAN':
      return { ...column, data: values as DecodedArray };
    case 'DOUBLE':
      // Digits of a trajectory hardly compress: Snappy would save 7 % and take twice the time.
      return { ...column, data: values as DecodedArray, encoding: 'PLAIN', codec: 'UNCOMPRESSED' };
  }
}

import {
  AsyncByteQueue,
  type DataType,
  Dictionary,
  Field,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  Schema,
  Struct,
  Uint8,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow';
import type { MonoTypeOperatorFunction } from 'rxjs';
import { type ColumnArray, type ColumnSpec, RUN_COLUMNS } from '../columns.ts';
import type { ModelBatch, ModelRun } from '../source/gradient-descent.ts';
import type { ByteTarget } from './byte-target.ts';
import { runMetadata } from './run-metadata.ts';
import { bigints, type TableFormat } from './table-format.ts';
import { tableSink } from './table-sink.ts';

export interface ArrowSinkOptions {
  /** Columns to write; all columns of a run unless given. */
  readonly columns?: readonly ColumnSpec[];
}

/** Writes a run to an Arrow IPC file: the columns and metadata of the Parquet file, strings dictionary-encoded. */
export function arrowSink(target: ByteTarget, options: ArrowSinkOptions = {}): MonoTypeOperatorFunction<ModelBatch> {
  return tableSink<ModelRun, ModelBatch>(target, arrowFormat, {
    columns: options.columns ?? RUN_COLUMNS,
    metadata: runMetadata,
  });
}

/** Arrow IPC file format by apache-arrow. */
export const arrowFormat: TableFormat = (target, columns) => {
  // The file format wants the very same dictionary vector in every batch.
  const dictionaries = columns.map(({ values }) => (values ? vectorFromArray([...values], new Utf8()) : undefined));
  const types = columns.map(arrowType);
  const schema = new Schema(columns.map(({ name }, c) => new Field(name, types[c]!, false)));
  const bytes = new ByteCollector();
  const writer = new RecordBatchFileWriter();
  writer.reset(bytes, schema);

  const drain = async () => {
    for (const chunk of bytes.take()) await target.write(chunk);
  };

  return {
    async write({ length, columns: arrays }) {
      const children = columns.map((_, c) => columnData(types[c]!, arrays[c]!, dictionaries[c]));
      writer.write(
        new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, nullCount: 0, children })),
      );
      await drain();
    },
    async finish(metadata) {
      // The footer takes the schema's metadata as it is now; there is no other way to set it after the rows.
      for (const [key, value] of Object.entries(metadata)) schema.metadata.set(key, value);
      writer.finish();
      await drain();
    },
  };
};

/** Collects what apache-arrow writes, chunk by chunk. */
class ByteCollector extends AsyncByteQueue {
  #chunks: Uint8Array[] = [];

  override write(value: Uint8Array): void {
    if (value.byteLength > 0) this.#chunks.push(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }

  take(): Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }
}

function arrowType({ type }: ColumnSpec, id: number): DataType {
  switch (type) {
    case 'INT64':
      return new Int64();
    case 'INT32':
      return new Int32();
    case 'DOUBLE':
      return new Float64();
    case 'STRING':
      return new Dictionary(new Utf8(), new Uint8(), id);
  }
}

function columnData(type: DataType, values: ColumnArray, dictionary: Vector | undefined) {
  const data = type instanceof Int64 ? bigints(values) : values;
  const common = { length: values.length, nullCount: 0, data };
  return dictionary
    ? makeData({ type: type as Dictionary, ...common, dictionary } as never)
    : makeData({ type, ...common } as never);
}

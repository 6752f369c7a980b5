import type { Column, ColumnArray } from '../../core/schema.ts';
import { concatBytes } from '../concat-bytes.ts';
import { crc32 } from '../platform.ts';
import { SEAL_KEY, seal, UNSEALED } from '../seal.ts';
import { bigints, type Metadata, type Rows, type TableFormat } from '../table-format.ts';
import {
  AsyncByteQueue,
  type DataType,
  Dictionary,
  Field,
  Float64,
  Int32,
  Int64,
  makeData,
  makeVector,
  RecordBatch,
  Schema,
  Struct,
  Uint8,
  Utf8,
  type Vector,
} from './apache-arrow.ts';
import { FileWriter } from './apache-arrow-parts.ts';
import { arrowFooter } from './arrow-footer.ts';

/** Makes record batches of rows with these columns. */
export function arrowEncoder(columns: readonly Column[], metadata: Metadata = {}) {
  // The file format wants the very same dictionary vector in every batch.
  const dictionaries = columns.map(({ words }) => (words ? wordVector(words) : undefined));
  const types = columns.map(arrowType);
  const schema = new Schema(
    columns.map(({ name, symbol, unit, meaning, nullable = false }, c) => {
      const described = new Map(Object.entries({ symbol, unit, meaning }));
      return new Field(name, types[c]!, nullable, described);
    }),
    new Map(Object.entries(metadata)),
  );
  const type = new Struct(schema.fields);
  return {
    schema,
    dictionaries,
    batch({ length, columns: arrays }: Rows, notes?: Metadata): RecordBatch {
      const children = columns.map(({ nullable }, c) =>
        columnData(types[c]!, arrays[c]!, dictionaries[c], nullable),
      );
      const data = makeData({ type, length, nullCount: 0, children });
      return new RecordBatch(schema, data, new Map(Object.entries(notes ?? {})));
    },
  };
}

/** Arrow IPC file format by apache-arrow. */
export const arrowFormat: TableFormat = (target, columns, from) => {
  const { schema, dictionaries, batch } = arrowEncoder(columns);
  const bytes = new ByteCollector();
  const writer = new FileWriter();
  writer.reset(bytes, schema);
  /** CRC-32 of what has been written since the last record batch. */
  let since = 0;
  if (from?.kind === 'arrow') {
    const header = bytes.take();
    if (from.batches.length === 0) since = crc32(header);
    const seen = new Map(
      dictionaries.flatMap((vector, id) => (vector ? [[id, vector] as const] : [])),
    );
    writer.restore(from, from.dictionaries.length > 0 ? seen : new Map());
  }

  /**
   * Each record batch has the checksum of all that stands between the one before it and its own
   * end.
   */
  const encode = (rows: Rows): Uint8Array => {
    writer.write(batch(rows, { [SEAL_KEY]: UNSEALED }));
    const { batches } = writer.state();
    const encoded = bytes.take();
    seal(encoded, encoded.length - Number(batches.at(-1)!.bodyLength), since);
    return encoded;
  };

  return {
    async write(rows, metadata) {
      const before = writer.state();
      const encoded = encode(rows);
      since = 0;
      const { batches, dictionaries: written } = writer.state();
      const group = {
        batches: batches.slice(before.batches.length),
        dictionaries: written.slice(before.dictionaries.length),
      };
      await target.write(encoded, metadata && arrowFooter(schema, group, metadata));
    },
    async closing(rows, metadata) {
      const header = bytes.take();
      since = crc32(header, since);
      if (header.length > 0) await target.write(header);
      const before = writer.state();
      const encoded = rows.length > 0 ? encode(rows) : new Uint8Array(0);
      const footer = arrowFooter(schema, writer.state(), metadata);
      writer.restore(before, before.seen);
      return concatBytes([encoded, footer]);
    },
    async finish(metadata) {
      await target.write(
        concatBytes([bytes.take(), arrowFooter(schema, writer.state(), metadata)]),
      );
    },
  };
};

/** Collects what apache-arrow writes, chunk by chunk. */
export class ByteCollector extends AsyncByteQueue {
  #chunks: Uint8Array[] = [];

  override write(value: Uint8Array): void {
    if (value.byteLength > 0)
      this.#chunks.push(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }

  take(): Uint8Array {
    const all = concatBytes(this.#chunks);
    this.#chunks = [];
    return all;
  }
}

/** Words as a vector; the builders of apache-arrow make functions of text, which pages forbid. */
function wordVector(words: readonly string[]): Vector<Utf8> {
  const encoded = words.map((word) => new TextEncoder().encode(word));
  const valueOffsets = new Int32Array(words.length + 1);
  for (const [i, { length }] of encoded.entries()) valueOffsets[i + 1] = valueOffsets[i]! + length;
  const data = concatBytes(encoded);
  const length = words.length;
  return makeVector(makeData({ type: new Utf8(), length, nullCount: 0, valueOffsets, data }));
}

function arrowType({ type }: Column, id: number): DataType {
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

function columnData(
  type: DataType,
  values: ColumnArray,
  dictionary: Vector | undefined,
  nullable = false,
) {
  const data = type instanceof Int64 ? bigints(values) : values;
  const common = { length: values.length, data, ...(nullable ? validity(values) : NO_NULLS) };
  return dictionary
    ? makeData({ type: type as Dictionary, ...common, dictionary } as never)
    : makeData({ type, ...common } as never);
}

const NO_NULLS = { nullCount: 0 };

/** NaN is none: a bit for each value that is there. */
function validity(values: ColumnArray): {
  readonly nullCount: number;
  readonly nullBitmap?: Uint8Array;
} {
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8));
  let nullCount = 0;
  values.forEach((value, i) => {
    if (Number.isNaN(value)) nullCount++;
    else nullBitmap[i >> 3]! |= 1 << (i & 7);
  });
  return nullCount === 0 ? NO_NULLS : { nullCount, nullBitmap };
}

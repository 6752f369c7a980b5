import {
  Bool,
  type DataType,
  Field,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Utf8,
  vectorFromArray,
} from '../../pipeline/formats/arrow/apache-arrow.ts';
import { ByteCollector } from '../../pipeline/formats/arrow/arrow-format.ts';
import type { Cell, Encoder } from './encode.ts';

/** Rows as an Arrow IPC stream, which readers take from a pipe as well as from a file. */
export function arrowEncoder(metadata: Readonly<Record<string, string>>): Encoder {
  return async function* (fields, blocks) {
    const types = fields.map(({ type }) => arrowType(type));
    const schema = new Schema(
      fields.map(({ name }, c) => new Field(name, types[c]!, true)),
      new Map(Object.entries(metadata)),
    );
    const struct = new Struct(schema.fields);
    const bytes = new ByteCollector();
    const writer = new RecordBatchStreamWriter();
    writer.reset(bytes, schema);
    for await (const { length, columns } of blocks) {
      const children = columns.map((values, c) => {
        const cells = Array.from(values as ArrayLike<Cell>, (cell) => arrowCell(types[c]!, cell));
        return vectorFromArray(cells, types[c]!).data[0]!;
      });
      const data = makeData({ type: struct, length, nullCount: 0, children });
      writer.write(new RecordBatch(schema, data));
      yield bytes.take();
    }
    writer.finish();
    yield bytes.take();
  };
}

function arrowType(name: string): DataType {
  if (name === 'INT64') return new Int64();
  if (name === 'INT32') return new Int32();
  if (/^(double|float)\d*$/i.test(name)) return new Float64();
  return /^bool/i.test(name) ? new Bool() : new Utf8();
}

function arrowCell(type: DataType, cell: Cell): Cell {
  if (cell === null || cell === undefined) return null;
  if (type instanceof Int64) return BigInt(cell);
  return type instanceof Utf8 ? String(cell) : cell;
}

import type { DecodedArray, FileMetaData, KeyValue, SchemaElement } from 'hyparquet';
import { ByteWriter, type ColumnSource, ParquetWriter } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import type { ColumnSpec } from '../columns.ts';
import type { ByteTarget } from './byte-target.ts';
import { writeRowGroup } from './parquet-chunk.ts';
import {
  bigints,
  type Cells,
  type Metadata,
  type Rows,
  type TableColumn,
  type TableState,
  type WideRows,
  type WideTableWriter,
  words,
} from './table-format.ts';

/** First and last bytes of a Parquet file, as a little-endian number. */
const MAGIC = 0x31524150;

/** Parquet by hyparquet-writer: a `TableFormat` that takes free text, truth values and nulls as well. */
export function hyparquetFormat(
  target: ByteTarget,
  columns: readonly TableColumn[],
  from?: TableState,
): WideTableWriter {
  const bytes = new ByteWriter(1 << 16);
  const parquet = new ParquetWriter({
    writer: bytes,
    schema: [{ name: 'root', num_children: columns.length }, ...columns.map(schemaElement)],
    createdBy: 'eos-stream',
  });
  if (from?.kind === 'parquet') {
    parquet.row_groups = [...from.footer.row_groups];
    parquet.num_rows = from.footer.num_rows;
    bytes.index = 0;
    bytes.offset = from.end;
  }

  /** Hands over what has been encoded, and starts the buffer again; offsets in the file go on. */
  const drain = async (footer?: Uint8Array) => {
    if (bytes.index === 0) return;
    await target.write(bytes.getBytes(), footer);
    bytes.index = 0;
  };
  const encode = (rows: WideRows) => {
    const { length, columns: arrays } = rows;
    if (columns.every(isPlain)) {
      // Doubling on the way to the size of a row group would leave three times as much behind.
      bytes.ensure(columns.length * (8 * length + 1024));
      const group = writeRowGroup(bytes, columns, rows as Rows);
      parquet.row_groups.push(group);
      parquet.num_rows += group.num_rows;
      return;
    }
    parquet.write({
      columnData: columns.map((spec, c) => encodable(spec, arrays[c]!)),
      rowGroupSize: length,
      // One page a column: looking for places to cut would measure each text once more.
      pageSize: 0,
    });
    // They serve page indexes, which are not written, and would pile up.
    parquet.pendingIndexes.length = 0;
  };
  const fileMetadata = (metadata: Metadata): FileMetaData => ({
    version: 2,
    created_by: parquet.createdBy,
    schema: parquet.schema,
    num_rows: parquet.num_rows,
    row_groups: parquet.row_groups,
    key_value_metadata: keyValues(metadata),
    metadata_length: 0,
  });

  return {
    async write(rows, metadata) {
      encode(rows);
      const group = parquet.row_groups.at(-1)!;
      await drain(
        metadata && parquetFooter({ ...fileMetadata(metadata), row_groups: [group], num_rows: group.num_rows }),
      );
    },
    async closing(rows, metadata) {
      await drain();
      const { offset } = bytes;
      const { num_rows: before } = parquet;
      if (rows.length > 0) encode(rows);
      writeFooter(bytes, fileMetadata(metadata));
      const closing = bytes.getBytes().slice();
      if (rows.length > 0) parquet.row_groups.pop();
      parquet.num_rows = before;
      bytes.index = 0;
      bytes.offset = offset;
      return closing;
    },
    async finish(metadata) {
      writeFooter(bytes, fileMetadata(metadata));
      await drain();
    },
  };
}

/** What stands behind the row groups of a Parquet file: the footer, its length, and the closing magic. */
export function parquetFooter(metadata: FileMetaData): Uint8Array {
  const bytes = new ByteWriter(1 << 12);
  writeFooter(bytes, metadata);
  return bytes.getBytes();
}

function writeFooter(bytes: ByteWriter, metadata: FileMetaData): void {
  writeMetadata(bytes, metadata);
  bytes.appendUint32(MAGIC);
}

export function keyValues(metadata: Metadata): KeyValue[] {
  return Object.entries(metadata).map(([key, value]) => ({ key, value }));
}

/** Whether a column is as in a run file: typed arrays without nulls. */
function isPlain(column: TableColumn): column is ColumnSpec {
  return !column.nullable && column.type !== 'TEXT' && column.type !== 'BOOLEAN';
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
      // Free texts hardly repeat; where they do, Snappy sees it.
      return { ...column, data: values as DecodedArray, encoding: 'PLAIN', statistics: false };
    case 'BOOLEAN':
      return { ...column, data: values as DecodedArray };
    case 'DOUBLE':
      // Digits of a trajectory hardly compress: Snappy would save 7 % and take twice the time.
      return { ...column, data: values as DecodedArray, encoding: 'PLAIN', codec: 'UNCOMPRESSED' };
  }
}

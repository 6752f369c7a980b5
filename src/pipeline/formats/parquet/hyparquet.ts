import type { FileMetaData, KeyValue, RowGroup, SchemaElement } from 'hyparquet';
import type { ColumnArray } from '../../core/schema.ts';
import type { ByteTarget } from '../byte-target.ts';
import { SEAL_KEY, seal, UNSEALED } from '../seal.ts';
import {
  type Compression,
  columnsMetadata,
  type Metadata,
  type TableColumn,
  type TableState,
  type WideRows,
  type WideTableWriter,
} from '../table-format.ts';
import { OUTLINE_FROM } from './chunk-outline.ts';
import { ByteWriter, ParquetWriter, writeMetadata } from './hyparquet-writer-parts.ts';
import { listPath, writeRowGroup } from './parquet-chunk.ts';
import { type Packer, packerOf } from './parquet-compression.ts';

/** First and last bytes of a Parquet file, as a little-endian number. */
const MAGIC = 0x31524150;

/** A row group to be encoded, and where in the file it is to stand. */
export interface GroupTask {
  readonly rows: WideRows;
  readonly offset: number;
  /** With what overviews are drawn from. */
  readonly outlined: boolean;
}

export interface EncodedGroup {
  /** They stand until the next group is encoded. */
  readonly bytes: Uint8Array;
  /** What a footer says of it. */
  readonly group: RowGroup;
}

/** Encodes row groups elsewhere, as in another thread: one after the other, to the same bytes. */
export interface GroupEncoder {
  /** Arrays of so many rows that it sees without their being copied. */
  arrays(rows: number): readonly ColumnArray[];
  /** Undefined where it cannot yet. */
  encode(task: GroupTask): Promise<EncodedGroup> | undefined;
  /** No further ones come. */
  close(): void;
}

export type EncoderOf = (columns: readonly TableColumn[], compression: Compression) => GroupEncoder;

/**
 * Parquet by hyparquet-writer: a `TableFormat` that takes free text, truth values and nulls as
 * well. Its numbers are packed: BYTE_STREAM_SPLIT and a codec. A file that is continued goes on as
 * it began.
 *
 * @throws TypeError where this platform has no such encoder
 */
export function hyparquetFormat(
  compression: Compression = 'snappy',
  encoderOf?: EncoderOf,
): (target: ByteTarget, columns: readonly TableColumn[], from?: TableState) => WideTableWriter {
  packerOf(compression);
  return (target, columns, from) => {
    const begun = from?.kind === 'parquet' ? from.compression : undefined;
    const chosen = begun ?? compression;
    const encoder = encoderOf?.(columns, chosen);
    return parquetWriter(target, columns, from, packerOf(chosen), encoder);
  };
}

function parquetWriter(
  target: ByteTarget,
  columns: readonly TableColumn[],
  from: TableState | undefined,
  packer: Packer | undefined,
  encoder: GroupEncoder | undefined,
): WideTableWriter {
  const bytes = new ByteWriter(1 << 16);
  const parquet = new ParquetWriter({
    writer: bytes,
    schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap(schemaElements)],
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
  const isOutlined = ({ length }: WideRows) => Number(parquet.num_rows) + length >= OUTLINE_FROM;
  const note = (group: RowGroup) => {
    parquet.row_groups.push(group);
    parquet.num_rows += group.num_rows;
  };
  const encode = (rows: WideRows, draft = false) => {
    const outlined = !draft && isOutlined(rows);
    note(writeRowGroup(bytes, columns, rows, packer, { draft, outlined }));
  };
  const fileMetadata = (metadata: Metadata): FileMetaData => ({
    version: 2,
    created_by: parquet.createdBy,
    schema: parquet.schema,
    num_rows: parquet.num_rows,
    row_groups: parquet.row_groups,
    key_value_metadata: keyValues({ ...metadata, ...columnsMetadata(columns) }),
    metadata_length: 0,
  });

  /** The footer of a file that held the last row group alone. */
  const footerOfLast = (metadata: Metadata) => {
    const group = parquet.row_groups.at(-1)!;
    const all = fileMetadata(metadata);
    return parquetFooter({ ...all, row_groups: [group], num_rows: group.num_rows });
  };

  return {
    async write(rows, metadata) {
      // What stands before the first row group is written with it.
      const task = { rows, offset: bytes.offset, outlined: isOutlined(rows) };
      const encoded = bytes.index === 0 ? await encoder?.encode(task) : undefined;
      if (!encoded) {
        encode(rows);
        return drain(metadata && footerOfLast(metadata));
      }
      note(encoded.group);
      bytes.offset += encoded.bytes.length;
      await target.write(encoded.bytes, metadata && footerOfLast(metadata));
    },
    async closing(rows, metadata) {
      await drain();
      const { offset } = bytes;
      const { num_rows: before } = parquet;
      // Not packed: of a group that grows, the journal notes what is new, and packing moves all
      // bytes.
      if (rows.length > 0) encode(rows, true);
      writeFooter(bytes, fileMetadata(metadata));
      const closing = bytes.getBytes().slice();
      if (rows.length > 0) parquet.row_groups.pop();
      parquet.num_rows = before;
      bytes.index = 0;
      bytes.offset = offset;
      return closing;
    },
    async finish(metadata) {
      encoder?.close();
      writeFooter(bytes, fileMetadata(metadata));
      await drain();
    },
    ...(encoder && { arrays: encoder.arrays }),
  };
}

/**
 * What stands behind the row groups of a Parquet file: the footer, its length, and the closing
 * magic.
 */
export function parquetFooter(metadata: FileMetaData): Uint8Array {
  const bytes = new ByteWriter(1 << 12);
  writeFooter(bytes, metadata);
  return bytes.getBytes();
}

/** A footer that has a checksum of itself among its metadata is given the right one. */
function writeFooter(bytes: ByteWriter, metadata: FileMetaData): void {
  const start = bytes.index;
  writeMetadata(bytes, metadata);
  bytes.appendUint32(MAGIC);
  seal(bytes.getBytes().subarray(start));
}

export function keyValues(metadata: Metadata): KeyValue[] {
  return Object.entries(metadata).map(([key, value]) => ({
    key,
    value: key === SEAL_KEY ? UNSEALED : value,
  }));
}

function schemaElements({ listed, ...column }: TableColumn): SchemaElement[] {
  if (listed === undefined) return [schemaElement(column)];
  const [, list, element] = listPath(column.name);
  return [
    {
      name: column.name,
      repetition_type: 'REQUIRED',
      num_children: 1,
      converted_type: 'LIST',
      logical_type: { type: 'LIST' },
    },
    { name: list, repetition_type: 'REPEATED', num_children: 1 },
    schemaElement({ ...column, name: element }),
  ];
}

function schemaElement({ name, type, nullable }: TableColumn): SchemaElement {
  const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED';
  if (type !== 'STRING' && type !== 'TEXT') return { name, type, repetition_type };
  return {
    name,
    type: 'BYTE_ARRAY',
    converted_type: 'UTF8',
    logical_type: { type: 'STRING' },
    repetition_type,
  };
}

import { DictionaryBatch } from 'apache-arrow/fb/dictionary-batch';
import { Field } from 'apache-arrow/fb/field';
import { FixedSizeBinary } from 'apache-arrow/fb/fixed-size-binary';
import { FloatingPoint } from 'apache-arrow/fb/floating-point';
import { Footer } from 'apache-arrow/fb/footer';
import { Int } from 'apache-arrow/fb/int';
import { Message } from 'apache-arrow/fb/message';
import { MessageHeader } from 'apache-arrow/fb/message-header';
import { RecordBatch } from 'apache-arrow/fb/record-batch';
import type { Schema } from 'apache-arrow/fb/schema';
import { Type } from 'apache-arrow/fb/type';
import { ByteBuffer, Encoding } from 'flatbuffers';
import { damaged, LIMITS } from './limits.ts';

/** A column as far as its buffers are concerned; nested ones are not read. */
export interface ArrowColumn {
  readonly name: string;
  /** Bits a value; undefined for text and bytes, which stand behind offsets of `offsets` bytes. */
  readonly bits: number | undefined;
  readonly offsets: 4 | 8;
  /** Number of its dictionary, where it has one: `bits` is then that of the codes. */
  readonly dictionary: number | undefined;
  /** The same of the words in the dictionary. */
  readonly words: Pick<ArrowColumn, 'bits' | 'offsets'> | undefined;
}

export interface ArrowBlock {
  readonly offset: number;
  readonly metaDataLength: number;
  readonly bodyLength: number;
}

/** What an Arrow footer says, as far as it can be so. */
export interface CheckedFooter {
  readonly columns: readonly ArrowColumn[];
  readonly batches: readonly ArrowBlock[];
  readonly dictionaries: readonly ArrowBlock[];
}

/**
 * Reads an Arrow footer, believing nothing that cannot be so: the reader of the format takes every length on trust, and
 * reads zeros where there is nothing.
 *
 * @param footer the flatbuffer
 * @param end where the record batches must have ended
 * @throws DamagedFileError
 */
export function checkArrowFooter(footer: Uint8Array, end: number): CheckedFooter {
  const buffer = new ByteBuffer(footer);
  checkRoot(buffer);
  const root = Footer.getRootAsFooter(buffer);
  const schema = root.schema();
  if (!schema) return damaged('its footer has no schema');
  const blocks = (
    count: number,
    at: (i: number) => { offset(): bigint; metaDataLength(): number; bodyLength(): bigint } | null,
  ) => {
    if (!(count >= 0 && count * 24 <= footer.length)) damaged(`its footer claims ${count} record batches`);
    return Array.from({ length: count }, (_, i): ArrowBlock => {
      const block = at(i);
      const offset = Number(block?.offset() ?? -1);
      const metaDataLength = block?.metaDataLength() ?? -1;
      const bodyLength = Number(block?.bodyLength() ?? -1);
      if (!(offset >= 8 && metaDataLength >= 16 && bodyLength >= 0 && offset + metaDataLength + bodyLength <= end)) {
        damaged('it has a record batch outside the file');
      }
      return { offset, metaDataLength, bodyLength };
    });
  };
  return {
    columns: checkArrowSchema(schema, footer.length),
    batches: blocks(root.recordBatchesLength(), (i) => root.recordBatches(i)),
    dictionaries: blocks(root.dictionariesLength(), (i) => root.dictionaries(i)),
  };
}

/** Columns of a schema. @throws DamagedFileError where it is not one, or has columns that are not read */
export function checkArrowSchema(schema: Schema, bytes: number): readonly ArrowColumn[] {
  const count = schema.fieldsLength();
  if (!(count >= 0 && count <= LIMITS.columns && count * 4 <= bytes)) damaged(`it claims ${count} columns`);
  const room = textRoom(bytes);
  checkNotes(schema, bytes, room);
  return Array.from({ length: count }, (_, i) => {
    const field = schema.fields(i, new Field());
    if (!field) return damaged('a column of it is missing');
    return checkField(field, bytes, room);
  });
}

/** Texts may be pointed at many times over; together they must not be much longer than what they stand in. */
function textRoom(bytes: number): (text: string | Uint8Array | null) => void {
  let left = 4 * bytes;
  return (text) => {
    left -= text?.length ?? 0;
    if (left < 0) damaged('its metadata repeats itself without end');
  };
}

interface Noted {
  customMetadataLength(): number;
  customMetadata(
    i: number,
  ): { key(as: Encoding): string | Uint8Array | null; value(as: Encoding): string | Uint8Array | null } | null;
}

function checkNotes(noted: Noted, bytes: number, room: ReturnType<typeof textRoom>): void {
  const count = noted.customMetadataLength();
  if (!(count >= 0 && count * 4 <= bytes)) damaged(`it claims ${count} notes`);
  for (let i = 0; i < count; i++) {
    const note = noted.customMetadata(i);
    room(note?.key(Encoding.UTF8_BYTES) ?? null);
    room(note?.value(Encoding.UTF8_BYTES) ?? null);
  }
}

function checkField(field: Field, bytes: number, room: ReturnType<typeof textRoom>): ArrowColumn {
  room(field.name(Encoding.UTF8_BYTES));
  const name = field.name() ?? damaged('a column of it has no name');
  if (field.childrenLength() !== 0) damaged(`its column ${name.slice(0, 80)} is nested, which is not read`);
  checkNotes(field, bytes, room);
  const values = layoutOf(field, name);
  const encoding = field.dictionary();
  if (!encoding) return { name, ...values, dictionary: undefined, words: undefined };
  const index = encoding.indexType();
  const bits = index ? index.bitWidth() : 32;
  if (![8, 16, 32, 64].includes(bits)) damaged(`its column ${name.slice(0, 80)} has codes of ${bits} bits`);
  return { name, bits, offsets: 4, dictionary: Number(encoding.id()), words: values };
}

function layoutOf(field: Field, name: string): Pick<ArrowColumn, 'bits' | 'offsets'> {
  const fixed = (bits: number) => ({ bits, offsets: 4 }) as const;
  switch (field.typeType()) {
    case Type.Int: {
      const bits = (field.type(new Int()) as Int | null)?.bitWidth() ?? 0;
      return [8, 16, 32, 64].includes(bits) ? fixed(bits) : damaged(`its column ${name} has numbers of ${bits} bits`);
    }
    case Type.FloatingPoint: {
      const precision = (field.type(new FloatingPoint()) as FloatingPoint | null)?.precision() ?? 0;
      return fixed([16, 32, 64][precision] ?? damaged(`its column ${name} has numbers of no known kind`));
    }
    case Type.Bool:
      return fixed(1);
    case Type.Utf8:
    case Type.Binary:
      return { bits: undefined, offsets: 4 };
    case Type.LargeUtf8:
    case Type.LargeBinary:
      return { bits: undefined, offsets: 8 };
    case Type.Date:
    case Type.Time:
      return fixed(32);
    case Type.Timestamp:
    case Type.Duration:
      return fixed(64);
    case Type.Decimal:
      return fixed(128);
    case Type.FixedSizeBinary: {
      const width = (field.type(new FixedSizeBinary()) as FixedSizeBinary | null)?.byteWidth() ?? 0;
      return width > 0 && width < 1 << 20
        ? fixed(8 * width)
        : damaged(`its column ${name} has values of ${width} bytes`);
    }
    default:
      return damaged(`its column ${name.slice(0, 80)} is of a type that is not read`);
  }
}

/**
 * Checks the message of a record batch, or of a dictionary, against its body.
 *
 * @param message flatbuffer of the message
 * @returns rows of the batch, or words of the dictionary
 */
export function checkArrowBatch(
  message: Uint8Array,
  body: Uint8Array | undefined,
  columns: readonly ArrowColumn[],
  bodyLength: number,
): number {
  const buffer = new ByteBuffer(message);
  checkRoot(buffer);
  const root = Message.getRootAsMessage(buffer);
  if (Number(root.bodyLength()) > bodyLength) damaged('it has a record batch that is cut off');
  checkNotes(root, message.length, textRoom(message.length));
  if (root.headerType() === MessageHeader.RecordBatch) {
    const batch = root.header(new RecordBatch()) as RecordBatch | null;
    return checkBuffers(batch ?? damaged('it has an empty record batch'), body, columns, message.length, bodyLength);
  }
  if (root.headerType() !== MessageHeader.DictionaryBatch) return damaged('it has a message of unknown kind');
  const dictionary = root.header(new DictionaryBatch()) as DictionaryBatch | null;
  const id = Number(dictionary?.id());
  const column = columns.find((candidate) => candidate.dictionary === id && candidate.words);
  const batch = dictionary?.data();
  if (!column?.words || !batch) return damaged('it has a dictionary of no column');
  const words: ArrowColumn = { name: column.name, ...column.words, dictionary: undefined, words: undefined };
  return checkBuffers(batch, body, [words], message.length, bodyLength);
}

function checkBuffers(
  batch: RecordBatch,
  body: Uint8Array | undefined,
  columns: readonly ArrowColumn[],
  bytes: number,
  bodyLength: number,
): number {
  const rows = Number(batch.length());
  if (!(Number.isSafeInteger(rows) && rows >= 0 && rows <= LIMITS.groupRows)) {
    damaged(`it has a record batch that claims ${batch.length()} rows`);
  }
  if (batch.compression()) damaged('it is compressed, which is not read; write it uncompressed');
  const nodes = batch.nodesLength();
  const buffers = batch.buffersLength();
  if (nodes !== columns.length || nodes * 16 > bytes) damaged(`it has a record batch of ${nodes} columns`);
  if (!(buffers >= 0 && buffers * 16 <= bytes)) damaged(`it has a record batch of ${buffers} buffers`);
  let next = 0;
  const region = (least: number) => {
    const buffer = batch.buffers(next++);
    const offset = Number(buffer?.offset() ?? -1);
    const length = Number(buffer?.length() ?? -1);
    if (!(offset >= 0 && length >= least && offset + length <= bodyLength)) {
      damaged('it has a record batch whose buffers are cut off');
    }
    return { offset, length };
  };
  columns.forEach(({ bits, offsets }, c) => {
    const node = batch.nodes(c);
    const nulls = Number(node?.nullCount() ?? -1);
    if (Number(node?.length() ?? -1) !== rows || !(nulls >= 0 && nulls <= rows)) {
      damaged('it has columns of different lengths');
    }
    region(nulls > 0 ? Math.ceil(rows / 8) : 0);
    if (bits !== undefined) {
      region(Math.ceil((rows * bits) / 8));
      return;
    }
    const starts = region(rows === 0 ? 0 : (rows + 1) * offsets);
    const text = region(0);
    if (body && rows > 0) checkOffsets(body, starts.offset, offsets, rows, text.length);
  });
  return rows;
}

/** Texts must follow one another: else a small file holds each of its rows the whole of it. */
function checkOffsets(body: Uint8Array, at: number, width: 4 | 8, rows: number, length: number): void {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let before = 0;
  for (let i = 0; i <= rows; i++) {
    const place = at + i * width;
    const offset = width === 4 ? view.getInt32(place, true) : Number(view.getBigInt64(place, true));
    if (!(offset >= before && offset <= length)) damaged('it has texts outside its buffers');
    before = offset;
  }
}

/** The place of the root table, which all others are found from. */
function checkRoot(buffer: ByteBuffer): void {
  const root = buffer.capacity() >= 8 ? buffer.readInt32(0) : -1;
  if (!(root >= 4 && root <= buffer.capacity() - 4)) damaged('its metadata is cut off');
}

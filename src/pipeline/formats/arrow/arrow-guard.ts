import { damaged } from '../limits.ts';
import { ByteBuffer } from './apache-arrow.ts';
import {
  DictionaryBatch,
  Footer,
  Message,
  MessageHeader,
  RecordBatch,
} from './apache-arrow-parts.ts';
import { checkBuffers } from './arrow-buffers.ts';
import { type CheckedSchema, checkArrowSchema, checkNotes, textRoom } from './arrow-schema.ts';

export interface ArrowBlock {
  readonly offset: number;
  readonly metaDataLength: number;
  readonly bodyLength: number;
}

/** What an Arrow footer says, as far as it can be so. */
export interface CheckedFooter {
  readonly schema: CheckedSchema;
  readonly batches: readonly ArrowBlock[];
  readonly dictionaries: readonly ArrowBlock[];
}

/**
 * Reads an Arrow footer, believing nothing that cannot be so: the reader of the format takes every
 * length on trust, and reads zeros where there is nothing.
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
  let left = end;
  const blocks = (
    count: number,
    at: (i: number) => { offset(): bigint; metaDataLength(): number; bodyLength(): bigint } | null,
  ) => {
    if (!(count >= 0 && count * 24 <= footer.length))
      damaged(`its footer claims ${count} record batches`);
    return Array.from({ length: count }, (_, i): ArrowBlock => {
      const block = at(i);
      const offset = Number(block?.offset() ?? -1);
      const metaDataLength = block?.metaDataLength() ?? -1;
      const bodyLength = Number(block?.bodyLength() ?? -1);
      if (
        !(
          offset >= 8 &&
          metaDataLength >= 16 &&
          bodyLength >= 0 &&
          offset + metaDataLength + bodyLength <= end
        )
      ) {
        damaged('it has a record batch outside the file');
      }
      left -= metaDataLength + bodyLength;
      if (left < 0) damaged('it has the same record batches again and again');
      return { offset, metaDataLength, bodyLength };
    });
  };
  return {
    schema: checkArrowSchema(schema, footer.length),
    batches: blocks(root.recordBatchesLength(), (i) => root.recordBatches(i)),
    dictionaries: blocks(root.dictionariesLength(), (i) => root.dictionaries(i)),
  };
}

/**
 * Checks the message of a record batch, or of a dictionary, against its body.
 *
 * @param message flatbuffer of the message
 * @param stored bytes that the body takes in the file: what is in it must be in proportion
 * @returns rows of the batch, or words of the dictionary
 */
export function checkArrowBatch(
  message: Uint8Array,
  body: Uint8Array | undefined,
  schema: CheckedSchema,
  bodyLength: number,
  stored = bodyLength,
): number {
  const buffer = new ByteBuffer(message);
  checkRoot(buffer);
  const root = Message.getRootAsMessage(buffer);
  if (!(Number(root.bodyLength()) <= bodyLength)) damaged('it has a record batch that is cut off');
  checkNotes(root, message.length, textRoom(message.length));
  const claims = { bytes: message.length, body, bodyLength, stored };
  if (root.headerType() === MessageHeader.RecordBatch) {
    const batch = root.header(new RecordBatch()) as RecordBatch | null;
    return checkBuffers(batch ?? damaged('it has an empty record batch'), schema.columns, claims);
  }
  if (root.headerType() !== MessageHeader.DictionaryBatch)
    return damaged('it has a message of unknown kind');
  const dictionary = root.header(new DictionaryBatch()) as DictionaryBatch | null;
  const words = schema.dictionaries.get(Number(dictionary?.id()));
  const batch = dictionary?.data();
  if (!words || !batch) return damaged('it has a dictionary of no column');
  return checkBuffers(batch, [words], claims);
}

/** The place of the root table, which all others are found from. */
function checkRoot(buffer: ByteBuffer): void {
  const root = buffer.capacity() >= 8 ? buffer.readInt32(0) : -1;
  if (!(root >= 4 && root <= buffer.capacity() - 4)) damaged('its metadata is cut off');
}

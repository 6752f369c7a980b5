import { type Table, tableFromIPC } from 'apache-arrow';
import { Message } from 'apache-arrow/fb/message';
import { MessageHeader } from 'apache-arrow/fb/message-header';
import { Schema } from 'apache-arrow/fb/schema';
import { ByteBuffer } from 'flatbuffers';
import { concatBytes } from '../byte-target.ts';
import { checkRowCount, damaged, decoded, LIMITS } from '../limits.ts';
import { checkArrowBatch } from './arrow-guard.ts';
import { type CheckedSchema, checkArrowSchema } from './arrow-schema.ts';
import { MESSAGE_PREFIX, unpackArrow, unpackingAllowance } from './arrow-unpack.ts';

/** What a message begins with. */
const MARK = Uint8Array.of(0xff, 0xff, 0xff, 0xff);

/**
 * Reads an Arrow IPC stream of anybody, one record batch after the other.
 * @throws DamagedFileError
 */
export async function* readArrowStream(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Table> {
  const input = byteReader(chunks);
  const allow = unpackingAllowance();
  let columns: CheckedSchema | undefined;
  let schema: Uint8Array | undefined;
  let rows = 0;
  let seen = 0;
  let dictionaries: Uint8Array[] = [];
  let kept = 0;
  for (;;) {
    const prefix = await input.prefix();
    if (prefix === undefined) {
      if (!schema) damaged('it is empty');
      return;
    }
    if (prefix.length === 0) return;
    const metadata = await input.take(prefix.length);
    const message = decoded(() => Message.getRootAsMessage(new ByteBuffer(metadata)));
    const bodyLength = Number(message.bodyLength());
    if (!(bodyLength >= 0 && bodyLength <= LIMITS.chunk * 4))
      damaged(`it has a message of ${bodyLength} bytes`);
    const body = await input.take(bodyLength);
    // Streams of before 2019 have no mark.
    const whole = concatBytes([MARK, prefix.bytes.subarray(-4), metadata, body]);
    if (message.headerType() === MessageHeader.Schema) {
      if (columns) damaged('its columns change');
      const root = message.header(new Schema()) as Schema | null;
      if (!root) return damaged('it has no schema');
      columns = decoded(() => checkArrowSchema(root, metadata.length));
      schema = whole;
      continue;
    }
    if (!columns || !schema) return damaged('it does not begin with a schema');
    const known = columns;
    seen += whole.length;
    const { bytes, length } = decoded(() => {
      checkArrowBatch(metadata, body, known, bodyLength);
      const stored = { bytes: whole, metaDataLength: MESSAGE_PREFIX + metadata.length };
      // The dictionaries are read anew with each batch.
      allow(bodyLength, kept);
      const plain = unpackArrow(stored, (unpacked) => allow(0, unpacked));
      const unpacked = plain.bytes.subarray(plain.metaDataLength);
      const message =
        plain === stored ? metadata : plain.bytes.slice(MESSAGE_PREFIX, plain.metaDataLength);
      return {
        bytes: plain.bytes,
        length: checkArrowBatch(message, unpacked, known, unpacked.length, bodyLength),
      };
    });
    if (message.headerType() === MessageHeader.DictionaryBatch) {
      kept += bytes.length;
      if (kept > LIMITS.dictionaries)
        damaged(`its dictionaries take more than ${LIMITS.dictionaries} bytes`);
      dictionaries = [...dictionaries, bytes];
      continue;
    }
    rows += length;
    checkRowCount(rows, seen);
    const begun = schema;
    yield decoded(() => tableFromIPC([begun, ...dictionaries, bytes]));
  }
}

function byteReader(chunks: AsyncIterable<Uint8Array>) {
  const iterator = chunks[Symbol.asyncIterator]();
  let parts: Uint8Array[] = [];
  let held = 0;

  /** So many bytes, or fewer at the end. */
  const upTo = async (count: number) => {
    while (held < count) {
      const { value, done } = await iterator.next();
      if (done) break;
      parts.push(value);
      held += value.length;
    }
    const all = parts.length === 1 ? parts[0]! : concatBytes(parts);
    const taken = all.slice(0, count);
    parts = [all.subarray(taken.length)];
    held -= taken.length;
    return taken;
  };
  const take = async (count: number) => {
    const bytes = await upTo(count);
    return bytes.length === count ? bytes : damaged('it is cut off');
  };
  return {
    take,
    /** Length of the message that comes, and how that was said; undefined at the end. */
    async prefix() {
      const first = await upTo(4);
      if (first.length === 0) return undefined;
      if (first.length < 4) return damaged('it is cut off');
      const number = (bytes: Uint8Array) =>
        new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
      // Streams of before 2019 have the length alone.
      const bytes = number(first) === -1 ? concatBytes([first, await take(4)]) : first;
      const length = number(bytes.subarray(-4));
      if (!(length >= 0 && length <= LIMITS.footer)) damaged(`it has a message of ${length} bytes`);
      return { length, bytes };
    },
  };
}

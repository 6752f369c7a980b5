import { decoderOf } from '../all-codecs.ts';
import { concatBytes } from '../concat-bytes.ts';
import { checkRowCount, damaged, LIMITS, unsupported } from '../limits.ts';
import type { TableField, Values } from '../table-file.ts';
import { MessageHeader } from './apache-arrow-parts.ts';
import { type MessageDecoder, messageDecoder } from './arrow-messages.ts';
import { messageHead, parseArrowSchema } from './arrow-parts.ts';
import type { ArrowMessage } from './arrow-unpack.ts';
import { arrowField, arrowValues } from './arrow-values.ts';

/** What a message begins with. */
const MARK = Uint8Array.of(0xff, 0xff, 0xff, 0xff);

/** One record batch of a stream. */
export interface StreamedBatch {
  readonly fields: readonly TableField[];
  readonly rows: number;
  read(field: number): Values;
}

/**
 * Reads an Arrow IPC stream of anybody as it comes, one record batch after the other.
 * @throws DamagedFileError
 */
export async function* readArrowStream(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<StreamedBatch> {
  const input = byteReader(chunks);
  let decoder: MessageDecoder | undefined;
  let rows = 0;
  let seen = 0;
  const dictionaries: ArrowMessage[] = [];
  for (;;) {
    const prefix = await input.prefix();
    if (prefix === undefined) {
      if (!decoder) damaged('it is empty');
      return;
    }
    if (prefix.length === 0) return;
    const metadata = await input.take(prefix.length);
    const { kind, bodyLength } = messageHead(metadata);
    if (bodyLength > LIMITS.chunk * 4) unsupported(`it has a message of ${bodyLength} bytes`);
    const body = await input.take(bodyLength);
    if (kind === MessageHeader.Schema) {
      if (decoder) damaged('its columns change');
      const { schema, checked } = parseArrowSchema(metadata);
      decoder = messageDecoder(schema, checked, decoderOf);
      continue;
    }
    if (!decoder) return damaged('it does not begin with a schema');
    // Streams of before 2019 have no mark.
    const bytes = concatBytes([MARK, prefix.bytes.subarray(-4), metadata, body]);
    const message = { bytes, metaDataLength: bytes.length - bodyLength };
    seen += bytes.length;
    if (kind === MessageHeader.DictionaryBatch) {
      dictionaries.push(await decoder.keep(message, LIMITS.dictionaries));
      continue;
    }
    rows += decoder.rows(metadata, bodyLength);
    checkRowCount(rows, seen);
    const table = await decoder.table(message, dictionaries);
    yield {
      fields: table.schema.fields.map(arrowField),
      rows: table.numRows,
      read: (field) => arrowValues(table.getChildAt(field)!, table.schema.fields[field]!.name),
    };
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
      const bytes = number(first) === -1 ? concatBytes([first, await take(4)]) : first;
      const length = number(bytes.subarray(-4));
      if (!(length >= 0 && length <= LIMITS.footer)) damaged(`it has a message of ${length} bytes`);
      return { length, bytes };
    },
  };
}

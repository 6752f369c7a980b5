import { Schema as ArrowSchema } from 'apache-arrow';
import { Message } from 'apache-arrow/fb/message';
import { MessageHeader } from 'apache-arrow/fb/message-header';
import { Schema } from 'apache-arrow/fb/schema';
import { Message as Decoder } from 'apache-arrow/ipc/metadata/message';
import { ByteBuffer } from 'flatbuffers';
import type { ByteSource } from '../byte-source.ts';
import { damaged, decoded, LIMITS } from '../limits.ts';
import type { ArrowBlock } from './arrow-guard.ts';
import { checkArrowSchema } from './arrow-schema.ts';
import { type ArrowParts, type ArrowTable, arrowTable, openArrow } from './arrow-table.ts';
import { MESSAGE_PREFIX } from './arrow-unpack.ts';

/** Bytes that are fetched at once where messages are small. */
const WINDOW = 1 << 16;

/** Whether these first bytes are those of an Arrow IPC stream. */
export function isArrowStream(head: Uint8Array): boolean {
  return head.length >= 4 && head.subarray(0, 4).every((byte) => byte === 0xff);
}

/** Opens an Arrow IPC file, or a stream that was written to one. @throws DamagedFileError as `openArrow` does */
export async function openAnyArrow(source: ByteSource): Promise<ArrowTable> {
  if (!isArrowStream(new Uint8Array(await source.slice(0, Math.min(4, source.byteLength)))))
    return openArrow(source);
  return arrowTable(source, await streamParts(source), true);
}

/** Where the messages of a stream stand: what a file says in its footer. */
async function streamParts(source: ByteSource): Promise<ArrowParts> {
  const size = source.byteLength;
  const bytesAt = windowed(source);
  let parts: ArrowParts | undefined;
  const batches: ArrowBlock[] = [];
  const dictionaries: ArrowBlock[] = [];
  for (let offset = 0; offset < size; ) {
    if (offset + MESSAGE_PREFIX > size) damaged('it is cut off');
    const prefix = await bytesAt(offset, MESSAGE_PREFIX);
    const view = new DataView(prefix.buffer, prefix.byteOffset);
    const length = view.getInt32(4, true);
    if (view.getInt32(0, true) !== -1) damaged('it has a message without a mark');
    if (length === 0) break;
    if (!(length >= 0 && length <= LIMITS.footer)) damaged(`it has a message of ${length} bytes`);
    const metaDataLength = MESSAGE_PREFIX + length;
    if (offset + metaDataLength > size) damaged('it is cut off');
    const metadata = await bytesAt(offset + MESSAGE_PREFIX, length);
    const { kind, bodyLength } = decoded(() => {
      const message = Message.getRootAsMessage(new ByteBuffer(metadata));
      return { kind: message.headerType(), bodyLength: Number(message.bodyLength()) };
    });
    if (!(bodyLength >= 0)) damaged(`it has a message of ${bodyLength} bytes`);
    if (offset + metaDataLength + bodyLength > size) damaged('it is cut off');
    if (kind === MessageHeader.Schema) {
      if (parts) damaged('its columns change');
      parts = decoded(() => schemaParts(metadata));
    } else {
      if (!parts) damaged('it does not begin with a schema');
      const blocks = kind === MessageHeader.DictionaryBatch ? dictionaries : batches;
      blocks.push({ offset, metaDataLength, bodyLength });
    }
    offset += metaDataLength + bodyLength;
  }
  if (!parts) return damaged('it has no schema');
  return { schema: parts.schema, checked: { ...parts.checked, batches, dictionaries } };
}

function schemaParts(metadata: Uint8Array): ArrowParts {
  const root = Message.getRootAsMessage(new ByteBuffer(metadata)).header(
    new Schema(),
  ) as Schema | null;
  const checked = checkArrowSchema(root ?? damaged('it has no schema'), metadata.length);
  const schema: unknown = Decoder.decode(metadata).header();
  if (!(schema instanceof ArrowSchema)) return damaged('it has no schema');
  return { schema, checked: { schema: checked, batches: [], dictionaries: [] } };
}

/** Reads small pieces that follow one another with few calls. */
function windowed(source: ByteSource): (offset: number, length: number) => Promise<Uint8Array> {
  let start = 0;
  let window = new Uint8Array(0);
  return async (offset, length) => {
    if (offset < start || offset + length > start + window.length) {
      start = offset;
      const end = Math.min(source.byteLength, offset + Math.max(length, WINDOW));
      window = new Uint8Array(await source.slice(offset, end));
    }
    return window.slice(offset - start, offset - start + length);
  };
}

import { type ByteSource, windowed } from '../byte-source.ts';
import { damaged, decoded, LIMITS, unsupported } from '../limits.ts';
import { Schema as ArrowSchema, ByteBuffer } from './apache-arrow.ts';
import {
  MessageCoder as Decoder,
  FooterCoder as Footer,
  Message,
  MessageHeader,
  Schema,
} from './apache-arrow-parts.ts';
import { type ArrowBlock, type CheckedFooter, checkArrowFooter } from './arrow-guard.ts';
import { type CheckedSchema, checkArrowSchema } from './arrow-schema.ts';

/** What an Arrow file or stream says of its columns, and where its messages stand. */
export interface ArrowParts {
  readonly schema: ArrowSchema;
  readonly checked: CheckedFooter;
  /** Whether a batch knows the dictionaries before it alone; those behind it may replace them. */
  readonly stream: boolean;
}

/** Continuation mark and length of a message. */
export const MESSAGE_PREFIX = 8;
/** Length of the footer, and the closing magic. */
const SUFFIX = 10;
/** The opening magic, padded. */
export const ARROW_HEADER = new TextEncoder().encode('ARROW1\0\0');

/**
 * Finds the parts of an Arrow IPC file, or of a stream that was written to one. @throws
 * DamagedFileError
 */
export async function findArrowParts(source: ByteSource): Promise<ArrowParts> {
  const head = new Uint8Array(await source.slice(0, Math.min(4, source.byteLength)));
  if (head.length === 4 && head.every((byte) => byte === 0xff)) return streamParts(source);
  const size = source.byteLength;
  if (size < ARROW_HEADER.length + SUFFIX) damaged('it is empty or cut off');
  const suffix = new Uint8Array(await source.slice(size - SUFFIX, size));
  const length = new DataView(suffix.buffer).getInt32(0, true);
  if (new TextDecoder('latin1').decode(suffix.subarray(4)) !== 'ARROW1') {
    damaged('it is cut off: there is no Arrow footer at its end');
  }
  if (length <= 0 || length > size - ARROW_HEADER.length - SUFFIX)
    damaged(`its footer claims ${length} bytes`);
  if (length > LIMITS.footer) unsupported(`its footer has ${length} bytes`);
  const end = size - SUFFIX - length;
  return parseArrowFooter(new Uint8Array(await source.slice(end, size)), end);
}

/** The footer that these bytes end with. @param end where the record batches must have ended */
export function parseArrowFooter(bytes: Uint8Array, end: number): ArrowParts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < SUFFIX ? 0 : view.getInt32(bytes.length - SUFFIX, true);
  if (length <= 0 || length > bytes.length - SUFFIX) damaged('its footer is cut off');
  const footer = bytes.slice(bytes.length - SUFFIX - length, bytes.length - SUFFIX);
  return decoded(() => ({
    checked: checkArrowFooter(footer, end),
    schema: Footer.decode(footer).schema,
    stream: false,
  }));
}

/** What a message is, and how long its body is. */
export function messageHead(metadata: Uint8Array): {
  readonly kind: MessageHeader;
  readonly bodyLength: number;
} {
  const { kind, bodyLength } = decoded(() => {
    const message = Message.getRootAsMessage(new ByteBuffer(metadata));
    return { kind: message.headerType(), bodyLength: Number(message.bodyLength()) };
  });
  return bodyLength >= 0
    ? { kind, bodyLength }
    : damaged(`it has a message of ${bodyLength} bytes`);
}

/** The columns that the first message of a stream tells of. */
export function parseArrowSchema(metadata: Uint8Array): {
  readonly schema: ArrowSchema;
  readonly checked: CheckedSchema;
} {
  return decoded(() => {
    const message = Message.getRootAsMessage(new ByteBuffer(metadata));
    const root = message.header(new Schema()) as Schema | null;
    const checked = checkArrowSchema(root ?? damaged('it has no schema'), metadata.length);
    const schema: unknown = Decoder.decode(metadata).header();
    return schema instanceof ArrowSchema ? { schema, checked } : damaged('it has no schema');
  });
}

/** Where the messages of a stream stand: what a file says in its footer. */
async function streamParts(source: ByteSource): Promise<ArrowParts> {
  const size = source.byteLength;
  const near = windowed(source);
  const bytesAt = async (at: number, length: number) =>
    new Uint8Array(await near.slice(at, at + length));
  let found: ReturnType<typeof parseArrowSchema> | undefined;
  const batches: ArrowBlock[] = [];
  const dictionaries: ArrowBlock[] = [];
  for (let offset = 0; offset < size; ) {
    if (offset + MESSAGE_PREFIX > size) damaged('it is cut off');
    const prefix = await bytesAt(offset, MESSAGE_PREFIX);
    const view = new DataView(prefix.buffer);
    const length = view.getInt32(4, true);
    if (view.getInt32(0, true) !== -1) damaged('it has a message without a mark');
    if (length === 0) break;
    if (!(length >= 0 && length <= LIMITS.footer)) damaged(`it has a message of ${length} bytes`);
    const metaDataLength = MESSAGE_PREFIX + length;
    if (offset + metaDataLength > size) damaged('it is cut off');
    const metadata = await bytesAt(offset + MESSAGE_PREFIX, length);
    const { kind, bodyLength } = messageHead(metadata);
    if (offset + metaDataLength + bodyLength > size) damaged('it is cut off');
    if (kind === MessageHeader.Schema) {
      if (found) damaged('its columns change');
      found = parseArrowSchema(metadata);
    } else {
      if (!found) damaged('it does not begin with a schema');
      const blocks = kind === MessageHeader.DictionaryBatch ? dictionaries : batches;
      blocks.push({ offset, metaDataLength, bodyLength });
    }
    offset += metaDataLength + bodyLength;
  }
  if (!found) return damaged('it has no schema');
  const { schema, checked } = found;
  return { schema, checked: { schema: checked, batches, dictionaries }, stream: true };
}

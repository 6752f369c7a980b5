import type { DecoderOf } from '../codecs.ts';
import { damaged, LIMITS, unsupported } from '../limits.ts';
import { Schema } from './apache-arrow.ts';
import {
  BodyCompressionMethod,
  BufferRegion,
  CompressionType,
  DictionaryBatchCoder as DictionaryBatch,
  MessageCoder as Message,
  RecordBatchCoder as RecordBatch,
  type RecordBatchCoder as RecordBatchHeader,
} from './apache-arrow-parts.ts';
import { MESSAGE_PREFIX } from './arrow-parts.ts';
import { unpackLz4 } from './lz4-frame.ts';

/** A message of the format: its prefix, metadata and body. */
export interface ArrowMessage {
  readonly bytes: Uint8Array;
  /** Where the body begins. */
  readonly metaDataLength: number;
}

/** Length of a packed buffer once it is unpacked, or −1 where it is not packed. */
const LENGTH = 8;

/**
 * Unpacks the buffers of a record batch or dictionary, so that it reads as if it had been written
 * without compression.
 *
 * All lengths that it claims are added up before anything is unpacked.
 *
 * @param message one that `checkArrowBatch` has passed; what comes out has to be checked as well
 * @param spend told how many bytes it takes
 * @returns the message itself where nothing is packed
 * @throws DamagedFileError where it is packed by what is not read, or unpacks to something else
 * than it claims
 */
export async function unpackArrow(
  message: ArrowMessage,
  decoderOf: DecoderOf,
  spend: (bytes: number) => void,
): Promise<ArrowMessage> {
  const { bytes, metaDataLength } = message;
  const packed = bytes.subarray(metaDataLength);
  const decoded = Message.decode(bytes.slice(MESSAGE_PREFIX, metaDataLength));
  const header = decoded.header() as RecordBatchHeader | DictionaryBatch;
  const batch = header instanceof DictionaryBatch ? header.data : header;
  if (!batch.compression) return message;
  const { type, method } = batch.compression;
  const unpack =
    type === CompressionType.ZSTD
      ? await decoderOf('ZSTD')
      : type === CompressionType.LZ4_FRAME
        ? unpackLz4
        : undefined;
  if (!unpack || method !== BodyCompressionMethod.BUFFER)
    return unsupported('it is compressed in a way that is not read');

  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  let length = 0;
  const buffers = batch.buffers.map(({ offset, length: stored }) => {
    const claimed =
      stored >= LENGTH ? Number(view.getBigInt64(offset, true)) : stored === 0 ? 0 : Number.NaN;
    const size = claimed === -1 ? stored - LENGTH : claimed;
    if (!(size >= 0 && size <= Number.MAX_SAFE_INTEGER))
      damaged('it has a compressed buffer of no length');
    const region = new BufferRegion(length, size);
    length += size + (-size & 7);
    return {
      region,
      plain: claimed === -1,
      from: packed.subarray(offset + LENGTH, offset + stored),
    };
  });
  const most = LIMITS.batch + packed.length * LIMITS.bytesPerByte;
  if (length > most)
    unsupported(`it has a record batch that unpacks to ${length} bytes, more than ${most}`);
  spend(length);

  const regions = buffers.map(({ region }) => region);
  const plain = new RecordBatch(
    batch.length,
    batch.nodes,
    regions,
    null,
    batch.variadicBufferCounts,
  );
  const again =
    header instanceof DictionaryBatch
      ? new DictionaryBatch(plain, header.id, header.isDelta)
      : plain;
  const unpacked = arrowMessage(
    Message.encode(new Message(length, decoded.version, decoded.headerType, again)),
    length,
  );
  const body = unpacked.bytes.subarray(unpacked.metaDataLength);
  for (const { region, plain: stored, from } of buffers) {
    const to = body.subarray(region.offset, region.offset + region.length);
    try {
      if (stored) to.set(from);
      else if (to.length > 0) to.set(unpack(from, to.length));
    } catch {
      damaged('it has a compressed buffer that does not unpack to what it claims');
    }
  }
  return unpacked;
}

/** The message that a stream of these columns begins with. */
export function schemaMessage({ fields, dictionaries }: Schema): Uint8Array {
  return arrowMessage(Message.encode(Message.from(new Schema(fields, new Map(), dictionaries))), 0)
    .bytes;
}

/** A message with room for its body. */
function arrowMessage(metadata: Uint8Array, bodyLength: number): ArrowMessage {
  const length = metadata.length + (-metadata.length & 7);
  const bytes = new Uint8Array(MESSAGE_PREFIX + length + bodyLength);
  new DataView(bytes.buffer).setInt32(0, -1, true);
  new DataView(bytes.buffer).setInt32(4, length, true);
  bytes.set(metadata, MESSAGE_PREFIX);
  return { bytes, metaDataLength: MESSAGE_PREFIX + length };
}

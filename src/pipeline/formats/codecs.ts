import type { CompressionCodec } from 'hyparquet';
import { damaged, unsupported } from './limits.ts';
import { snappyUncompress } from './parquet/hyparquet-parts.ts';

/**
 * Unpacks bytes to a length that is known beforehand. @throws DamagedFileError where they are not
 * of that length
 */
export type Decode = (packed: Uint8Array, length: number) => Uint8Array;

/**
 * Gives the decoder of a codec. How long its output may be is for the caller to decide, before it
 * is called.
 *
 * @throws UnsupportedFileError where the codec is not read
 */
export type DecoderOf = (codec: CompressionCodec) => Promise<Decode>;

/** No codec makes its input longer than this. */
const packedMost = (length: number) => 1024 + length + length / 4;

/** A decoder of which nothing is believed. */
export function guarded(decode: Decode): Decode {
  return (packed, length) => {
    if (packed.length > packedMost(length)) return damaged('it has more bytes than it unpacks to');
    let bytes: Uint8Array | undefined;
    try {
      bytes = decode(packed, length);
    } catch {
      // What decoders say of damaged bytes tells nobody anything.
    }
    return bytes?.length === length
      ? bytes
      : damaged('it has bytes that do not unpack to what they should');
  };
}

/**
 * The codecs that need no decoder of their own: those of the files that eos writes unless it is
 * told otherwise.
 */
export const lightCodecs: Readonly<Partial<Record<CompressionCodec, Decode>>> = {
  UNCOMPRESSED: (packed) => packed,
  SNAPPY(packed, length) {
    const out = new Uint8Array(length);
    snappyUncompress(packed, out);
    return out;
  },
};

export function unknownCodec(codec: string): never {
  return unsupported(`it is compressed by ${codec}, which is not read`);
}

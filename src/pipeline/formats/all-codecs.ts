import type { CompressionCodec } from 'hyparquet';
import {
  decompressBrotli,
  decompressGzip,
  decompressLz4,
  decompressLz4Raw,
} from 'hyparquet-compressors';
import { ZSTDDecoder } from 'zstddec';
import { type Decode, type DecoderOf, guarded, lightCodecs, unknownCodec } from './codecs.ts';
import { unbrotli, unzip } from './platform.ts';

const zstd = new ZSTDDecoder();

const decoders: Readonly<Partial<Record<CompressionCodec, Decode>>> = {
  ...lightCodecs,
  GZIP: unzip ?? decompressGzip,
  BROTLI: unbrotli ?? decompressBrotli,
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
  // The reference decoder: it is done when `length` bytes are there, and checks the checksum.
  ZSTD: (packed, length) => (length === 0 ? new Uint8Array(0) : zstd.decode(packed, length)),
};

/** The decoders of all codecs that Parquet and Arrow files have, but LZO. */
export const decoderOf: DecoderOf = async (codec) => {
  const decode = decoders[codec] ?? unknownCodec(codec);
  if (codec === 'ZSTD') await zstd.init();
  return guarded(decode);
};

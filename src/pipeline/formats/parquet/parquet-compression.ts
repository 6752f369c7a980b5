import type { CompressionCodec } from 'hyparquet';
import { zstd } from '../platform.ts';
import type { Compression } from '../table-format.ts';
import { snappyCompress } from './hyparquet-writer-parts.ts';

/** Packs the numbers of a file; whole numbers and words are short as they are. */
export interface Packer {
  readonly codec: CompressionCodec;
  pack(bytes: Uint8Array): Uint8Array;
}

export const SNAPPY: Packer = { codec: 'SNAPPY', pack: snappyCompress };

/** @returns undefined for `none`. @throws TypeError for what this platform has no encoder for */
export function packerOf(compression: Compression): Packer | undefined {
  if (compression === 'none') return undefined;
  if (compression === 'snappy') return SNAPPY;
  if (zstd) return { codec: 'ZSTD', pack: zstd };
  throw new TypeError(
    'compression: Zstandard is written by Node 22.15 and later alone; choose snappy or none',
  );
}

/** The compression of a file, by the codec of its numbers. */
export function compressionOf(codec: CompressionCodec | undefined): Compression {
  if (codec === 'ZSTD') return 'zstd';
  return codec === 'SNAPPY' ? 'snappy' : 'none';
}

/** The bytes of float64 numbers, all first bytes before all second ones: signs and exponents then stand together. */
export function splitStreams({ buffer, byteOffset, length }: Float64Array): Uint8Array {
  const halves = new Uint32Array(buffer, byteOffset, 2 * length);
  const split = new Uint8Array(8 * length);
  for (let i = 0; i < length; i++) {
    const low = halves[2 * i]!;
    const high = halves[2 * i + 1]!;
    split[i] = low;
    split[length + i] = low >>> 8;
    split[2 * length + i] = low >>> 16;
    split[3 * length + i] = low >>> 24;
    split[4 * length + i] = high;
    split[5 * length + i] = high >>> 8;
    split[6 * length + i] = high >>> 16;
    split[7 * length + i] = high >>> 24;
  }
  return split;
}

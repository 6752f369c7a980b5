import type { CompressionCodec } from 'hyparquet';
import { zstd } from '../platform.ts';
import type { Compression } from '../table-format.ts';
import { snappy, snappySplit, splitStreams } from './pack.ts';

/** Packs the pages of a file. What it gives stands only until the next call. */
export interface Packer {
  readonly codec: CompressionCodec;
  pack(bytes: Uint8Array): Uint8Array;
  /**
   * Numbers as BYTE_STREAM_SPLIT has them, packed: the digits of a trajectory hardly are unless
   * their bytes are told apart.
   */
  packNumbers(values: Float64Array): Uint8Array;
}

export const SNAPPY: Packer = { codec: 'SNAPPY', pack: snappy, packNumbers: snappySplit };

/** @returns undefined for `none`. @throws TypeError for what this platform has no encoder for */
export function packerOf(compression: Compression): Packer | undefined {
  if (compression === 'none') return undefined;
  if (compression === 'snappy') return SNAPPY;
  const pack = zstd;
  if (pack) return { codec: 'ZSTD', pack, packNumbers: (values) => pack(splitStreams(values)) };
  throw new TypeError(
    'compression: Zstandard is written by Node 22.15 and later alone; choose snappy or none',
  );
}

/** The compression of a file, by the codec of its numbers. */
export function compressionOf(codec: CompressionCodec | undefined): Compression {
  if (codec === 'ZSTD') return 'zstd';
  return codec === 'SNAPPY' ? 'snappy' : 'none';
}

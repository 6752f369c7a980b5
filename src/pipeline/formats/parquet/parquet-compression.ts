import type { CompressionCodec } from 'hyparquet';
import { concatBytes } from '../concat-bytes.ts';
import { zstd } from '../platform.ts';
import type { Compression } from '../table-format.ts';
import { type PlacedNumbers, snappy } from './pack.ts';

/** Packs the pages of a file. What it gives stands only until the next call. */
export interface Packer {
  readonly codec: CompressionCodec;
  pack(bytes: Uint8Array): Uint8Array;
  /**
   * Numbers as BYTE_STREAM_SPLIT has them, packed: the digits of a trajectory hardly are unless
   * their bytes are told apart.
   */
  packNumbers(values: PlacedNumbers): Uint8Array;
  /** The same pages as the codec has what it does not pack: a few bytes around them. */
  readonly stored: (bytes: Uint8Array) => Uint8Array;
}

/** One literal: how long all is, and how long it is less one. */
function storedSnappy(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  if (length === 0) return Uint8Array.of(0);
  const head: number[] = [];
  let left = length;
  for (; left > 127; left >>>= 7) head.push((left & 127) | 128);
  head.push(left, 63 << 2);
  for (let shift = 0; shift < 32; shift += 8) head.push(((length - 1) >>> shift) & 255);
  return concatBytes([Uint8Array.from(head), bytes]);
}

/** A frame of raw blocks (RFC 8878), of one segment that says its size in four bytes. */
export function storedZstd(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  const size = [0, 8, 16, 24].map((shift) => (length >>> shift) & 255);
  const parts: Uint8Array[] = [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xa0, ...size)];
  for (let at = 0; at === 0 || at < length; at += RAW_BLOCK) {
    const block = bytes.subarray(at, at + RAW_BLOCK);
    const head = (block.length << 3) | Number(at + RAW_BLOCK >= length);
    parts.push(Uint8Array.of(head & 255, (head >> 8) & 255, head >> 16), block);
  }
  return concatBytes(parts);
}

const RAW_BLOCK = 1 << 17;

export const SNAPPY: Packer = {
  codec: 'SNAPPY',
  pack: snappy,
  packNumbers: (values) => values.snappySplit(),
  stored: storedSnappy,
};

/** @returns undefined for `none`. @throws TypeError for what this platform has no encoder for */
export function packerOf(compression: Compression): Packer | undefined {
  if (compression === 'none') return undefined;
  if (compression === 'snappy') return SNAPPY;
  const pack = zstd;
  if (pack)
    return {
      codec: 'ZSTD',
      pack,
      packNumbers: (values) => pack(values.split()),
      stored: storedZstd,
    };
  throw new TypeError(
    'compression: Zstandard is written by Node 22.15 and later alone; choose snappy or none',
  );
}

/** The compression of a file, by the codec of its numbers. */
export function compressionOf(codec: CompressionCodec | undefined): Compression {
  if (codec === 'ZSTD') return 'zstd';
  return codec === 'SNAPPY' ? 'snappy' : 'none';
}

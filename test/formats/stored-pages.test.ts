import { snappyUncompress } from 'hyparquet';
import { expect, test } from 'vitest';
import { ZSTDDecoder } from 'zstddec';
import { SNAPPY, storedZstd } from '../../src/pipeline/formats/parquet/parquet-compression.ts';

/** Lengths at which a varint, a literal and a block of a frame take one byte or piece more. */
const LENGTHS = [0, 1, 60, 61, 127, 128, 16_384, 1 << 17, (1 << 17) + 1, 500_000];
const bytesOf = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 197) % 251);

test.each(LENGTHS)('%d bytes that are not packed are what their codecs unpack', async (length) => {
  const bytes = bytesOf(length);
  const unpacked = new Uint8Array(length);
  if (length > 0) snappyUncompress(SNAPPY.stored(bytes), unpacked);
  expect(Buffer.compare(unpacked, bytes)).toBe(0);
  const zstd = new ZSTDDecoder();
  await zstd.init();
  expect(Buffer.compare(zstd.decode(storedZstd(bytes), length), bytes)).toBe(0);
});

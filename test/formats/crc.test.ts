import { expect, test } from 'vitest';
import { crc32 } from '../../src/pipeline/formats/platform.ts';

test('nothing more leaves a checksum as it was, as pages of NULL alone need', () => {
  const before = crc32(new TextEncoder().encode('levels'));
  for (const empty of [new Uint8Array(), new Uint8Array(new ArrayBuffer(0))])
    expect(crc32(empty, before)).toBe(before);
  expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
});

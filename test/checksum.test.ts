import { expect, test } from 'vitest';
import { checksum } from '../src/pipeline/core/checksum.ts';

test('is the CRC-32 that other programs compute', () => {
  expect(checksum('123456789')).toBe('cbf43926');
  expect(checksum('')).toBe('00000000');
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyOptions, brokenWords } from './any-run.ts';

test('each number is true to as many digits as its row says: runs of any kind', () => {
  fc.assert(
    fc.property(anyOptions, (options) => {
      expect(brokenWords(options)).toEqual([]);
    }),
    { seed: 11, numRuns: 8 },
  );
});

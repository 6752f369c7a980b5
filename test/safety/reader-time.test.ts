import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takesTooLong } from '../../src/cli/reader/limits.ts';

const EARNED = 5e6;

test('a reader that only waits and looks is never ended, however long', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3e10 }), (waited) => {
      // Two of a hundred.
      expect(takesTooLong(2e5 + 20 * waited, EARNED, waited)).toBe(false);
    }),
  );
});

test('a reader that works all the time is ended when it has used up what it earned', () => {
  fc.assert(
    fc.property(fc.integer({ min: 6000, max: 3e10 }), (since) => {
      expect(takesTooLong(1000 * since, EARNED, 0)).toBe(true);
    }),
  );
});

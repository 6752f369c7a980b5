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

test('likewise where 1 − ηλ₁α² all but cancels, for one step or for many', () => {
  const scale = (least: number, most: number) =>
    fc.double({ min: Math.log(least), max: Math.log(most), noNaN: true }).map(Math.exp);
  const cancelling = fc
    .record({
      lambda1: scale(1, 1000),
      ratio: scale(1e-5, 0.3),
      alpha: scale(0.05, 1.5),
      near: fc.constantFrom(0, 1e-16, -2e-16, 1e-15, 1e-13, -1e-10, 1e-6, 1e-5),
      beta1: scale(1e-3, 0.5),
      // At rest the factor stays as it is.
      beta2: fc.option(scale(0.1, 1), { nil: undefined }),
      floor: fc.constantFrom(0, 1e-6),
    })
    .map(({ lambda1, ratio, alpha, near, beta1, beta2 = 1 / alpha, floor }) => ({
      lambda1,
      lambda2: lambda1 * ratio,
      eta: (1 + near) / (lambda1 * alpha * alpha),
      init: [alpha, beta1, beta2] as const,
      floor,
      steps: 100,
    }));
  fc.assert(
    fc.property(cancelling, (options) => {
      expect(brokenWords(options)).toEqual([]);
    }),
    { seed: 12, numRuns: 60 },
  );
});

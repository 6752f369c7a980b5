import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resolveConfig, sampleMoments } from '../../../src/pipeline/index.ts';
import { createRandom } from '../../../src/pipeline/numeric/random.ts';
import { moments } from './arbitrary.ts';

test('the same seed gives the same moments, another seed others', () => {
  const population = { lambda1: 100, lambda2: 0.01, covariance: 0.1 };
  expect(sampleMoments(population, 1000, 7)).toEqual(sampleMoments(population, 1000, 7));
  expect(sampleMoments(population, 1000, 8)).not.toEqual(sampleMoments(population, 1000, 7));
});

test('sampled moments approach the population, at the rate of their standard error', () => {
  fc.assert(
    fc.property(moments, fc.integer({ min: 0, max: 1e6 }), (m, seed) => {
      const n = 20_000;
      const sampled = sampleMoments(m, n, seed);
      const sigma = Math.sqrt(2 / n);
      expect(Math.abs(sampled.lambda1 / m.lambda1 - 1)).toBeLessThan(6 * sigma);
      expect(Math.abs(sampled.lambda2 / m.lambda2 - 1)).toBeLessThan(6 * sigma);
      const spread = Math.sqrt((m.lambda1 * m.lambda2 + m.covariance ** 2) / n);
      expect(Math.abs(sampled.covariance - m.covariance)).toBeLessThan(6 * spread);
      expect(sampled.covariance ** 2).toBeLessThan(sampled.lambda1 * sampled.lambda2);
    }),
    { numRuns: 30 },
  );
});

test('two points suffice, one does not', () => {
  expect(resolveConfig({ samples: 2, seed: 3 }).moments.lambda1).toBeGreaterThan(0);
  expect(() => resolveConfig({ samples: 1 })).toThrow('samples: 1 is not a whole number from 2');
});

test.each([2, 5, 20, 50, 200])(
  'over 4000 seeds λ̂₁/λ₁ of %d points has mean 1 and variance 2/n',
  (n) => {
    const ratios = Array.from({ length: 4000 }, (_, seed) =>
      sampleMoments({ lambda1: 100, lambda2: 0.01, covariance: 0 }, n, seed),
    ).map(({ lambda1, lambda2 }) => [lambda1 / 100, lambda2 / 0.01] as const);
    for (const axis of [0, 1] as const) {
      const values = ratios.map((pair) => pair[axis]);
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
      const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
      expect(Math.abs(mean - 1)).toBeLessThan(4 * Math.sqrt(2 / n / values.length));
      // The fourth moment of the mean of n squares of normal numbers is (12 + 48/n)/n².
      const spread = Math.sqrt((8 + 48 / n) / n / n / values.length);
      expect(Math.abs(variance - 2 / n)).toBeLessThan(4 * spread);
    }
  },
);

test('neighbouring seeds give unrelated points from the first one on', () => {
  const first = Array.from({ length: 1000 }, (_, seed) => createRandom(seed).normal());
  const mean = first.reduce((sum, x) => sum + x, 0) / first.length;
  const product = first.slice(1).reduce((sum, x, i) => sum + x * first[i]!, 0) / 999;
  expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(1000));
  expect(Math.abs(product)).toBeLessThan(4 / Math.sqrt(1000));
  expect(new Set(first).size).toBe(1000);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resolveConfig, sampleMoments } from '../../../src/pipeline/index.ts';
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

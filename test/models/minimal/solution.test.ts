import fc from 'fast-check';
import { lastValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import {
  balance,
  gradient,
  gradientDescent,
  sharpness,
  solution,
  solutionSharpness,
  spectrum,
} from '../../../src/pipeline/index.ts';
import type { DescentState } from '../../../src/pipeline/models/minimal/descend.ts';
import { solutionAlphaSquared } from '../../../src/pipeline/models/minimal/solution.ts';
import { moments, theta } from './arbitrary.ts';

describe('the end of gradient flow in closed form', () => {
  test('is a minimum with the balance of the start', () => {
    fc.assert(
      fc.property(theta, moments, (at, m) => {
        const end = solution(at, m);
        fc.pre(end !== undefined);
        expect(end.alpha * end.beta2).toBeCloseTo(1, 12);
        expect(end.beta1).toBe(0);
        expect(Math.abs(balance(end) - balance(at))).toBeLessThan(1e-12);
        const g = gradient(end, m);
        expect(Math.hypot(g.alpha, g.beta1, g.beta2)).toBeLessThan(1e-11);
      }),
    );
  });

  test('α∞² does not cancel for large negative balance', () => {
    // x − 1/x = −10⁸ has the root 1e-8·(1 − 1e-16 + …).
    expect(solutionAlphaSquared(-1e8)).toBeCloseTo(1e-8, 23);
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), (q) => {
        const x = solutionAlphaSquared(q);
        expect(Math.abs(x - 1 / x - q)).toBeLessThanOrEqual(
          1e-14 * Math.max(1, Math.abs(q), 1 / x),
        );
      }),
    );
  });

  test('S∞ is the sharpness at that minimum', () => {
    fc.assert(
      fc.property(theta, moments, (at, m) => {
        const end = solution(at, m);
        fc.pre(end !== undefined);
        const axes = spectrum(m);
        const s = solutionSharpness(balance(at), m, axes);
        expect(Math.abs(s / sharpness(end, axes) - 1)).toBeLessThan(1e-12);
      }),
    );
  });

  test('is silent where the sign takes an integration or the flow ends at the saddle', () => {
    const m = { lambda1: 100, lambda2: 0.01, covariance: 0 };
    expect(solution({ alpha: 0, beta1: 0.5, beta2: 0 }, m)).toBeUndefined();
    expect(solution({ alpha: 0.4, beta1: 0, beta2: -0.4 }, m)).toBeUndefined();
    expect(solution({ alpha: 0.1, beta1: 0.3, beta2: -0.5 }, m)).toBeUndefined();
    expect(solution({ alpha: 0.1, beta1: 0, beta2: -0.5 }, m)!.beta2).toBeLessThan(0);
  });

  test('gradient descent of small η ends there: S at its end is S∞ of its start', async () => {
    const start = fc.record({
      alpha: fc.double({ min: 0.2, max: 1.2, noNaN: true }),
      beta1: fc.double({ min: -0.5, max: 0.5, noNaN: true }),
      beta2: fc.double({ min: 0.2, max: 1.2, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(start, async (at) => {
        const m = { lambda1: 2, lambda2: 0.5, covariance: 0 };
        const options = {
          ...m,
          eta: 1e-4,
          init: [at.alpha, at.beta1, at.beta2],
          floor: 0,
          steps: 400_000,
        };
        const { after } = await lastValueFrom(gradientDescent(options));
        const state = after!.gradientDescent!.state() as unknown as DescentState;
        const { alpha, mantissa, exponent, beta2 } = state;
        const end = { alpha, beta1: exponent === 0 ? mantissa : 0, beta2 };
        const predicted = solutionSharpness(balance(at), m, spectrum(m));
        // The drift of the balance over the whole way is of order η.
        expect(Math.abs(sharpness(end, spectrum(m)) / predicted - 1)).toBeLessThan(1e-3);
      }),
      { numRuns: 20 },
    );
  });
});

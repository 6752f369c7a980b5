import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  gradient,
  hessian,
  lossSplit,
  type Moments,
  type Theta,
} from '../../../src/pipeline/index.ts';
import { moments, theta } from './arbitrary.ts';

const AXES = ['alpha', 'beta1', 'beta2'] as const;

const moved = (at: Theta, axis: keyof Theta, by: number): Theta => ({
  ...at,
  [axis]: at[axis] + by,
});

/** Central difference of order 4. */
function derivative(f: (theta: Theta) => number, at: Theta, axis: keyof Theta): number {
  const h = 1e-3;
  return (
    (8 * (f(moved(at, axis, h)) - f(moved(at, axis, -h))) -
      (f(moved(at, axis, 2 * h)) - f(moved(at, axis, -2 * h)))) /
    (12 * h)
  );
}

const scaleOf = (m: Moments) => m.lambda1 + m.lambda2;

test('the loss is ½ E(f(x) − x₂)², and its parts add up', () => {
  fc.assert(
    fc.property(theta, moments, (at, m) => {
      const { loss, l1, l2 } = lossSplit(at, m);
      const p = at.alpha * at.beta1;
      const r = at.alpha * at.beta2 - 1;
      expect(l1).toBeGreaterThanOrEqual(0);
      expect(l2).toBeGreaterThanOrEqual(0);
      expect(loss).toBeCloseTo(
        0.5 * (m.lambda1 * p * p + 2 * m.covariance * p * r + m.lambda2 * r * r),
        8,
      );
    }),
  );
});

test('the gradient agrees with finite differences of the loss', () => {
  fc.assert(
    fc.property(theta, moments, (at, m) => {
      const g = gradient(at, m);
      for (const axis of AXES) {
        const numeric = derivative((x) => lossSplit(x, m).loss, at, axis);
        expect(Math.abs(g[axis] - numeric)).toBeLessThan(1e-8 * scaleOf(m));
      }
    }),
  );
});

test('the Hessian agrees with finite differences of the gradient, and is symmetric', () => {
  fc.assert(
    fc.property(theta, moments, (at, m) => {
      const h = hessian(at, m);
      AXES.forEach((row, i) => {
        AXES.forEach((column, j) => {
          const numeric = derivative((x) => gradient(x, m)[row], at, column);
          expect(Math.abs(h[3 * i + j]! - numeric)).toBeLessThan(1e-8 * scaleOf(m));
          expect(h[3 * i + j]).toBe(h[3 * j + i]);
        });
      });
    }),
  );
});

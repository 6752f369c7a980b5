import fc from 'fast-check';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import {
  hessian,
  type Moments,
  sharpness,
  spectrum,
  type Theta,
} from '../../../src/pipeline/index.ts';
import { arrowheadTop } from '../../../src/pipeline/models/minimal/sharpness.ts';
import { moments, theta } from './arbitrary.ts';

/**
 * Eigenvalues by an independent routine (Householder and QL), ascending. It fails on subnormals,
 * which count for nothing.
 */
function eigenvalues(rows: readonly (readonly number[])[]): number[] {
  const matrix = new Matrix(rows.map((row) => row.map((x) => (Math.abs(x) < 1e-200 ? 0 : x))));
  return new EigenvalueDecomposition(matrix, { assumeSymmetric: true }).realEigenvalues.sort(
    (a, b) => a - b,
  );
}

function independent(at: Theta, m: Moments): number {
  const h = hessian(at, m);
  return eigenvalues([h.slice(0, 3), h.slice(3, 6), h.slice(6, 9)]).at(-1)!;
}

const relative = (a: number, b: number) => Math.abs(a - b) / Math.abs(b);

describe('sharpness', () => {
  test('is the largest eigenvalue of the Hessian, to 1e-12', () => {
    fc.assert(
      fc.property(theta, moments, (at, m) => {
        expect(relative(sharpness(at, spectrum(m)), independent(at, m))).toBeLessThan(1e-12);
      }),
      { numRuns: 2000 },
    );
  });

  test('keeps its digits near a double top eigenvalue', () => {
    const m = { lambda1: 100, lambda2: 0.01, covariance: 0 };
    for (let k = -300; k <= 300; k++) {
      for (const beta1 of [0, 1e-12, 1e-9, 1e-7]) {
        const at = { alpha: 0.02, beta1, beta2: 1.94612 + k * 3e-8 };
        expect(relative(sharpness(at, spectrum(m)), independent(at, m))).toBeLessThan(1e-12);
      }
    }
  });

  test('is closed form on the valley floor: λ₁α² or the top of the (α, β₂) block', () => {
    const m = { lambda1: 100, lambda2: 0.01, covariance: 0 };
    fc.assert(
      fc.property(theta, ({ alpha, beta2 }) => {
        const a = m.lambda2 * beta2 * beta2;
        const d = m.lambda2 * alpha * alpha;
        const c = m.lambda2 * (2 * alpha * beta2 - 1);
        const block = (a + d) / 2 + Math.hypot((a - d) / 2, c);
        const expected = Math.max(m.lambda1 * alpha * alpha, block);
        expect(relative(sharpness({ alpha, beta1: 0, beta2 }, spectrum(m)), expected)).toBeLessThan(
          1e-12,
        );
      }),
    );
  });
});

describe('arrowheadTop', () => {
  const wild = fc
    .double({ min: -30, max: 30, noNaN: true })
    .map((x) => Math.sign(x) * 2 ** (x - 10));

  test('is the largest eigenvalue of any arrowhead, whatever its scales', () => {
    fc.assert(
      fc.property(wild, wild, wild, wild, wild, (a, b, c, x, y) => {
        const [d1, d2] = [Math.max(Math.abs(x), Math.abs(y)), Math.min(Math.abs(x), Math.abs(y))];
        const rows = [
          [Math.abs(a), b, c],
          [b, d1, 0],
          [c, 0, d2],
        ];
        const expected = eigenvalues(rows).at(-1)!;
        expect(Math.abs(arrowheadTop(Math.abs(a), b, c, d1, d2) - expected)).toBeLessThanOrEqual(
          1e-12 * expected,
        );
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    ['nothing at all', [0, 0, 0, 0, 0], 0],
    ['α = 0', [0, 0, -0.01, 0, 0], 0.01],
    ['equal poles', [1, 3, 4, 1, 1], 6],
    ['a triple eigenvalue', [2, 0, 0, 2, 2], 2],
    ['a double one, decoupled', [5, 0, 0, 5, 1], 5],
    ['a coupling of 1e-160', [1, 1e-160, 0, 1, 0], 1],
  ] as const)('%s', (_name, [a, b, c, d1, d2], expected) => {
    expect(arrowheadTop(a, b, c, d1, d2)).toBeCloseTo(expected, 14);
  });
});

describe('spectrum', () => {
  test('diagonalises Σ, exactly where it is diagonal', () => {
    fc.assert(
      fc.property(moments, (m) => {
        const { large, small, u1, u2, v1, v2 } = spectrum(m);
        expect(large).toBeGreaterThanOrEqual(small);
        expect(small).toBeGreaterThan(0);
        const size = m.lambda1 + m.lambda2;
        expect(Math.abs(large * u1 * u1 + small * v1 * v1 - m.lambda1)).toBeLessThan(1e-14 * size);
        expect(Math.abs(large * u2 * u2 + small * v2 * v2 - m.lambda2)).toBeLessThan(1e-14 * size);
        expect(Math.abs(large * u1 * u2 + small * v1 * v2 - m.covariance)).toBeLessThan(
          1e-14 * size,
        );
        if (m.covariance === 0)
          expect([m.lambda1, m.lambda2].sort((a, b) => b - a)).toEqual([large, small]);
      }),
    );
  });
});

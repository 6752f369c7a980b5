import fc from 'fast-check';
import type { Moments, Theta } from '../../../src/pipeline/index.ts';

/** A finite number between the two: 0, or of a size whose products do not underflow. */
const real = (min: number, max: number) =>
  fc.double({ min, max, noNaN: true }).map((value) => (Math.abs(value) < 1e-60 ? 0 : value));

export const theta: fc.Arbitrary<Theta> = fc.record({
  alpha: real(-2, 2),
  beta1: real(-2, 2),
  beta2: real(-2, 2),
});

/** Positive definite Σ with eigenvalue ratios up to 10⁵; half of them uncorrelated. */
export const moments: fc.Arbitrary<Moments> = fc
  .record({
    lambda1: real(0.01, 200),
    lambda2: real(0.002, 20),
    correlation: fc.oneof(fc.constant(0), real(-0.99, 0.99)),
  })
  .map(({ lambda1, lambda2, correlation }) => ({
    lambda1,
    lambda2,
    covariance: correlation * Math.sqrt(lambda1 * lambda2),
  }));

/** Uncorrelated features, the irrelevant one the larger. */
export const decoupled: fc.Arbitrary<Moments> = fc
  .record({ lambda1: real(20, 200), lambda2: real(0.002, 1) })
  .map((m) => ({ ...m, covariance: 0 }));

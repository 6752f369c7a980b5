import { createRandom } from '../../numeric/random.ts';
import type { Moments } from './moments.ts';

/**
 * Empirical second moments (1/n) Σ x xᵀ of `n` Gaussian points x ~ N(0, Σ), no mean
 * subtracted, from a seeded generator: the same seed gives the same moments in every engine.
 */
export function sampleMoments(
  { lambda1, lambda2, covariance }: Moments,
  n: number,
  seed: number,
): Moments {
  const random = createRandom(seed);
  // Cholesky factor of Σ: x₁ = l11·z₁, x₂ = l21·z₁ + l22·z₂.
  const l11 = Math.sqrt(lambda1);
  const l21 = covariance / l11;
  const l22 = Math.sqrt(lambda2 - l21 * l21);
  let s11 = 0;
  let s12 = 0;
  let s22 = 0;
  for (let i = 0; i < n; i++) {
    const z1 = random.normal();
    const x1 = l11 * z1;
    const x2 = l21 * z1 + l22 * random.normal();
    s11 += x1 * x1;
    s12 += x1 * x2;
    s22 += x2 * x2;
  }
  return { lambda1: s11 / n, lambda2: s22 / n, covariance: s12 / n };
}

import { hypot } from '../../numeric/elementary.ts';

/**
 * Second moments of the input, Σ = E[x xᵀ] = [[lambda1, covariance], [covariance, lambda2]];
 * positive definite.
 */
export interface Moments {
  /** E[x₁²], of the irrelevant feature. */
  readonly lambda1: number;
  /** E[x₂²], of the relevant feature, which is also the target. */
  readonly lambda2: number;
  /** E[x₁x₂]. */
  readonly covariance: number;
}

/** Σ = large·u uᵀ + small·v vᵀ with large ≥ small and (u, v) a rotation. */
export interface Spectrum {
  readonly large: number;
  readonly small: number;
  readonly u1: number;
  readonly u2: number;
  readonly v1: number;
  readonly v2: number;
}

/** Eigenvalues and eigenvectors of Σ; for covariance 0 the axes themselves, exactly. */
export function spectrum({ lambda1, lambda2, covariance }: Moments): Spectrum {
  if (covariance === 0) {
    return lambda1 >= lambda2
      ? { large: lambda1, small: lambda2, u1: 1, u2: 0, v1: 0, v2: 1 }
      : { large: lambda2, small: lambda1, u1: 0, u2: 1, v1: 1, v2: 0 };
  }
  const half = (lambda1 - lambda2) / 2;
  const radius = hypot(half, covariance);
  const large = (lambda1 + lambda2) / 2 + radius;
  // The determinant over the large one: the difference would cancel for λ₁ ≫ λ₂.
  const small = (lambda1 * lambda2 - covariance * covariance) / large;
  // The eigenvector from whichever row does not cancel.
  const x = half >= 0 ? half + radius : covariance;
  const y = half >= 0 ? covariance : radius - half;
  const norm = hypot(x, y);
  const u1 = x / norm;
  const u2 = y / norm;
  return { large, small, u1, u2, v1: -u2, v2: u1 };
}

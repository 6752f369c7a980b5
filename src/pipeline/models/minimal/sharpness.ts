import type { Theta } from './loss.ts';
import type { Spectrum } from './moments.ts';

/** Positive root μ of μ = h + q/μ for q ≥ 0, without cancellation. */
function positiveRoot(h: number, q: number): number {
  const half = 0.5 * h;
  const radius = Math.sqrt(half * half + q);
  return half >= 0 ? half + radius : q / (radius - half);
}

/**
 * Largest eigenvalue of the arrowhead matrix [[a, b, c], [b, d1, 0], [c, 0, d2]] with a ≥ 0 and d1
 * ≥ d2 ≥ 0, to a few ulp, near multiple eigenvalues too.
 *
 * It is d1 + μ, with μ ≥ 0 the largest root of μ = (a − d1) + b²/μ + c²/(μ + d1 − d2). Each
 * iteration keeps the pole at 0 exactly and takes the tangent of the other, which lies below its
 * convex curve: so the iterates climb to the root from below, quadratically, and no shift ever
 * cancels. Where the other pole is far (λ₁ ≫ λ₂) one iteration from 0 suffices.
 */
export function arrowheadTop(a: number, b: number, c: number, d1: number, d2: number): number {
  const t = a - d1;
  const gap = d1 - d2;
  const bb = b * b;
  const cc = c * c;
  if (cc < 1e-3 * (gap * gap)) {
    // The first iteration from μ = 0 stands here by itself, small enough to be inlined where it is
    // called.
    const inverse = 1 / gap;
    const k = cc * inverse;
    const slope = k * inverse;
    const half = 0.5 * (t + k);
    const radius = Math.sqrt(half * half + (1 + slope) * bb);
    const mu = half >= 0 ? (half + radius) / (1 + slope) : bb / (radius - half);
    return slope * mu * mu <= HALF_ULP * gap * (d1 + mu) ? d1 + mu : climb(mu, t, gap, bb, cc, d1);
  }
  // Start no lower than where the second pole alone puts the root, or the first moved onto it.
  return climb(
    Math.max(positiveRoot(t, bb), positiveRoot(t + gap, bb + cc) - gap),
    t,
    gap,
    bb,
    cc,
    d1,
  );
}

const HALF_ULP = 5e-17;

/** Iterates from a lower bound `mu` up to the root. */
function climb(start: number, t: number, gap: number, bb: number, cc: number, d1: number): number {
  let mu = start;
  for (let i = 0; i < 100; i++) {
    const distance = mu + gap;
    if (distance === 0) break;
    const inverse = 1 / distance;
    const k = cc * inverse;
    const slope = k * inverse;
    // (1 + slope)·μ² = (t + k + slope·μ₀)·μ + b², solved without cancellation.
    const half = 0.5 * (t + k + slope * mu);
    const radius = Math.sqrt(half * half + (1 + slope) * bb);
    const next = half >= 0 ? (half + radius) / (1 + slope) : bb / (radius - half);
    const change = next - mu;
    mu = next;
    // What the tangent left out, second order in the change, is below half an ulp.
    if (change <= 0 || slope * change * change <= HALF_ULP * distance * (d1 + mu)) break;
  }
  return d1 + mu;
}

/**
 * Sharpness S(θ) = λ_max(∇²L(θ)) to 1e-12 relative everywhere. In the eigenbasis of Σ the Hessian
 * is an arrowhead: H_ββ = α²Σ becomes diagonal and only the row of α couples to it.
 */
export function sharpness(
  { alpha, beta1, beta2 }: Theta,
  { large, small, u1, u2, v1, v2 }: Spectrum,
): number {
  const along = u1 * beta1 + u2 * beta2;
  const across = v1 * beta1 + v2 * beta2;
  const square = alpha * alpha;
  return arrowheadTop(
    large * (along * along) + small * (across * across),
    large * (2 * alpha * along - u2),
    small * (2 * alpha * across - v2),
    large * square,
    small * square,
  );
}

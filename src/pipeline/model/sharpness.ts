import type { Theta } from './loss.ts';
import type { Spectrum } from './moments.ts';

/** Positive root μ of μ = h + q/μ for q ≥ 0, without cancellation. */
function positiveRoot(h: number, q: number): number {
  const half = 0.5 * h;
  const radius = Math.sqrt(half * half + q);
  return half >= 0 ? half + radius : q / (radius - half);
}

/**
 * Largest eigenvalue of the arrowhead matrix [[a, b, c], [b, d1, 0], [c, 0, d2]] with d1 ≥ d2, to a few ulp,
 * near multiple eigenvalues too.
 *
 * It is d1 + μ, with μ ≥ 0 the largest root of μ = (a − d1) + b²/μ + c²/(μ + d1 − d2). Each iteration keeps the pole
 * at 0 exactly and takes the tangent of the other, which lies below its convex curve: so the iterates climb to the root
 * from below, quadratically, and no shift ever cancels. Where the other pole is far (λ₁ ≫ λ₂) one iteration suffices.
 */
export function arrowheadTop(a: number, b: number, c: number, d1: number, d2: number): number {
  const t = a - d1;
  const gap = d1 - d2;
  const bb = b * b;
  const cc = c * c;
  let mu = positiveRoot(t, bb);
  if (cc > 1e-3 * (mu + gap) * (mu + gap)) {
    // The second pole matters: start no lower than where moving the first pole onto it puts the root.
    mu = Math.max(mu, positiveRoot(t + gap, bb + cc) - gap);
  }
  for (let i = 0; i < 100; i++) {
    const distance = mu + gap;
    if (distance === 0) break;
    const k = cc / distance;
    const slope = k / distance;
    const next = positiveRoot((t + k + slope * mu) / (1 + slope), bb / (1 + slope));
    const change = next - mu;
    mu = next;
    // What the tangent left out, second order in the change, is below half an ulp.
    if (slope * change * change <= 5e-17 * distance * (d1 + mu) || change <= 0) break;
  }
  return d1 + mu;
}

/**
 * Sharpness S(θ) = λ_max(∇²L(θ)) to 1e-12 relative everywhere. In the eigenbasis of Σ the Hessian is an arrowhead:
 * H_ββ = α²Σ becomes diagonal and only the row of α couples to it.
 */
export function sharpness({ alpha, beta1, beta2 }: Theta, { large, small, u1, u2, v1, v2 }: Spectrum): number {
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

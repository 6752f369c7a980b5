// The largest eigenvalue of matrices with the arrow a, b, c and the poles d₁ ≥ d₂, as of
// numeric/arrowhead: of two at once, or of many in passes, so that a quotient or a root is hardly
// ever waited for.

/** Bytes of as many numbers as go through the passes together. */
export const TOGETHER: usize = 8 * 64;
const SCRATCH: usize = memory.data(8 * 8 * 64, 16);
const T: usize = SCRATCH;
const GAP: usize = SCRATCH + TOGETHER;
const BB: usize = SCRATCH + 2 * TOGETHER;
const CC: usize = SCRATCH + 3 * TOGETHER;
const D1: usize = SCRATCH + 4 * TOGETHER;
const SLOPE: usize = SCRATCH + 5 * TOGETHER;
const HALF: usize = SCRATCH + 6 * TOGETHER;
const TOP: usize = SCRATCH + 7 * TOGETHER;

const HALF_ULP: f64 = 5e-17;
/** The far pole is far where c² is less than so many times the square of the gap. */
const FAR: f64 = 1e-3;

/** The first pass, for the matrices of two places. @returns of which the far pole is far */
export function begin(at: usize, a: v128, b: v128, c: v128, d1: v128, d2: v128): v128 {
  const gap = f64x2.sub(d1, d2);
  const cc = f64x2.mul(c, c);
  const t = f64x2.sub(a, d1);
  const inverse = f64x2.div(f64x2.splat(1), gap);
  const k = f64x2.mul(cc, inverse);
  v128.store(at, t, T);
  v128.store(at, gap, GAP);
  v128.store(at, f64x2.mul(b, b), BB);
  v128.store(at, cc, CC);
  v128.store(at, d1, D1);
  v128.store(at, f64x2.mul(k, inverse), SLOPE);
  v128.store(at, f64x2.mul(f64x2.splat(0.5), f64x2.add(t, k)), HALF);
  return f64x2.lt(cc, f64x2.mul(f64x2.splat(FAR), f64x2.mul(gap, gap)));
}

/** The second pass. @returns which of the two are right, where the far pole is far */
export function end(at: usize): v128 {
  const bb = v128.load(at, BB);
  const half = v128.load(at, HALF);
  const slope = v128.load(at, SLOPE);
  const more = f64x2.add(f64x2.splat(1), slope);
  const radius = f64x2.sqrt(f64x2.add(f64x2.mul(half, half), f64x2.mul(more, bb)));
  const positive = f64x2.ge(half, f64x2.splat(0));
  const mu = f64x2.div(
    v128.bitselect(f64x2.add(half, radius), bb, positive),
    v128.bitselect(more, f64x2.sub(radius, half), positive),
  );
  const top = f64x2.add(v128.load(at, D1), mu);
  v128.store(at, top, TOP);
  return f64x2.le(
    f64x2.mul(f64x2.mul(slope, mu), mu),
    f64x2.mul(f64x2.mul(f64x2.splat(HALF_ULP), v128.load(at, GAP)), top),
  );
}

/** Finds those of so many bytes anew that were not all right. */
export function correct(bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 8) {
    const top = arrowheadTop(
      load<f64>(at, T),
      load<f64>(at, GAP),
      load<f64>(at, BB),
      load<f64>(at, CC),
      load<f64>(at, D1),
    );
    store<f64>(at, top, TOP);
  }
}

/** What has been found for two places. */
export function found(at: usize): v128 {
  return v128.load(at, TOP);
}

/** The largest eigenvalues of two matrices. */
export function arrowheadTops(a: v128, b: v128, c: v128, d1: v128, d2: v128): v128 {
  const far = begin(0, a, b, c, d1, d2);
  if (i64x2.bitmask(v128.and(far, end(0))) != 3) correct(16);
  return found(0);
}

/**
 * The first pass for the Hessians at two points.
 * @param along the part of β along the eigenvector of the moments' larger eigenvalue `large`,
 * `across` that along the other one
 * @param shift1 the parts u₂ and v₂ of these along the relevant feature
 */
export function beginHessian(
  at: usize,
  alpha: v128,
  along: v128,
  across: v128,
  large: v128,
  small: v128,
  shift1: v128,
  shift2: v128,
): v128 {
  const twice = f64x2.add(alpha, alpha);
  const square = f64x2.mul(alpha, alpha);
  return begin(
    at,
    f64x2.add(
      f64x2.mul(large, f64x2.mul(along, along)),
      f64x2.mul(small, f64x2.mul(across, across)),
    ),
    f64x2.mul(large, f64x2.sub(f64x2.mul(twice, along), shift1)),
    f64x2.mul(small, f64x2.sub(f64x2.mul(twice, across), shift2)),
    f64x2.mul(large, square),
    f64x2.mul(small, square),
  );
}

/** Sharpness at two points of the same run, for covariance 0 and λ₁ ≥ λ₂. */
export function sharpnessOfBoth(
  lambda1: f64,
  lambda2: f64,
  alpha: v128,
  beta1: v128,
  beta2: v128,
): v128 {
  const far = beginHessian(
    0,
    alpha,
    beta1,
    beta2,
    f64x2.splat(lambda1),
    f64x2.splat(lambda2),
    f64x2.splat(0),
    f64x2.splat(1),
  );
  if (i64x2.bitmask(v128.and(far, end(0))) != 3) correct(16);
  return found(0);
}

/** Sharpness at a point, for covariance 0 and λ₁ ≥ λ₂. */
export function sharpness(lambda1: f64, lambda2: f64, alpha: f64, beta1: f64, beta2: f64): f64 {
  const square = alpha * alpha;
  const d1 = lambda1 * square;
  const b = lambda1 * (2 * alpha * beta1);
  const c = lambda2 * (2 * alpha * beta2 - 1);
  const a = lambda1 * (beta1 * beta1) + lambda2 * (beta2 * beta2);
  return arrowheadTop(a - d1, d1 - lambda2 * square, b * b, c * c, d1);
}

function positiveRoot(h: f64, q: f64): f64 {
  const half = 0.5 * h;
  const radius = sqrt(half * half + q);
  return half >= 0 ? half + radius : q / (radius - half);
}

/** For t = a − d₁, the gap d₁ − d₂, b² and c². */
function arrowheadTop(t: f64, gap: f64, bb: f64, cc: f64, d1: f64): f64 {
  if (cc < FAR * (gap * gap)) {
    const inverse = 1 / gap;
    const k = cc * inverse;
    const slope = k * inverse;
    const half = 0.5 * (t + k);
    const radius = sqrt(half * half + (1 + slope) * bb);
    const mu = half >= 0 ? (half + radius) / (1 + slope) : bb / (radius - half);
    return slope * mu * mu <= HALF_ULP * gap * (d1 + mu) ? d1 + mu : climb(mu, t, gap, bb, cc, d1);
  }
  const start = max<f64>(positiveRoot(t, bb), positiveRoot(t + gap, bb + cc) - gap);
  return climb(start, t, gap, bb, cc, d1);
}

function climb(start: f64, t: f64, gap: f64, bb: f64, cc: f64, d1: f64): f64 {
  let mu = start;
  for (let i = 0; i < 100; i++) {
    const distance = mu + gap;
    if (distance == 0) break;
    const inverse = 1 / distance;
    const k = cc * inverse;
    const slope = k * inverse;
    const half = 0.5 * (t + k + slope * mu);
    const radius = sqrt(half * half + (1 + slope) * bb);
    const next = half >= 0 ? (half + radius) / (1 + slope) : bb / (radius - half);
    const change = next - mu;
    mu = next;
    if (change <= 0 || slope * change * change <= HALF_ULP * distance * (d1 + mu)) break;
  }
  return d1 + mu;
}

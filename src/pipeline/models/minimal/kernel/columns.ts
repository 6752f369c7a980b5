// The columns that follow from θ alone, two rows at a time: the operators splitLoss,
// classifySharpness and flowSolution, operation by operation.
import { signed, solutionSharpness, solutionSquare } from './arithmetic';
import {
  ALPHA,
  BALANCE,
  BETA1,
  BETA2,
  L_HAT,
  L1,
  RATIO,
  REGIME,
  SHARPNESS,
  SOLUTION,
} from './rows';
import { arrowheadTops, beginHessian, correct, end, found, TOGETHER } from './tops';

/** L₁ and L̂ of so many rows; L₂ the source knows. */
export function split(count: usize, lambda1: f64, lambda2: f64, alphaHat: f64): void {
  const half1 = f64x2.splat(0.5 * lambda1);
  const half2 = f64x2.splat(0.5 * lambda2);
  const hat = f64x2.splat(alphaHat);
  for (let at: usize = 0; at < 8 * count; at += 16) {
    const alpha = v128.load(ALPHA + at);
    const p = f64x2.mul(alpha, v128.load(BETA1 + at));
    const product = f64x2.mul(signed(hat, alpha), v128.load(BETA2 + at));
    const r = f64x2.sub(product, f64x2.splat(1));
    v128.store(L1 + at, f64x2.mul(half1, f64x2.mul(p, p)));
    v128.store(L_HAT + at, f64x2.mul(half2, f64x2.mul(r, r)));
  }
}

/** S, its ratio to 2/η, and the regime. */
export function classify(
  count: usize,
  eta: f64,
  band: f64,
  large: f64,
  small: f64,
  u1: f64,
  u2: f64,
  v1: f64,
  v2: f64,
): void {
  const etas = f64x2.splat(eta);
  const below = f64x2.splat(1 - band);
  const above = f64x2.splat(1 + band);
  for (let from: usize = 0; from < 8 * count; from += TOGETHER) {
    const bytes = min<usize>(8 * count - from, TOGETHER);
    findTops(from, bytes, large, small, u1, u2, v1, v2);
    for (let here: usize = 0; here < bytes; here += 16) {
      const at = from + here;
      const s = found(here);
      const ratio = f64x2.mul(f64x2.mul(etas, s), f64x2.splat(0.5));
      v128.store(at, s, SHARPNESS);
      v128.store(at, ratio, RATIO);
      // 0, 1 or 2; what is no number is at the edge.
      const regime = i64x2.add(
        i64x2.sub(f64x2.lt(ratio, below), f64x2.gt(ratio, above)),
        i64x2.splat(1),
      );
      store<u8>(at >> 3, <u8>i64x2.extract_lane(regime, 0), REGIME);
      store<u8>(at >> 3, <u8>i64x2.extract_lane(regime, 1), REGIME + 1);
    }
  }
}

/** S of rows that go through the passes together. */
function findTops(
  from: usize,
  bytes: usize,
  large: f64,
  small: f64,
  u1: f64,
  u2: f64,
  v1: f64,
  v2: f64,
): void {
  const top = f64x2.splat(large);
  const low = f64x2.splat(small);
  const shift1 = f64x2.splat(u2);
  const shift2 = f64x2.splat(v2);
  // At a covariance next to nothing u₁ and v₂ are 1, and u₂ and v₁ yet count where β₁ is as small.
  const alongAxes = u1 == 1 && v2 == 1 && u2 == 0 && v1 == 0;
  let right = i64x2.splat(-1);
  for (let here: usize = 0; here < bytes; here += 16) {
    const alpha = v128.load(from + here, ALPHA);
    const beta1 = v128.load(from + here, BETA1);
    const beta2 = v128.load(from + here, BETA2);
    let along = beta1;
    let across = beta2;
    if (!alongAxes) {
      along = f64x2.add(f64x2.mul(f64x2.splat(u1), beta1), f64x2.mul(f64x2.splat(u2), beta2));
      across = f64x2.add(f64x2.mul(f64x2.splat(v1), beta1), f64x2.mul(f64x2.splat(v2), beta2));
    }
    right = v128.and(right, beginHessian(here, alpha, along, across, top, low, shift1, shift2));
  }
  for (let here: usize = 0; here < bytes; here += 16) right = v128.and(right, end(here));
  if (i64x2.bitmask(right) != 3) correct(bytes);
}

/** Q and S∞. */
export function solve(
  count: usize,
  lambda1: f64,
  lambda2: f64,
  covariance: f64,
  large: f64,
  small: f64,
  u2: f64,
  v2: f64,
): void {
  for (let at: usize = 0; at < 8 * count; at += 16) {
    const alpha = v128.load(ALPHA + at);
    const beta1 = v128.load(BETA1 + at);
    const beta2 = v128.load(BETA2 + at);
    const q = f64x2.sub(
      f64x2.mul(f64x2.sub(alpha, beta2), f64x2.add(alpha, beta2)),
      f64x2.mul(beta1, beta1),
    );
    v128.store(BALANCE + at, q);
    if (covariance == 0) {
      v128.store(SOLUTION + at, solutionSharpness(q, f64x2.splat(lambda1), f64x2.splat(lambda2)));
      continue;
    }
    const square = solutionSquare(q);
    const end = arrowheadTops(
      f64x2.div(f64x2.splat(lambda2), square),
      f64x2.splat(large * u2),
      f64x2.splat(small * v2),
      f64x2.mul(f64x2.splat(large), square),
      f64x2.mul(f64x2.splat(small), square),
    );
    v128.store(SOLUTION + at, end);
  }
}

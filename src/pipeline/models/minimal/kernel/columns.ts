// The columns that follow from θ alone, two rows at a time: the operators splitLoss,
// classifySharpness and flowSolution, operation by operation.
import { arrowheadTops, signed, solutionSharpness, solutionSquare } from './arithmetic';
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
  const top = f64x2.splat(large);
  const low = f64x2.splat(small);
  const below = f64x2.splat(1 - band);
  const above = f64x2.splat(1 + band);
  // At a covariance next to nothing u₁ and v₂ are 1, and u₂ and v₁ yet count where β₁ is as small.
  const alongAxes = u1 == 1 && v2 == 1 && u2 == 0 && v1 == 0;
  for (let at: usize = 0; at < 8 * count; at += 16) {
    const alpha = v128.load(ALPHA + at);
    const beta1 = v128.load(BETA1 + at);
    const beta2 = v128.load(BETA2 + at);
    let along = beta1;
    let across = beta2;
    if (!alongAxes) {
      along = f64x2.add(f64x2.mul(f64x2.splat(u1), beta1), f64x2.mul(f64x2.splat(u2), beta2));
      across = f64x2.add(f64x2.mul(f64x2.splat(v1), beta1), f64x2.mul(f64x2.splat(v2), beta2));
    }
    const twice = f64x2.add(alpha, alpha);
    const square = f64x2.mul(alpha, alpha);
    const sharpness = arrowheadTops(
      f64x2.add(f64x2.mul(top, f64x2.mul(along, along)), f64x2.mul(low, f64x2.mul(across, across))),
      f64x2.mul(top, f64x2.sub(f64x2.mul(twice, along), f64x2.splat(u2))),
      f64x2.mul(low, f64x2.sub(f64x2.mul(twice, across), f64x2.splat(v2))),
      f64x2.mul(top, square),
      f64x2.mul(low, square),
    );
    const ratio = f64x2.mul(f64x2.mul(f64x2.splat(eta), sharpness), f64x2.splat(0.5));
    v128.store(SHARPNESS + at, sharpness);
    v128.store(RATIO + at, ratio);
    // 0, 1 or 2; what is no number is at the edge.
    const regime = i64x2.add(
      i64x2.sub(f64x2.lt(ratio, below), f64x2.gt(ratio, above)),
      i64x2.splat(1),
    );
    store<u8>(REGIME + (at >> 3), <u8>i64x2.extract_lane(regime, 0));
    store<u8>(REGIME + (at >> 3), <u8>i64x2.extract_lane(regime, 1), 1);
  }
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

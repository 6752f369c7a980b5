// What is asked of rows with few digits, as in models/minimal/agreement: a vector holds what is of
// the run itself, and of its shadow.
import { signed, solutionSharpness } from '../../models/minimal/kernel/arithmetic';
import { sharpnessOfBoth } from '../../models/minimal/kernel/tops';
import { KAPPA } from './walk';

/** Each of the two may be wrong by so many times what they differ. */
const DOUBT: f64 = 20;
/** A column that differs by more, relatively, has lost its digits. */
const LOST: f64 = 1e-3;
const EPSILON: f64 = 2.220446049250313e-16;

/**
 * Whether no label of a row with few digits may be decided by rounding, and no column has lost its
 * digits.
 *
 * @param residual αβ₂ − 1 of the run itself, as it carries it
 * @param limits where the four numbers are that S is compared with: τ, τ_δ and those of the band
 */
export function isTrue(
  alpha: v128,
  beta1: v128,
  beta2: v128,
  residual: f64,
  eta: f64,
  lambda1: f64,
  lambda2: f64,
  edge: f64,
  limits: usize,
): bool {
  const first = f64x2.splat(lambda1);
  const second = f64x2.splat(lambda2);
  const p = f64x2.mul(alpha, beta1);
  const product = f64x2.mul(alpha, beta2);
  const plain = f64x2.sub(product, f64x2.splat(1));
  const e1 = f64x2.mul(first, p);
  const q = f64x2.sub(
    f64x2.mul(f64x2.sub(alpha, beta2), f64x2.add(alpha, beta2)),
    f64x2.mul(beta1, beta1),
  );

  const s = sharpnessOfBoth(lambda1, lambda2, alpha, beta1, beta2);
  const end = solutionSharpness(q, first, second);
  const own = f64x2.splat(f64x2.extract_lane(s, 0));
  const other = f64x2.splat(f64x2.extract_lane(s, 1));
  const near = v128.load(limits);
  const band = v128.load(limits, 16);
  if (
    i64x2.bitmask(
      v128.and(
        areSure(f64x2.sub(own, near), f64x2.sub(other, near)),
        areSure(f64x2.sub(own, band), f64x2.sub(other, band)),
      ),
    ) != 3
  )
    return false;
  const tolerated = load<f64>(limits, 8);
  if (!isSure(f64x2.sub(end, f64x2.splat(tolerated)))) return false;
  if (!isSure(f64x2.sub(s, f64x2.mul(f64x2.splat(1 - KAPPA), end)))) return false;
  const growth = f64x2.mul(
    alpha,
    f64x2.add(f64x2.mul(beta1, e1), f64x2.mul(beta2, f64x2.mul(second, plain))),
  );
  if (!(f64x2.extract_lane(end, 0) < tolerated || isSure(growth))) return false;

  const alpha0 = f64x2.extract_lane(alpha, 0);
  const beta20 = f64x2.extract_lane(beta2, 0);
  const rate = eta * lambda2 * (alpha0 * alpha0 + beta20 * beta20);
  const shadow = f64x2.extract_lane(plain, 1);
  const same = abs(shadow - residual) <= 4 * EPSILON * (1 + 1 / rate);
  const r = f64x2(residual, same ? residual : shadow);
  const e2 = f64x2.mul(second, r);
  const pull = f64x2.add(f64x2.mul(beta1, e1), f64x2.mul(beta2, e2));
  const squares = f64x2.add(f64x2.mul(e1, e1), f64x2.mul(e2, e2));
  const gradient = f64x2.sqrt(
    f64x2.add(f64x2.mul(pull, pull), f64x2.mul(f64x2.mul(alpha, alpha), squares)),
  );
  const hat = f64x2.mul(signed(f64x2.splat(edge), alpha), beta2);
  return (
    keeps(f64x2.add(f64x2.mul(p, e1), f64x2.mul(r, e2))) &&
    keeps(r) &&
    keeps(f64x2.sub(hat, f64x2.splat(1))) &&
    keeps(gradient) &&
    keeps(q)
  );
}

/** Whether the signs of numbers are sure, given the same of the shadow. */
function areSure(own: v128, shadow: v128): v128 {
  const doubt = f64x2.mul(f64x2.splat(DOUBT), f64x2.abs(f64x2.sub(own, shadow)));
  return f64x2.ge(f64x2.abs(own), doubt);
}

function isSure(both: v128): bool {
  const own = f64x2.extract_lane(both, 0);
  return abs(own) >= DOUBT * abs(own - f64x2.extract_lane(both, 1));
}

function keeps(both: v128): bool {
  const own = f64x2.extract_lane(both, 0);
  return abs(own - f64x2.extract_lane(both, 1)) <= LOST * abs(own);
}

// Sums over rows at the edge: of L₁, of what is predicted of it, and of the fit of ln L̂.
import { log, logNear, logs, NEAR, NORMAL, signed } from '../../models/minimal/kernel/arithmetic';
import {
  ALPHA_HAT,
  LAMBDA1,
  LAMBDA2,
  LOG_REFERENCE,
  N,
  REFERENCE,
  ROW,
  ROW_BETA1,
  ROW_BETA2,
  SUM_L1,
  SUM_PREDICTED,
  SUM_X,
  SUM_XX,
  SUM_XY,
  SUM_Y,
  X0,
  Y0,
} from './lanes';
import { blockOf, half } from './walk';

/** L̂ of the rows of a stretch. */
const SURROGATES: usize = memory.data(16 * 64, 16);

/**
 * Adds L₁ and what is predicted of it, of the lanes that are `active`, and leaves L̂ behind.
 * @returns the least L̂ of each
 */
function addLosses(pair: usize, from: i32, to: i32, active: v128): v128 {
  const hat = v128.load(pair, ALPHA_HAT);
  const half1 = half(v128.load(pair, LAMBDA1));
  const half2 = half(v128.load(pair, LAMBDA2));
  let sumL1 = v128.load(pair, SUM_L1);
  let sumPredicted = v128.load(pair, SUM_PREDICTED);
  let least = f64x2.splat(Infinity);
  const block = blockOf(pair);
  const end = block + <usize>to * ROW;
  let at = SURROGATES;
  for (let row = block + <usize>from * ROW; row < end; row += ROW) {
    const alpha = v128.load(row);
    const p = f64x2.mul(alpha, v128.load(row, ROW_BETA1));
    sumL1 = f64x2.add(sumL1, f64x2.mul(half1, f64x2.mul(p, p)));
    const product = f64x2.mul(signed(hat, alpha), v128.load(row, ROW_BETA2));
    const off = f64x2.sub(f64x2.splat(1), product);
    sumPredicted = f64x2.add(sumPredicted, f64x2.mul(f64x2.mul(half2, product), off));
    const surrogate = f64x2.mul(half2, f64x2.mul(off, off));
    v128.store(at, surrogate);
    least = f64x2.pmin(least, surrogate);
    at += 16;
  }
  // Rows of the other lane have been added as well.
  v128.store(pair, v128.bitselect(sumL1, v128.load(pair, SUM_L1), active), SUM_L1);
  const predicted = v128.bitselect(sumPredicted, v128.load(pair, SUM_PREDICTED), active);
  v128.store(pair, predicted, SUM_PREDICTED);
  return least;
}

/** Numbers of which the logarithms are taken, one after the other, and these in their places. */
const REFERENCES: usize = memory.data(16 * 65, 16);
/** The place there of the one that is near L̂ of a row, and how far L̂ is from it. */
const PLACES: usize = memory.data(16 * 64, 16);
const DISTANCES: usize = memory.data(16 * 64, 16);

/** Finds these of a stretch, where all L̂ have all digits. */
function refer(pair: usize, rows: i32, active: v128): void {
  let reference = v128.load(pair, REFERENCE);
  let inverse = f64x2.div(f64x2.splat(1), reference);
  let place: usize = 0;
  v128.store(REFERENCES, reference);
  const bytes = (<usize>rows) << 4;
  for (let at: usize = 0; at < bytes; at += 16) {
    const surrogate = v128.load(at, SURROGATES);
    const z = f64x2.mul(f64x2.sub(surrogate, reference), inverse);
    const anew = v128.andnot(active, f64x2.lt(f64x2.abs(z), f64x2.splat(NEAR)));
    const lanes = i64x2.bitmask(anew);
    reference = v128.bitselect(surrogate, reference, anew);
    inverse = v128.bitselect(f64x2.div(f64x2.splat(1), surrogate), inverse, anew);
    // No branch: which rows are new cannot be foreseen.
    place += (<usize>((lanes + 3) & 4)) << 2;
    v128.store(place, reference, REFERENCES);
    store<i32>(at, <i32>place, PLACES);
    v128.store(at, v128.andnot(z, anew), DISTANCES);
  }
  for (let at: usize = 0; at <= place; at += 16)
    v128.store(at, logs(v128.load(at, REFERENCES)), REFERENCES);
  const log = v128.bitselect(v128.load(place, REFERENCES), v128.load(pair, LOG_REFERENCE), active);
  v128.store(pair, reference, REFERENCE);
  v128.store(pair, log, LOG_REFERENCE);
}

/** Adds the rows of which that was found to the fit. */
function addLogarithms(pair: usize, rows: i32, active: v128, step: v128): void {
  const x0 = v128.load(pair, X0);
  const y0 = v128.load(pair, Y0);
  let sumX = v128.load(pair, SUM_X);
  let sumY = v128.load(pair, SUM_Y);
  let sumXX = v128.load(pair, SUM_XX);
  let sumXY = v128.load(pair, SUM_XY);
  const bytes = (<usize>rows) << 4;
  for (let at: usize = 0; at < bytes; at += 16) {
    const x = v128.and(active, f64x2.sub(step, x0));
    const log = v128.load(<usize>load<i32>(at, PLACES), REFERENCES);
    const logarithm = f64x2.add(log, logNear(v128.load(at, DISTANCES)));
    const y = v128.and(active, f64x2.sub(logarithm, y0));
    sumX = f64x2.add(sumX, x);
    sumY = f64x2.add(sumY, y);
    sumXX = f64x2.add(sumXX, f64x2.mul(x, x));
    sumXY = f64x2.add(sumXY, f64x2.mul(x, y));
    step = f64x2.add(step, f64x2.splat(1));
  }
  const n = f64x2.add(v128.load(pair, N), v128.and(active, f64x2.splat(rows)));
  v128.store(pair, n, N);
  v128.store(pair, sumX, SUM_X);
  v128.store(pair, sumY, SUM_Y);
  v128.store(pair, sumXX, SUM_XX);
  v128.store(pair, sumXY, SUM_XY);
}

/**
 * Adds rows of a pair at the edge, those of the lanes that are `active`.
 * @param step the step of the first of them in either run
 */
export function addEdgeRows(pair: usize, from: i32, to: i32, active: v128, step: v128): void {
  const least = addLosses(pair, from, to, active);
  const reference = v128.load(pair, REFERENCE);
  // What is no number yet has no digits either.
  const full = v128.and(
    f64x2.ge(least, f64x2.splat(NORMAL)),
    f64x2.ge(reference, f64x2.splat(NORMAL)),
  );
  if (i64x2.bitmask(v128.andnot(active, full)) != 0) {
    addOneByOne(pair, to - from, active, step);
    return;
  }
  refer(pair, to - from, active);
  addLogarithms(pair, to - from, active, step);
}

/** Adds rows to a fit that they may begin, or whose L̂ may have lost digits. */
function addOneByOne(pair: usize, rows: i32, active: v128, step: v128): void {
  let n = v128.load(pair, N);
  let sumX = v128.load(pair, SUM_X);
  let sumY = v128.load(pair, SUM_Y);
  let sumXX = v128.load(pair, SUM_XX);
  let sumXY = v128.load(pair, SUM_XY);
  let reference = v128.load(pair, REFERENCE);
  let logReference = v128.load(pair, LOG_REFERENCE);
  let inverse = f64x2.div(f64x2.splat(1), reference);
  const end = SURROGATES + ((<usize>rows) << 4);
  for (let at = SURROGATES; at < end; at += 16) {
    const surrogate = v128.load(at);
    let z = f64x2.mul(f64x2.sub(surrogate, reference), inverse);
    const isNear = f64x2.lt(f64x2.abs(z), f64x2.splat(NEAR));
    let fitted = active;
    if (i64x2.bitmask(v128.andnot(active, isNear)) != 0) {
      fitted = v128.and(active, f64x2.gt(surrogate, f64x2.splat(0)));
      const anew = v128.andnot(fitted, isNear);
      const lanes = i64x2.bitmask(anew);
      if (lanes != 0) {
        const isFirst = v128.andnot(anew, f64x2.eq(reference, reference));
        if (lanes & 1)
          logReference = f64x2.replace_lane(logReference, 0, log(f64x2.extract_lane(surrogate, 0)));
        if (lanes & 2)
          logReference = f64x2.replace_lane(logReference, 1, log(f64x2.extract_lane(surrogate, 1)));
        // The fit starts from its first row.
        v128.store(pair, v128.bitselect(step, v128.load(pair, X0), isFirst), X0);
        v128.store(pair, v128.bitselect(logReference, v128.load(pair, Y0), isFirst), Y0);
        reference = v128.bitselect(surrogate, reference, anew);
        inverse = f64x2.div(f64x2.splat(1), reference);
        z = v128.andnot(z, anew);
      }
    }
    const x = v128.and(fitted, f64x2.sub(step, v128.load(pair, X0)));
    const logarithm = f64x2.add(logReference, logNear(z));
    const y = v128.and(fitted, f64x2.sub(logarithm, v128.load(pair, Y0)));
    n = f64x2.add(n, v128.and(fitted, f64x2.splat(1)));
    sumX = f64x2.add(sumX, x);
    sumY = f64x2.add(sumY, y);
    sumXX = f64x2.add(sumXX, f64x2.mul(x, x));
    sumXY = f64x2.add(sumXY, f64x2.mul(x, y));
    step = f64x2.add(step, f64x2.splat(1));
  }
  v128.store(pair, n, N);
  v128.store(pair, sumX, SUM_X);
  v128.store(pair, sumY, SUM_Y);
  v128.store(pair, sumXX, SUM_XX);
  v128.store(pair, sumXY, SUM_XY);
  v128.store(pair, reference, REFERENCE);
  v128.store(pair, logReference, LOG_REFERENCE);
}

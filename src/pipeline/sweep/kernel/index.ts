// Summaries of gradient descent on the minimal model for σ = 0, four runs at once: S and S∞ only at
// steps where bounds do not settle what a summary asks of them. With d₁ = λ₁α², a = λ₁β₁² + λ₂β₂²
// and couplings b = 2λ₁αβ₁, c = λ₂(2αβ₂ − 1) of the Hessian,
//
//     d₁ ≤ S ≤ d₁ + 4b²/d₁   where 2a ≤ d₁, 9c² ≤ d₁² and 2λ₂ ≤ λ₁
//
// (from S = d₁ + μ with μ(μ + d₁ − a − c²/(μ + d₁ − d₂)) = b²).
import { solutionSharpness } from '../../models/minimal/kernel/arithmetic';
import { sharpness } from '../../models/minimal/kernel/tops';
import { addEdgeRows } from './edge';
import {
  ABOVE,
  ALPHA,
  ALPHA_HAT,
  BETA1,
  BETA2,
  CALM,
  CANDIDATES,
  cell,
  EPSILON,
  ETA,
  FLOOR,
  get,
  HIGH,
  LAMBDA1,
  LAMBDA2,
  LANES,
  N,
  PAIR,
  PAIRS,
  PEAK,
  PEAKS,
  REFERENCE,
  RESIDUAL,
  ROW_BETA1,
  ROW_BETA2,
  ROW_R,
  ROWS,
  SANE,
  SETTLED,
  SUM_L1,
  SUM_PREDICTED,
  SUM_X,
  SUM_XX,
  SUM_XY,
  SUM_Y,
  set,
  THRESHOLD,
  TOLERATED,
  word,
  X0,
  Y0,
} from './lanes';
import {
  DIVERGENCE_LOSS,
  examine,
  findCandidates,
  findHigh,
  KAPPA,
  MARGIN,
  survey,
  walk,
} from './walk';

export { follow, startShadow, trustedUntil } from './shadow';

/** The bit of the first row. */
const FIRST: u64 = 0x8000000000000000;
const SHARPENING: i32 = 0;
const EDGE: i32 = 1;
const CONVERGENCE: i32 = 2;
/** Below this β₁ has an exponent of its own. */
const TINY: f64 = 7.458340731200207e-155;
/** Swings no wider than this, as a ratio to the threshold, cost no digits. */
const WIDE: f64 = 1.4;
/** For bounds that are compared with values that were computed. */
const ROUNDING: f64 = 1e-15;

const RUNNING: f64 = 0;
const ENDED: f64 = 1;
const DIVERGED: f64 = 2;
/** β₁ has left the range of float64. */
const UNFIT: f64 = 3;

/** What else is known of a run; numbers alone, for who reads them by their places. */
@unmanaged
class Lane {
  state: f64;
  /** The step of the next block's first row; behind the end, that of the last row. */
  step: f64;
  steps: f64;
  alpha: f64;
  beta1: f64;
  beta2: f64;
  loss: f64;
  cycles: f64;
  /** Largest sharpness. */
  top: f64;
  /** Last step of a swing that may cost digits, down and up to τ again; −1 where there is none. */
  lastWide: f64;
  lastViolation: f64;
  edgeSteps: f64;
  spans: f64;
  n: f64;
  x0: f64;
  y0: f64;
  sumX: f64;
  sumY: f64;
  sumXX: f64;
  sumXY: f64;
  sumL1: f64;
  sumPredicted: f64;
  // Not for reading.
  phase: i32;
  wasOver: bool;
  /** Whether a wide swing has not come up to τ again. */
  swings: bool;
  rows: i32;
  over: u64;
  within: u64;
  valid: u64;
  edge: u64;
}

const RUNS: usize = memory.data(4 * offsetof<Lane>(), 16);

function laneAt(lane: i32): Lane {
  return changetype<Lane>(RUNS + <usize>lane * offsetof<Lane>());
}

/** Changes of phase: the step and the new phase, of each run. A block brings 130 at most. */
const SPANS: i32 = 1024;
const SPAN_ROOM: i32 = SPANS - 130;
const CHANGES: usize = memory.data(4 * 1024 * 16, 16);

/** Where the numbers of a run are. */
export function numbers(lane: i32): usize {
  return changetype<usize>(laneAt(lane));
}

/** Where the changes of phase are that have come since they were last forgotten. */
export function changes(lane: i32): usize {
  return CHANGES + <usize>lane * SPANS * 16;
}

export function forgetChanges(lane: i32): void {
  laneAt(lane).spans = 0;
}

/** Begins a run; with −1 steps nothing does. */
export function start(
  lane: i32,
  steps: f64,
  eta: f64,
  lambda1: f64,
  lambda2: f64,
  floor: f64,
  epsilon: f64,
  threshold: f64,
  tolerated: f64,
  alphaHat: f64,
  alpha: f64,
  beta1: f64,
  beta2: f64,
  residual: f64,
): void {
  set(ETA, lane, eta);
  set(LAMBDA1, lane, lambda1);
  set(LAMBDA2, lane, lambda2);
  set(FLOOR, lane, floor);
  set(EPSILON, lane, epsilon);
  set(THRESHOLD, lane, threshold);
  set(TOLERATED, lane, tolerated);
  set(ALPHA_HAT, lane, alphaHat);
  set(ALPHA, lane, alpha);
  set(BETA1, lane, beta1);
  set(BETA2, lane, beta2);
  set(RESIDUAL, lane, residual);
  for (let field = N; field <= SUM_PREDICTED; field += 16) set(field, lane, 0);
  set(REFERENCE, lane, NaN);
  set(PEAK, lane, 0);
  const run = laneAt(lane);
  memory.fill(changetype<usize>(run), 0, offsetof<Lane>());
  run.state = steps < 0 ? ENDED : RUNNING;
  run.steps = steps;
  run.phase = -1;
  run.top = -1;
  run.lastWide = -1;
  run.lastViolation = -1;
}

/**
 * Goes on by so many blocks, or until a run has ended or has changed its phase often.
 * @returns whether it stopped before
 */
export function advance(blocks: i32): bool {
  for (let block = 0; block < blocks; block++) {
    walk();
    // Not one after the other: the lanes of both pairs go on.
    const first = pass(0, PAIRS);
    const second = pass(2, PAIRS + PAIR);
    if (first || second) return true;
  }
  return false;
}

/** What a block of a pair says. @returns whether a run has ended, or has many changes of phase */
function pass(lane: i32, pair: usize): bool {
  const first = laneAt(lane);
  const second = laneAt(lane + 1);
  const one = first.state == RUNNING;
  const two = second.state == RUNNING;
  const running = (one ? 1 : 0) | (two ? 2 : 0);
  if (running == 0) return false;
  const edge = (one && first.phase == EDGE) || (two && second.phase == EDGE);
  if (edge || (running & ~survey(pair)) != 0) examine(pair);
  if (one) judge(lane, first);
  if (two) judge(lane + 1, second);
  findPeaks(lane, pair, one ? first : null, two ? second : null);
  if ((one && mayConverge(first)) || (two && mayConverge(second))) findCandidates(pair);
  if (one) label(lane, first);
  if (two) label(lane + 1, second);
  if ((one && first.edge != 0) || (two && second.edge != 0))
    addEdges(pair, first, second, one ? first.edge : 0, two ? second.edge : 0);
  const ended = one && end(lane, first);
  return (
    (two && end(lane + 1, second)) || ended || first.spans > SPAN_ROOM || second.spans > SPAN_ROOM
  );
}

/** Which rows of the block count, on which sides of the thresholds S is, and its maximum. */
function judge(lane: i32, run: Lane): void {
  let rows = <i32>min<f64>(ROWS, run.steps - run.step + 1);
  if (word(SANE, lane) == 0) {
    let row = 1;
    while (row < rows && lossOf(row, lane) <= DIVERGENCE_LOSS) row++;
    if (row < rows) {
      rows = row;
      run.state = DIVERGED;
    }
  }
  run.rows = rows;
  const valid: u64 = rows == ROWS ? u64.MAX_VALUE : ~(u64.MAX_VALUE >> rows);
  const settled = word(SETTLED, lane) & valid;
  let over = word(ABOVE, lane) & settled;
  let within = ~word(ABOVE, lane) & settled;
  let doubtful = valid & ~settled;
  while (doubtful != 0) {
    const row = <i32>clz(doubtful);
    const bit = FIRST >> row;
    doubtful ^= bit;
    let sides = sidesOf(row, lane);
    if (sides == UNSURE) {
      const s = sharpnessOf(row, lane);
      sides = (s >= get(THRESHOLD, lane) ? OVER : 0) | (s <= get(TOLERATED, lane) ? WITHIN : 0);
      if (s > run.top) run.top = s;
      if (s >= WIDE * get(THRESHOLD, lane)) swingsAt(run, run.step + row);
    }
    if (sides & OVER) over |= bit;
    if (sides & WITHIN) within |= bit;
  }
  run.valid = valid;
  run.over = over;
  run.within = within;
  const violations = valid & ~(within & word(CALM, lane));
  if (violations != 0) run.lastViolation = run.step + (63 - <i32>ctz(violations));
}

const OVER: i32 = 1;
const WITHIN: i32 = 2;
const UNSURE: i32 = 4;

/**
 * On which sides of τ and τ_δ the sharpness of a row is, by the sign of det(τI − H): with x = τ −
 * d₁ > 0, y = τ − d₂ > 0 and w = τ − a all eigenvalues are below τ where (wx − b²)y − c²x > 0. By
 * Gershgorin's bound none is farther from it than 4τ, so that more than 16·10⁻⁹τ³ is beyond doubt.
 */
function sidesOf(row: i32, lane: i32): i32 {
  const lambda1 = get(LAMBDA1, lane);
  const lambda2 = get(LAMBDA2, lane);
  const alpha = cell(row, 0, lane);
  const beta1 = cell(row, ROW_BETA1, lane);
  const beta2 = cell(row, ROW_BETA2, lane);
  const square = alpha * alpha;
  const p = alpha * beta1;
  const d1 = lambda1 * square;
  const a = lambda1 * (beta1 * beta1) + lambda2 * (beta2 * beta2);
  const b = 2 * lambda1 * p;
  const c = lambda2 * (2 * cell(row, ROW_R, lane) + 1);
  const bb = b * b;
  const cc = c * c;
  if (!(2 * a <= d1 && 9 * cc <= d1 * d1)) return UNSURE;
  const limits = f64x2(get(THRESHOLD, lane), get(TOLERATED, lane));
  const x = f64x2.sub(limits, f64x2.splat(d1));
  const y = f64x2.sub(limits, f64x2.splat(lambda2 * square));
  const w = f64x2.sub(limits, f64x2.splat(a));
  const determinant = f64x2.sub(
    f64x2.mul(f64x2.sub(f64x2.mul(w, x), f64x2.splat(bb)), y),
    f64x2.mul(f64x2.splat(cc), x),
  );
  const cut = f64x2.mul(f64x2.splat(16 * MARGIN), f64x2.mul(limits, f64x2.mul(limits, limits)));
  const positive = f64x2.gt(x, f64x2.splat(0));
  const below = i64x2.bitmask(v128.and(positive, f64x2.gt(determinant, cut)));
  const above = i64x2.bitmask(
    v128.or(
      v128.and(positive, f64x2.lt(determinant, f64x2.neg(cut))),
      f64x2.lt(x, f64x2.mul(limits, f64x2.splat(-MARGIN))),
    ),
  );
  if ((below | above) != 3) return UNSURE;
  return (above & 1 ? OVER : 0) | (below & 2 ? WITHIN : 0);
}

/** The loss of a row. */
function lossOf(row: i32, lane: i32): f64 {
  return loss(lane, cell(row, 0, lane) * cell(row, ROW_BETA1, lane), cell(row, ROW_R, lane));
}

function loss(lane: i32, p: f64, r: f64): f64 {
  return 0.5 * get(LAMBDA1, lane) * (p * p) + 0.5 * get(LAMBDA2, lane) * (r * r);
}

function sharpnessOf(row: i32, lane: i32): f64 {
  return sharpness(
    get(LAMBDA1, lane),
    get(LAMBDA2, lane),
    cell(row, 0, lane),
    cell(row, ROW_BETA1, lane),
    cell(row, ROW_BETA2, lane),
  );
}

/** The largest S, where the block may hold it, and the last wide swing. */
function findPeaks(lane: i32, pair: usize, first: Lane | null, second: Lane | null): void {
  const one = first != null && word(PEAKS, lane) != 0;
  const two = second != null && word(PEAKS, lane + 1) != 0;
  if (!one && !two) return;
  const limits = f64x2(
    one ? leastPeak(lane, first!) : Infinity,
    two ? leastPeak(lane + 1, second!) : Infinity,
  );
  findHigh(pair, limits);
  if (one) lookAtPeaks(lane, first!);
  if (two) lookAtPeaks(lane + 1, second!);
}

/** What S must reach to matter: that it is at least d₁ is known of all rows. */
function leastPeak(lane: i32, run: Lane): f64 {
  let most: f64 = 0;
  const rows = run.rows;
  for (let row = 0; row < rows; row++) most = max<f64>(most, abs(cell(row, 0, lane)));
  const least = max<f64>(run.top, get(LAMBDA1, lane) * (most * most));
  return min<f64>(least, WIDE * get(THRESHOLD, lane)) * (1 - ROUNDING);
}

function lookAtPeaks(lane: i32, run: Lane): void {
  const wide = WIDE * get(THRESHOLD, lane);
  let high = word(HIGH, lane) & run.valid;
  while (high != 0) {
    const row = <i32>clz(high);
    high ^= FIRST >> row;
    const s = sharpnessOf(row, lane);
    if (s > run.top) run.top = s;
    if (s >= wide) swingsAt(run, run.step + row);
  }
  set(PEAK, lane, min<f64>(run.top, wide) * (1 - ROUNDING));
}

function swingsAt(run: Lane, step: f64): void {
  run.lastWide = max<f64>(run.lastWide, step);
  run.swings = true;
}

/** Whether rows of the block may be of the phase of convergence that follow another. */
function mayConverge(run: Lane): bool {
  return run.phase == CONVERGENCE ? (run.valid & ~run.within) != 0 : run.within != 0;
}

/** Phases and cycles of the rows. */
function label(lane: i32, run: Lane): void {
  const over = run.over;
  const within = run.within;
  const valid = run.valid;
  const rows = run.rows;
  const candidates = mayConverge(run) ? word(CANDIDATES, lane) & within : 0;
  const rises = over & ~((over >> 1) | (run.wasOver ? FIRST : 0));
  run.cycles += <f64>popcnt(rises);
  run.wasOver = (over & (FIRST >> (rows - 1))) != 0;
  if (run.swings) {
    const after = run.lastWide - run.step;
    const up = after < 0 ? rises : after < 63 ? rises & (u64.MAX_VALUE >> (<u64>after + 1)) : 0;
    run.lastWide = run.step + (up != 0 ? <i32>clz(up) : rows - 1);
    run.swings = up == 0;
  }
  let phase = run.phase;
  let edge: u64 = 0;
  let row = 0;
  while (row < rows) {
    const rest = valid & (u64.MAX_VALUE >> row);
    if (phase == CONVERGENCE) {
      const out = rest & ~within;
      if (out == 0) break;
      row = <i32>clz(out);
      phase = change(lane, run, row, EDGE);
      edge |= FIRST >> row;
      row++;
      continue;
    }
    const crossing = phase == EDGE ? 64 : <i32>clz(rest & over);
    const upTo = crossing < 63 ? ~(u64.MAX_VALUE >> (crossing + 1)) : u64.MAX_VALUE;
    const flat = firstConvergent(lane, candidates & rest & upTo);
    if (phase < 0 && crossing > 0 && flat > 0) {
      phase = change(lane, run, 0, SHARPENING);
    } else if (flat < 64) {
      if (phase == EDGE) edge |= rest & ~(u64.MAX_VALUE >> flat);
      phase = change(lane, run, flat, CONVERGENCE);
      row = flat + 1;
    } else if (crossing < 64) {
      phase = change(lane, run, crossing, EDGE);
      edge |= FIRST >> crossing;
      row = crossing + 1;
    } else {
      if (phase == EDGE) edge |= rest;
      break;
    }
  }
  run.phase = phase;
  run.edge = edge;
  run.edgeSteps += <f64>popcnt(edge);
}

function change(lane: i32, run: Lane, row: i32, phase: i32): i32 {
  const at = changes(lane) + ((<usize>run.spans) << 4);
  store<f64>(at, run.step + row);
  store<f64>(at, phase, 8);
  run.spans++;
  return phase;
}

/** The first of these rows with S∞ ≤ τ_δ and S ≥ (1 − κ)S∞; 64 where none has. */
function firstConvergent(lane: i32, rows: u64): i32 {
  while (rows != 0) {
    const row = <i32>clz(rows);
    const alpha = cell(row, 0, lane);
    const beta1 = cell(row, ROW_BETA1, lane);
    const beta2 = cell(row, ROW_BETA2, lane);
    const q = (alpha - beta2) * (alpha + beta2) - beta1 * beta1;
    const solution = solutionSharpness(
      f64x2.splat(q),
      f64x2.splat(get(LAMBDA1, lane)),
      f64x2.splat(get(LAMBDA2, lane)),
    );
    const gfs = f64x2.extract_lane(solution, 0);
    if (gfs <= get(TOLERATED, lane) && sharpnessOf(row, lane) >= (1 - KAPPA) * gfs) return row;
    rows ^= FIRST >> row;
  }
  return 64;
}

/** Sums over the rows at the edge, in stretches in which the same runs are there. */
function addEdges(pair: usize, first: Lane, second: Lane, a: u64, b: u64): void {
  let row = 0;
  while ((a | b) != 0) {
    const alike = min(leading(a), leading(b));
    const inA = <i64>a < 0;
    const inB = <i64>b < 0;
    if (inA || inB) {
      const active = i64x2(inA ? -1 : 0, inB ? -1 : 0);
      addEdgeRows(pair, row, row + alike, active, f64x2(first.step + row, second.step + row));
    }
    row += alike;
    if (row == ROWS) return;
    a <<= alike;
    b <<= alike;
  }
}

/** How many bits are as the first one is. */
function leading(bits: u64): i32 {
  return <i32>clz(<i64>bits < 0 ? ~bits : bits);
}

/** Moves on behind the block. @returns whether the run has ended */
function end(lane: i32, run: Lane): bool {
  const last = run.rows - 1;
  if (run.state == RUNNING && run.step + last == run.steps) run.state = ENDED;
  if (run.state == RUNNING) {
    const next = loss(lane, get(ALPHA, lane) * get(BETA1, lane), get(RESIDUAL, lane));
    if (!(next <= DIVERGENCE_LOSS)) run.state = DIVERGED;
  }
  if (get(FLOOR, lane) < TINY && leavesRange(lane, run)) run.state = UNFIT;
  if (run.state == RUNNING) {
    run.step += ROWS;
    return false;
  }
  run.step += last;
  run.alpha = cell(last, 0, lane);
  run.beta1 = cell(last, ROW_BETA1, lane);
  run.beta2 = cell(last, ROW_BETA2, lane);
  run.loss = lossOf(last, lane);
  run.n = get(N, lane);
  run.x0 = get(X0, lane);
  run.y0 = get(Y0, lane);
  run.sumX = get(SUM_X, lane);
  run.sumY = get(SUM_Y, lane);
  run.sumXX = get(SUM_XX, lane);
  run.sumXY = get(SUM_XY, lane);
  run.sumL1 = get(SUM_L1, lane);
  run.sumPredicted = get(SUM_PREDICTED, lane);
  return true;
}

/** Whether β₁ of a row, or of the next one, has lost digits to underflow. */
function leavesRange(lane: i32, run: Lane): bool {
  if (isTiny(get(BETA1, lane))) return true;
  for (let row = 0; row < run.rows; row++) if (isTiny(cell(row, ROW_BETA1, lane))) return true;
  return false;
}

function isTiny(beta1: f64): bool {
  return beta1 != 0 && abs(beta1) < TINY;
}

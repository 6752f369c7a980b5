// Two runs, a lane each: what is different in each stands side by side.

/** Rows of a block; each is a bit of the words that say what is true of them, the first highest. */
export const ROWS: i32 = 64;
/** A row: α, β₁, β₂, L₁ and L of both runs. */
export const ROW: usize = 80;
export const ROW_BETA1: usize = 16;
export const ROW_BETA2: usize = 32;
export const ROW_L1: usize = 48;
export const ROW_LOSS: usize = 64;
export const BLOCK: usize = memory.data(64 * 80);

/** Numbers of both runs, 16 bytes each. */
const PAIRS: usize = memory.data(16 * 32);
export const ETA: usize = PAIRS;
export const LAMBDA1: usize = PAIRS + 16;
export const LAMBDA2: usize = PAIRS + 16 * 2;
export const FLOOR: usize = PAIRS + 16 * 3;
export const EPSILON: usize = PAIRS + 16 * 4;
export const THRESHOLD: usize = PAIRS + 16 * 5;
export const TOLERATED: usize = PAIRS + 16 * 6;
export const ALPHA_HAT: usize = PAIRS + 16 * 7;
/** The state at the first row of the next block. */
export const ALPHA: usize = PAIRS + 16 * 8;
export const BETA1: usize = PAIRS + 16 * 9;
export const BETA2: usize = PAIRS + 16 * 10;
export const RESIDUAL: usize = PAIRS + 16 * 11;
/** The fit of ln L̂, and sums over edge steps, as of `Tally`. */
export const N: usize = PAIRS + 16 * 12;
export const X0: usize = PAIRS + 16 * 13;
export const Y0: usize = PAIRS + 16 * 14;
export const SUM_X: usize = PAIRS + 16 * 15;
export const SUM_Y: usize = PAIRS + 16 * 16;
export const SUM_XX: usize = PAIRS + 16 * 17;
export const SUM_XY: usize = PAIRS + 16 * 18;
export const REFERENCE: usize = PAIRS + 16 * 19;
export const LOG_REFERENCE: usize = PAIRS + 16 * 20;
export const SUM_L1: usize = PAIRS + 16 * 21;
export const SUM_PREDICTED: usize = PAIRS + 16 * 22;
/** S of a row is looked at only where it may be as large as this. */
export const PEAK: usize = PAIRS + 16 * 23;

/** What is true of the rows of a block, a word for each run. */
export const SETTLED: usize = PAIRS + 16 * 24;
export const ABOVE: usize = PAIRS + 16 * 25;
export const CALM: usize = PAIRS + 16 * 26;
export const CANDIDATES: usize = PAIRS + 16 * 27;
/** What is true of a whole block: all bits or none. */
export const SANE: usize = PAIRS + 16 * 28;
export const PEAKS: usize = PAIRS + 16 * 29;
/** Least |β₁| of a block before the floor. */
export const LEAST: usize = PAIRS + 16 * 30;

/** A number of one of the runs. */
export function get(field: usize, lane: i32): f64 {
  return load<f64>(field + ((<usize>lane) << 3));
}

export function set(field: usize, lane: i32, value: f64): void {
  store<f64>(field + ((<usize>lane) << 3), value);
}

export function word(field: usize, lane: i32): u64 {
  return load<u64>(field + ((<usize>lane) << 3));
}

/** A number of a row. */
export function cell(row: i32, column: usize, lane: i32): f64 {
  return load<f64>(BLOCK + <usize>row * ROW + column + ((<usize>lane) << 3));
}

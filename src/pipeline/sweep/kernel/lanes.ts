// Four runs in two pairs, a lane of a vector each: what is different in each stands side by side.

export const LANES: i32 = 4;
/** Rows of a block; each is a bit of the words that say what is true of them, the first highest. */
export const ROWS: i32 = 64;
/** A row: α, β₁, β₂ and αβ₂ − 1 of a pair. */
export const ROW: usize = 64;
export const ROW_BETA1: usize = 16;
export const ROW_BETA2: usize = 32;
export const ROW_R: usize = 48;
export const BLOCK: usize = memory.data(2 * 64 * 64, 16);
export const BLOCK_SIZE: usize = 64 * 64;

/** Numbers of a pair, 16 bytes each, from an address that is a pair's own. */
export const PAIRS: usize = memory.data(2 * 16 * 32, 16);
export const PAIR: usize = 16 * 32;
export const ETA: usize = 0;
export const LAMBDA1: usize = 16 * 1;
export const LAMBDA2: usize = 16 * 2;
export const FLOOR: usize = 16 * 3;
export const EPSILON: usize = 16 * 4;
export const THRESHOLD: usize = 16 * 5;
export const TOLERATED: usize = 16 * 6;
export const ALPHA_HAT: usize = 16 * 7;
/** The state at the first row of the next block. */
export const ALPHA: usize = 16 * 8;
export const BETA1: usize = 16 * 9;
export const BETA2: usize = 16 * 10;
export const RESIDUAL: usize = 16 * 11;
/** The fit of ln L̂, and sums over edge steps, as of `Tally`. */
export const N: usize = 16 * 12;
export const X0: usize = 16 * 13;
export const Y0: usize = 16 * 14;
export const SUM_X: usize = 16 * 15;
export const SUM_Y: usize = 16 * 16;
export const SUM_XX: usize = 16 * 17;
export const SUM_XY: usize = 16 * 18;
export const REFERENCE: usize = 16 * 19;
export const LOG_REFERENCE: usize = 16 * 20;
export const SUM_L1: usize = 16 * 21;
export const SUM_PREDICTED: usize = 16 * 22;
/** S of a row is looked at only where it may be as large as this. */
export const PEAK: usize = 16 * 23;
/** What is true of the rows of a block, a word for each run. */
export const SETTLED: usize = 16 * 24;
export const ABOVE: usize = 16 * 25;
export const CALM: usize = 16 * 26;
export const CANDIDATES: usize = 16 * 27;
export const HIGH: usize = 16 * 28;
/** Whether losses of a block are in bounds, and S may be as large as `PEAK`: all bits or none. */
export const SANE: usize = 16 * 29;
export const PEAKS: usize = 16 * 30;

function place(field: usize, lane: i32): usize {
  return PAIRS + <usize>(lane >> 1) * PAIR + field + ((<usize>(lane & 1)) << 3);
}

/** A number of one of the runs. */
export function get(field: usize, lane: i32): f64 {
  return load<f64>(place(field, lane));
}

export function set(field: usize, lane: i32, value: f64): void {
  store<f64>(place(field, lane), value);
}

export function word(field: usize, lane: i32): u64 {
  return load<u64>(place(field, lane));
}

/** A number of a row. */
export function cell(row: i32, column: usize, lane: i32): f64 {
  const block = BLOCK + <usize>(lane >> 1) * BLOCK_SIZE;
  return load<f64>(block + <usize>row * ROW + column + ((<usize>(lane & 1)) << 3));
}

// Where the columns of a block of rows stand, in the order in which they are numbered.

/** Rows of a block. */
export const ROWS: usize = 4096;
const COLUMN: usize = 8 * 4096;
const BLOCK: usize = memory.data(18 * 8 * 4096, 16);

export const STEP: usize = BLOCK;
export const ALPHA: usize = BLOCK + COLUMN;
export const BETA1: usize = BLOCK + 2 * COLUMN;
export const BETA2: usize = BLOCK + 3 * COLUMN;
export const LOG: usize = BLOCK + 4 * COLUMN;
export const LOSS: usize = BLOCK + 5 * COLUMN;
export const L2: usize = BLOCK + 6 * COLUMN;
export const NORM: usize = BLOCK + 7 * COLUMN;
export const DIGITS: usize = BLOCK + 8 * COLUMN;
export const L1: usize = BLOCK + 9 * COLUMN;
export const L_HAT: usize = BLOCK + 10 * COLUMN;
export const SHARPNESS: usize = BLOCK + 11 * COLUMN;
export const RATIO: usize = BLOCK + 12 * COLUMN;
export const REGIME: usize = BLOCK + 13 * COLUMN;
export const SOLUTION: usize = BLOCK + 14 * COLUMN;
export const BALANCE: usize = BLOCK + 15 * COLUMN;

/** Where the column of this number stands. */
export function column(index: i32): usize {
  return BLOCK + <usize>index * COLUMN;
}

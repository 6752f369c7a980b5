/** How long the worker computes before it listens again, in milliseconds. */
export const SLICE = 8;

/** Rows that are computed at once, at most: as many as the compiled kernel has room for. */
export const MOST_ROWS = 4096;

/**
 * Rows of the next block: as many as are wanted at once, but no more than are computed in a slice,
 * nor so few that what is done once a block counts.
 *
 * @param size rows of the last block, 1 before the first
 * @param took milliseconds that it took
 */
export function blockSize(wanted: number, size: number, took: number): number {
  if (took > SLICE) return Math.max(1, Math.min(wanted, size >> 1));
  return Math.min(wanted, took < SLICE / 8 ? size * 4 : took < SLICE / 2 ? size * 2 : size);
}

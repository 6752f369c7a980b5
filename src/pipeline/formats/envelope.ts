/**
 * Rows that draw the same line as all rows do on `columns` pixel columns: of each column the first, the last, the
 * smallest and the largest finite value, in the order in which they stand. No extreme is lost, however many rows there
 * are.
 *
 * @param x increasing
 * @returns row numbers, at most four a column
 */
export function envelope(x: ArrayLike<number>, y: ArrayLike<number>, columns: number): number[] {
  const length = Math.min(x.length, y.length);
  if (length <= 4 * columns) return Array.from({ length }, (_, i) => i);
  const from = x[0]!;
  const scale = columns / (x[length - 1]! - from);
  const rows: number[] = [];
  let column = -1;
  let first = 0;
  let low = 0;
  let high = 0;
  const close = (last: number) => {
    for (const row of [first, low, high, last].sort((a, b) => a - b)) {
      if (row !== rows.at(-1)) rows.push(row);
    }
  };
  for (let i = 0; i < length; i++) {
    const at = Math.min(columns - 1, Math.floor((x[i]! - from) * scale));
    if (at !== column) {
      if (column >= 0) close(i - 1);
      column = at;
      first = low = high = i;
      continue;
    }
    const value = y[i]!;
    if (!Number.isFinite(value)) continue;
    if (!(y[low]! <= value)) low = i;
    if (!(y[high]! >= value)) high = i;
  }
  close(length - 1);
  return rows;
}

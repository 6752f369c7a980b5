/** Points of a line, in the order in which they are drawn. */
export interface Points {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * Smallest and largest value of a number of columns, each with the place where it was; NaN where
 * there is none.
 */
export interface Extremes {
  readonly low: Float64Array;
  readonly lowX: Float64Array;
  readonly high: Float64Array;
  readonly highX: Float64Array;
}

/** The extremes of each pixel column of an x range. */
export interface Envelope extends Extremes {
  readonly from: number;
  readonly to: number;
  readonly width: number;
}

/** Rows in a bucket: an overview of 1,000,000 rows then folds 16,000 buckets a series. */
export const BUCKET = 64;

/**
 * Rows that draw the same line as all rows do on `columns` pixel columns: of each column the first,
 * the last, the smallest and the largest finite value, in the order in which they stand. No extreme
 * is lost, however many rows there are.
 *
 * @param x increasing
 * @returns row numbers, at most four a column
 */
export function envelope(x: ArrayLike<number>, y: ArrayLike<number>, columns: number): number[] {
  const length = Math.min(x.length, y.length);
  if (length <= 4 * columns) return Array.from({ length }, (_, i) => i);
  const scale = columns / (x[length - 1]! - x[0]!);
  const columnOf = (row: number) => Math.min(columns - 1, Math.floor((x[row]! - x[0]!) * scale));
  const rows: number[] = [];
  eachColumn(columnOf, 0, length, (_, start, end) => {
    const [low, high] = extremeRows(y, start, end);
    const kept = [start, low, high, end - 1].filter((row) => row >= 0);
    for (const row of kept.sort((a, b) => a - b)) if (row !== rows.at(-1)) rows.push(row);
  });
  return rows;
}

/**
 * An empty envelope of `width` pixel columns over [from, to]. One more column at either side keeps
 * the nearest point outside, so that lines run on to the edge.
 */
export function emptyEnvelope(from: number, to: number, width: number): Envelope {
  return { from, to, width, ...noExtremes(width + 2) };
}

/**
 * Adds the points of rows [start, end) to an envelope; no extreme is lost, whatever falls between
 * them. @param x increasing
 */
export function addPoints(
  into: Envelope,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  start = 0,
  end = x.length,
): void {
  const { from, to, width, low, lowX, high, highX } = into;
  const scale = width / (to - from || 1);
  const pixelOf = (row: number) => {
    const at = x[row]!;
    if (at < from) return 0;
    return at > to ? width + 1 : Math.min(width, Math.floor((at - from) * scale) + 1);
  };
  eachColumn(pixelOf, start, end, (pixel, first, last) => {
    if (pixel > 0 && pixel <= width) {
      const [lowest, highest] = extremeRows(y, first, last);
      if (lowest >= 0) fold(into, pixel, y[lowest]!, x[lowest]!, y[highest]!, x[highest]!);
      return;
    }
    const row = nearest(y, first, last, pixel === 0);
    if (row < 0) return;
    const known = lowX[pixel]!;
    if (pixel === 0 ? x[row]! <= known : x[row]! >= known) return;
    low[pixel] = high[pixel] = y[row]!;
    lowX[pixel] = highX[pixel] = x[row]!;
  });
}

/**
 * The extremes of consecutive blocks of `BUCKET` rows: what an overview is drawn from without the
 * rows themselves.
 */
export function makeBuckets(x: ArrayLike<number>, y: ArrayLike<number>): Extremes {
  const buckets = noExtremes(Math.ceil(x.length / BUCKET));
  for (let start = 0, b = 0; start < x.length; start += BUCKET, b++) {
    const [low, high] = extremeRows(y, start, Math.min(x.length, start + BUCKET));
    if (low >= 0) fold(buckets, b, y[low]!, x[low]!, y[high]!, x[high]!);
  }
  return buckets;
}

/**
 * Folds every `merge` buckets into the next drawn column from `at` on; whole buckets only, so that
 * each column keeps both its extremes.
 *
 * @returns where the next call goes on
 */
export function foldBuckets(
  into: Extremes,
  { low, lowX, high, highX }: Extremes,
  start: number,
  end: number,
  merge: number,
  at: number,
): number {
  let column = at;
  for (let b = start; b < end; column++) {
    const stop = Math.min(end, b + merge);
    for (; b < stop; b++) {
      if (!Number.isNaN(low[b]!)) fold(into, column, low[b]!, lowX[b]!, high[b]!, highX[b]!);
    }
  }
  return column;
}

/** The points to draw: both extremes of each column in the order of x. */
export function envelopePoints({ low, lowX, high, highX }: Extremes): Points {
  const x: number[] = [];
  const y: number[] = [];
  for (let i = 0; i < low.length; i++) {
    if (Number.isNaN(low[i]!)) continue;
    const lowFirst = lowX[i]! <= highX[i]!;
    x.push(lowFirst ? lowX[i]! : highX[i]!);
    y.push(lowFirst ? low[i]! : high[i]!);
    if (lowX[i] === highX[i]) continue;
    x.push(lowFirst ? highX[i]! : lowX[i]!);
    y.push(lowFirst ? high[i]! : low[i]!);
  }
  return { x: Float64Array.from(x), y: Float64Array.from(y) };
}

function noExtremes(columns: number): Extremes {
  const make = () => new Float64Array(columns).fill(Number.NaN);
  return { low: make(), lowX: make(), high: make(), highX: make() };
}

function fold(
  into: Extremes,
  column: number,
  low: number,
  lowX: number,
  high: number,
  highX: number,
): void {
  if (!(low >= into.low[column]!)) {
    into.low[column] = low;
    into.lowX[column] = lowX;
  }
  if (!(high <= into.high[column]!)) {
    into.high[column] = high;
    into.highX[column] = highX;
  }
}

/** Visits the rows [start, end) in runs that fall into one column each. */
function eachColumn(
  columnOf: (row: number) => number,
  start: number,
  end: number,
  visit: (column: number, start: number, end: number) => void,
): void {
  let first = start;
  let column = start < end ? columnOf(start) : -1;
  for (let row = start + 1; row <= end; row++) {
    const next = row < end ? columnOf(row) : -1;
    if (next === column) continue;
    visit(column, first, row);
    first = row;
    column = next;
  }
}

/** Rows of the smallest and the largest finite value in [start, end); −1 where there is none. */
function extremeRows(y: ArrayLike<number>, start: number, end: number): readonly [number, number] {
  let low = -1;
  let high = -1;
  for (let row = start; row < end; row++) {
    const value = y[row]!;
    if (!Number.isFinite(value)) continue;
    if (low < 0 || value < y[low]!) low = row;
    if (high < 0 || value > y[high]!) high = row;
  }
  return [low, high];
}

/** The last row with a finite value in [start, end), or the first one; −1 where there is none. */
function nearest(y: ArrayLike<number>, start: number, end: number, last: boolean): number {
  for (let i = 0; i < end - start; i++) {
    const row = last ? end - 1 - i : start + i;
    if (Number.isFinite(y[row]!)) return row;
  }
  return -1;
}

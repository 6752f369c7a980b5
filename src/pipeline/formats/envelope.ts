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

/** Which pixel columns some rows fall into, and behind which row each of them ends. */
export interface PixelRows {
  readonly start: number;
  readonly pixels: Int32Array;
  readonly ends: Int32Array;
}

/**
 * The pixel columns of an envelope into which rows [start, end) fall.
 *
 * @param x increasing
 */
export function pixelRows(
  { from, to, width }: Pick<Envelope, 'from' | 'to' | 'width'>,
  x: ArrayLike<number>,
  start = 0,
  end = x.length,
): PixelRows {
  const scale = width / (to - from || 1);
  const most = Math.max(0, Math.min(width + 2, end - start));
  const pixels = new Int32Array(most);
  const ends = new Int32Array(most);
  let count = 0;
  let before = -1;
  for (let row = start; row < end; row++) {
    const at = x[row]!;
    const inside = Math.min(width, Math.floor((at - from) * scale) + 1);
    const pixel = at < from ? 0 : at > to ? width + 1 : inside;
    if (pixel !== before) pixels[count++] = pixel;
    ends[count - 1] = row + 1;
    before = pixel;
  }
  return { start, pixels: pixels.subarray(0, count), ends: ends.subarray(0, count) };
}

/**
 * Adds the points of rows [start, end) to an envelope; no extreme is lost, whatever falls between
 * them. @param x increasing
 */
export function addPoints(
  into: Envelope,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  { start, pixels, ends }: PixelRows = pixelRows(into, x),
): void {
  const { width, low, lowX, high, highX } = into;
  let first = start;
  for (let i = 0; i < pixels.length; i++) {
    const [pixel, last] = [pixels[i]!, ends[i]!];
    if (pixel > 0 && pixel <= width) {
      const [lowest, highest] = extremeRows(y, first, last);
      if (lowest >= 0) fold(into, pixel, y[lowest]!, x[lowest]!, y[highest]!, x[highest]!);
    } else {
      const row = nearest(y, first, last, pixel === 0);
      const known = lowX[pixel]!;
      if (row >= 0 && !(pixel === 0 ? x[row]! <= known : x[row]! >= known)) {
        low[pixel] = high[pixel] = y[row]!;
        lowX[pixel] = highX[pixel] = x[row]!;
      }
    }
    first = last;
  }
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
  const x = new Float64Array(2 * low.length);
  const y = new Float64Array(2 * low.length);
  let count = 0;
  for (let i = 0; i < low.length; i++) {
    const [bottom, top, atBottom, atTop] = [low[i]!, high[i]!, lowX[i]!, highX[i]!];
    if (Number.isNaN(bottom)) continue;
    const lowFirst = atBottom <= atTop;
    x[count] = lowFirst ? atBottom : atTop;
    y[count++] = lowFirst ? bottom : top;
    if (atBottom === atTop) continue;
    x[count] = lowFirst ? atTop : atBottom;
    y[count++] = lowFirst ? top : bottom;
  }
  return { x: x.slice(0, count), y: y.slice(0, count) };
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

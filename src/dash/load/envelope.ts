/** Smallest and largest value in each pixel column of an x range, each with the place where it was. */
export interface Envelope {
  readonly from: number;
  readonly to: number;
  readonly width: number;
  readonly low: Float64Array;
  readonly lowX: Float64Array;
  readonly high: Float64Array;
  readonly highX: Float64Array;
}

/** Points of a line, in the order in which they are drawn. */
export interface Points {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * An empty envelope of `width` pixel columns over [from, to]. One more column at either side keeps the nearest point
 * outside, so that lines run on to the edge.
 */
export function emptyEnvelope(from: number, to: number, width: number): Envelope {
  const make = () => new Float64Array(width + 2).fill(Number.NaN);
  return { from, to, width, low: make(), lowX: make(), high: make(), highX: make() };
}

/**
 * Adds points to an envelope in O(n). Nothing is lost: the smallest and the largest finite value of each pixel column
 * stay, whatever falls between them.
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
  for (let i = start; i < end; i++) {
    const value = y[i]!;
    if (!Number.isFinite(value)) continue;
    const at = x[i]!;
    if (at < from || at > to) {
      const pixel = at < from ? 0 : width + 1;
      const nearer = pixel === 0 ? !(at <= lowX[0]!) : !(at >= lowX[pixel]!);
      if (!nearer) continue;
      low[pixel] = high[pixel] = value;
      lowX[pixel] = highX[pixel] = at;
      continue;
    }
    const pixel = Math.min(width, Math.floor((at - from) * scale) + 1);
    if (!(value >= low[pixel]!)) {
      low[pixel] = value;
      lowX[pixel] = at;
    }
    if (!(value <= high[pixel]!)) {
      high[pixel] = value;
      highX[pixel] = at;
    }
  }
}

/** Extremes of consecutive blocks of `BUCKET` rows: what an overview is drawn from without the rows themselves. */
export interface Buckets {
  readonly low: Float64Array;
  readonly lowX: Float64Array;
  readonly high: Float64Array;
  readonly highX: Float64Array;
}

/** Rows in a bucket: an overview of 1,000,000 rows then folds 16,000 buckets a series. */
export const BUCKET = 64;

/** The buckets of one group of rows; a bucket without any finite value holds NaN. */
export function makeBuckets(x: Float64Array, y: ArrayLike<number>): Buckets {
  const count = Math.ceil(x.length / BUCKET);
  const make = () => new Float64Array(count).fill(Number.NaN);
  const buckets = { low: make(), lowX: make(), high: make(), highX: make() };
  for (let b = 0; b < count; b++) {
    const end = Math.min(x.length, (b + 1) * BUCKET);
    for (let i = b * BUCKET; i < end; i++) {
      const value = y[i]!;
      if (!Number.isFinite(value)) continue;
      if (!(value >= buckets.low[b]!)) {
        buckets.low[b] = value;
        buckets.lowX[b] = x[i]!;
      }
      if (!(value <= buckets.high[b]!)) {
        buckets.high[b] = value;
        buckets.highX[b] = x[i]!;
      }
    }
  }
  return buckets;
}

/**
 * Folds every `merge` buckets into the next drawn column from `at` on; whole buckets only, so that each column keeps
 * both its extremes.
 *
 * @returns where the next call goes on
 */
export function foldBuckets(
  into: Envelope,
  buckets: Buckets,
  start: number,
  end: number,
  merge: number,
  at: number,
): number {
  let column = at;
  for (let b = start; b < end; column++) {
    const stop = Math.min(end, b + merge);
    for (; b < stop; b++) {
      if (!(buckets.low[b]! >= into.low[column]!) && !Number.isNaN(buckets.low[b]!)) {
        into.low[column] = buckets.low[b]!;
        into.lowX[column] = buckets.lowX[b]!;
      }
      if (!(buckets.high[b]! <= into.high[column]!) && !Number.isNaN(buckets.high[b]!)) {
        into.high[column] = buckets.high[b]!;
        into.highX[column] = buckets.highX[b]!;
      }
    }
  }
  return column;
}

/** The points to draw: both extremes of each pixel column in the order of x, at most 2 (width + 2). */
export function envelopePoints(envelope: Envelope): Points {
  const { low, lowX, high, highX } = envelope;
  const x = new Float64Array(2 * low.length);
  const y = new Float64Array(2 * low.length);
  let n = 0;
  for (let i = 0; i < low.length; i++) {
    if (Number.isNaN(low[i]!)) continue;
    const lowFirst = lowX[i]! <= highX[i]!;
    x[n] = lowFirst ? lowX[i]! : highX[i]!;
    y[n++] = lowFirst ? low[i]! : high[i]!;
    if (lowX[i] === highX[i]) continue;
    x[n] = lowFirst ? highX[i]! : lowX[i]!;
    y[n++] = lowFirst ? high[i]! : low[i]!;
  }
  return { x: x.slice(0, n), y: y.slice(0, n) };
}

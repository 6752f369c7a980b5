/** Samples that the running scale looks back on. */
const WINDOW = 33;
/** Standard deviation of white noise from the median of |x₋₂ − 2x₋₁ + x|: 1 / (0.6745·√6). */
const MEDIAN_TO_DEVIATION = 1 / (0.674_489_75 * Math.sqrt(6));

/** Running scale of the measurement noise of a series. */
export interface NoiseScale {
  /** Standard deviation of the noise so far, after taking in `value`. */
  next(value: number): number;
}

/**
 * Standard deviation of the noise on a slowly moving series, causally and in fixed memory: the median of the last 33
 * absolute second differences. A trend drops out of second differences, and a jump or an outlier out of the median.
 *
 * @param floor least value to answer with, in units of the series
 */
export function createNoiseScale(floor: number): NoiseScale {
  const ring = new Float64Array(WINDOW);
  const sorted = new Float64Array(WINDOW);
  let seen = 0;
  let before = 0;
  let beforeThat = 0;

  /** Puts `value` into the sorted window, in the place of the oldest where it is full. */
  function slide(value: number, n: number): void {
    let at = n;
    if (n >= WINDOW) {
      const oldest = ring[n % WINDOW]!;
      at = 0;
      while (sorted[at] !== oldest) at++;
    }
    const last = Math.min(n, WINDOW - 1);
    while (at < last && sorted[at + 1]! < value) {
      sorted[at] = sorted[at + 1]!;
      at++;
    }
    while (at > 0 && sorted[at - 1]! > value) {
      sorted[at] = sorted[at - 1]!;
      at--;
    }
    sorted[at] = value;
    ring[n % WINDOW] = value;
  }

  return {
    next(value) {
      const difference = Math.abs(beforeThat - 2 * before + value);
      beforeThat = before;
      before = value;
      seen++;
      if (seen <= 2) return floor;
      slide(Number.isFinite(difference) ? difference : Number.MAX_VALUE, seen - 3);
      return Math.max(floor, sorted[Math.min(seen - 2, WINDOW) >> 1]! * MEDIAN_TO_DEVIATION);
    },
  };
}

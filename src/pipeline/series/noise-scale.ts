/** Samples that the running scale looks back on. */
const WINDOW = 33;
/** The median is taken anew at every so many samples; in between it stands. */
const REFRESH = 16;
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
  const recent = new Float64Array(WINDOW);
  let seen = 0;
  let before = 0;
  let beforeThat = 0;
  let scale = floor;

  return {
    next(value) {
      if (seen >= 2) {
        const n = seen - 2;
        recent[n % WINDOW] = Math.abs(beforeThat - 2 * before + value);
        if (n < REFRESH || n % REFRESH === 0) {
          const sorted = recent.slice(0, Math.min(n + 1, WINDOW)).sort();
          scale = Math.max(floor, sorted[sorted.length >> 1]! * MEDIAN_TO_DEVIATION);
        }
      }
      beforeThat = before;
      before = value;
      seen++;
      return scale;
    },
  };
}

import { NOISE_WINDOW } from './constants.ts';

/** Standard deviation of white noise from the median of |x₋₂ − 2x₋₁ + x|: 1 / (0.6745·√6). */
export const SECOND_DIFFERENCE_TO_DEVIATION = 1 / (0.674_489_75 * Math.sqrt(6));

/** What has to be kept to go on: the last differences, oldest first, and the last two values with their error bars. */
export interface NoiseState {
  readonly differences: readonly number[];
  readonly last: readonly number[];
  /** The same of differences in units of their own error bars. */
  readonly scaled?: readonly number[];
  readonly errors?: readonly (number | null)[];
}

/** Running scale of the measurement noise of a series. */
export interface NoiseScale {
  /**
   * Standard deviation of the noise on `value`, after taking it in.
   *
   * @param error its error bar; NaN where it is unknown
   */
  next(value: number, error?: number): number;
  state(): NoiseState;
}

/**
 * Standard deviation of the noise on a slowly moving series, causally and in fixed memory: the median of the last 65
 * absolute second differences. A trend drops out of second differences, and a jump or an outlier out of the median.
 *
 * A value with an error bar has that for its deviation, times the scatter of the series in units of its bars where that
 * is over 1: then the bars are too small (the scale factor of Rosenfeld 1975 and the Particle Data Group).
 *
 * @param floor least value to answer with, in units of the series
 */
export function createNoiseScale(floor: number, saved?: NoiseState): NoiseScale {
  const plain = createRunningMedian(saved?.differences);
  const scaled = createRunningMedian(saved?.scaled);
  let [beforeThat = Number.NaN, before = Number.NaN] = saved?.last ?? [];
  let [errorBeforeThat = null, errorBefore = null] = saved?.errors ?? [];

  return {
    next(value, error = Number.NaN) {
      const difference = Math.abs(beforeThat - 2 * before + value);
      const known = error >= 0 && error < Number.POSITIVE_INFINITY;
      const bar = known ? Math.max(floor, error) : null;
      const bars = [errorBeforeThat, errorBefore, bar] as const;
      beforeThat = before;
      before = value;
      errorBeforeThat = errorBefore;
      errorBefore = bar;
      if (!Number.isNaN(difference) || plain.count > 0) {
        const finite = Number.isFinite(difference) ? difference : Number.MAX_VALUE;
        plain.next(finite);
        const [a, b, c] = bars;
        // That of white noise of deviation 1 has the deviation √6.
        if (a !== null && b !== null && c !== null)
          scaled.next((finite * Math.sqrt(6)) / Math.sqrt(a * a + 4 * b * b + c * c));
      }
      if (bar === null) return Math.max(floor, plain.median * SECOND_DIFFERENCE_TO_DEVIATION);
      return bar * Math.max(1, scaled.median * SECOND_DIFFERENCE_TO_DEVIATION);
    },
    state: () => ({
      differences: plain.values(),
      last: [beforeThat, before],
      ...((scaled.count > 0 || errorBefore !== null || errorBeforeThat !== null) && {
        scaled: scaled.values(),
        errors: [errorBeforeThat, errorBefore],
      }),
    }),
  };
}

/** The median of the last values; 0 before the first. */
function createRunningMedian(saved: readonly number[] = []) {
  const ring = new Float64Array(NOISE_WINDOW);
  const sorted = new Float64Array(NOISE_WINDOW);
  let seen = 0;

  /** Puts `value` into the sorted window, in the place of the oldest where it is full. */
  function next(value: number): void {
    let at = seen;
    if (seen >= NOISE_WINDOW) {
      const oldest = ring[seen % NOISE_WINDOW]!;
      at = 0;
      while (sorted[at] !== oldest) at++;
    }
    const last = Math.min(seen, NOISE_WINDOW - 1);
    while (at < last && sorted[at + 1]! < value) {
      sorted[at] = sorted[at + 1]!;
      at++;
    }
    while (at > 0 && sorted[at - 1]! > value) {
      sorted[at] = sorted[at - 1]!;
      at--;
    }
    sorted[at] = value;
    ring[seen % NOISE_WINDOW] = value;
    seen++;
  }

  for (const value of saved) next(value);
  return {
    next,
    get count() {
      return seen;
    },
    get median() {
      return sorted[Math.min(seen, NOISE_WINDOW) >> 1]!;
    },
    /** Oldest first. */
    values(): number[] {
      const count = Math.min(seen, NOISE_WINDOW);
      return Array.from({ length: count }, (_, i) => ring[(seen - count + i) % NOISE_WINDOW]!);
    },
  };
}

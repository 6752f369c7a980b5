import { NOISE_WINDOW } from './constants.ts';
import { createRunningMedian } from './running-median.ts';

/** Standard deviation of white noise from the median of |x₋₂ − 2x₋₁ + x|: 1 / (0.6745·√6). */
export const SECOND_DIFFERENCE_TO_DEVIATION = 1 / (0.674_489_75 * Math.sqrt(6));

/**
 * What has to be kept to go on: the last differences, oldest first, and the last two values with
 * their error bars.
 */
export interface NoiseState {
  readonly differences: readonly number[];
  readonly last: readonly (number | null)[];
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
 * Standard deviation of the noise on a slowly moving series, causally and in fixed memory: the
 * median of the last 65 absolute second differences. A trend drops out of second differences, and a
 * jump or an outlier out of the median.
 *
 * A value with an error bar has that for its deviation, times the scatter of the series in units of
 * its bars where that is over 1: then the bars are too small (the scale factor of Rosenfeld 1975
 * and the Particle Data Group).
 *
 * @param floor least value to answer with, in units of the series
 */
export function createNoiseScale(floor: number, saved?: NoiseState): NoiseScale {
  const plain = createRunningMedian(NOISE_WINDOW, saved?.differences);
  const scaled = createRunningMedian(NOISE_WINDOW, saved?.scaled);
  // NaN where there is none. Numbers that change with every row stand in an object, which V8 writes
  // in place.
  const [beforeThat, before] = saved?.last ?? [];
  const [barBeforeThat, barBefore] = saved?.errors ?? [];
  const last = {
    beforeThat: beforeThat ?? Number.NaN,
    before: before ?? Number.NaN,
    barBeforeThat: barBeforeThat ?? Number.NaN,
    barBefore: barBefore ?? Number.NaN,
  };

  return {
    next(value, error = Number.NaN) {
      const difference = Math.abs(last.beforeThat - 2 * last.before + value);
      const known = error >= 0 && error < Number.POSITIVE_INFINITY;
      const bar = known ? Math.max(floor, error) : Number.NaN;
      const bars =
        last.barBeforeThat * last.barBeforeThat + 4 * last.barBefore * last.barBefore + bar * bar;
      last.beforeThat = last.before;
      last.before = value;
      last.barBeforeThat = last.barBefore;
      last.barBefore = bar;
      if (!Number.isNaN(difference) || plain.count() > 0) {
        const finite = Number.isFinite(difference) ? difference : Number.MAX_VALUE;
        plain.next(finite);
        // That of white noise of deviation 1 has the deviation √6.
        if (!Number.isNaN(bars)) scaled.next((finite * Math.sqrt(6)) / Math.sqrt(bars));
      }
      if (!known) return Math.max(floor, plain.median() * SECOND_DIFFERENCE_TO_DEVIATION);
      return bar * Math.max(1, scaled.median() * SECOND_DIFFERENCE_TO_DEVIATION);
    },
    state: () => ({
      differences: plain.values(),
      last: [last.beforeThat, last.before].map((value) => (knows(value) ? value : null)),
      ...((scaled.count() > 0 || knows(last.barBefore) || knows(last.barBeforeThat)) && {
        scaled: scaled.values(),
        errors: [last.barBeforeThat, last.barBefore].map((bar) => (knows(bar) ? bar : null)),
      }),
    }),
  };
}

const knows = (value: number) => !Number.isNaN(value);

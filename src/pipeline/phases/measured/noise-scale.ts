/** Samples that the running scale looks back on: enough for a median, few enough to follow a change. */
export const NOISE_WINDOW = 65;
/** Standard deviation of white noise from the median of |x₋₂ − 2x₋₁ + x|: 1 / (0.6745·√6). */
export const SECOND_DIFFERENCE_TO_DEVIATION = 1 / (0.674_489_75 * Math.sqrt(6));

/** What has to be kept to go on: the last differences, oldest first, and the last two values. */
export interface NoiseState {
  readonly differences: readonly number[];
  readonly last: readonly number[];
}

/** Running scale of the measurement noise of a series. */
export interface NoiseScale {
  /** Standard deviation of the noise so far, after taking in `value`. */
  next(value: number): number;
  state(): NoiseState;
}

/**
 * Standard deviation of the noise on a slowly moving series, causally and in fixed memory: the median of the last 65
 * absolute second differences. A trend drops out of second differences, and a jump or an outlier out of the median.
 *
 * @param floor least value to answer with, in units of the series
 */
export function createNoiseScale(floor: number, saved?: NoiseState): NoiseScale {
  const ring = new Float64Array(NOISE_WINDOW);
  const sorted = new Float64Array(NOISE_WINDOW);
  let seen = 0;
  let before = Number.NaN;
  let beforeThat = Number.NaN;

  /** Puts `value` into the sorted window, in the place of the oldest where it is full. */
  function slide(value: number): void {
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

  if (saved) {
    for (const difference of saved.differences) slide(difference);
    [beforeThat = Number.NaN, before = Number.NaN] = saved.last;
  }

  return {
    next(value) {
      const difference = Math.abs(beforeThat - 2 * before + value);
      beforeThat = before;
      before = value;
      if (Number.isNaN(difference) && seen === 0) return floor;
      slide(Number.isFinite(difference) ? difference : Number.MAX_VALUE);
      const middle = sorted[Math.min(seen, NOISE_WINDOW) >> 1]!;
      return Math.max(floor, middle * SECOND_DIFFERENCE_TO_DEVIATION);
    },
    state() {
      const count = Math.min(seen, NOISE_WINDOW);
      const from = seen - count;
      return {
        differences: Array.from({ length: count }, (_, i) => ring[(from + i) % NOISE_WINDOW]!),
        last: [beforeThat, before],
      };
    },
  };
}

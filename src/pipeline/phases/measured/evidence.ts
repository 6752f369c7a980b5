/** What an outlier may add at most, in standard deviations: one alone convinces nobody. */
const MOST_PER_OUTLIER = 5;

/** Evidence that a noisy series has come to lie beyond a limit. */
export interface Evidence {
  /**
   * Takes in a sample's distance beyond the limit in standard deviations; true once it is enough.
   *
   * @param expected whether the sample lies where the ones before it lead to
   */
  next(distance: number, step: number, expected?: boolean): boolean;
  /** Step of the first sample of the excursion that the evidence is from. */
  readonly onset: number;
  /** Probability, under white noise, that the samples of the excursion lie beyond the limit on average: 0.5 to 1. */
  readonly confidence: number;
  reset(): void;
}

/**
 * Cumulative-sum test (Page 1954, Biometrika 41:100): g ← max(0, g + z) over the distances z, enough at g ≥ `enough`.
 * Each z is clipped, to ±5 where the sample is an outlier, so that with the default of 6 one of them is not enough. The
 * excursion is dated back to the sample after the last g = 0, the usual estimate of the time of change.
 */
export function createEvidence(enough: number): Evidence {
  let sum = 0;
  let count = 0;
  let onset = Number.NaN;

  return {
    next(distance, step, expected = false) {
      const most = expected ? enough : MOST_PER_OUTLIER;
      const g = sum + Math.max(-most, Math.min(most, distance));
      // Exactly at the limit counts as beyond it.
      if (!(g >= 0) || (g === 0 && distance < 0)) {
        sum = 0;
        count = 0;
        return false;
      }
      if (count === 0) onset = step;
      sum = g;
      count++;
      return sum >= enough;
    },
    get onset() {
      return onset;
    },
    get confidence() {
      return count === 0 ? 0.5 : normalBelow(sum / Math.sqrt(count));
    },
    reset() {
      sum = 0;
      count = 0;
    },
  };
}

/** Standard normal distribution function, to 1e-7 (Abramowitz & Stegun 26.2.17). */
export function normalBelow(z: number): number {
  const t = 1 / (1 + 0.231_641_9 * Math.abs(z));
  const polynomial =
    t *
    (0.319_381_53 +
      t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
  const tail = (Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)) * polynomial;
  return z > 0 ? 1 - tail : tail;
}

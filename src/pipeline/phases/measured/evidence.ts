import { log } from '../../numeric/elementary.ts';

/** Where a series came to lie beyond a limit. */
export interface Crossing {
  /** Index of the first sample of the excursion. */
  readonly onset: number;
  /** Index of the sample with which it was sure. */
  readonly at: number;
}

/**
 * Page's test (1954, Biometrika 41:100) for a mean that moves from half a deviation below zero to
 * half above it: g ← max(0, g + z) over the log-likelihood ratios z, which are the samples in
 * standard deviations, enough at g ≥ `enough`. Each z is clipped at ±`most`, all that a sample can
 * say which may be an outlier (Huber 1965, Ann. Math. Stat. 36:1753). The excursion is dated back
 * to the sample after the last g = 0, the usual estimate of the time of change.
 */
export function crossing(
  z: (index: number) => number,
  from: number,
  to: number,
  { enough, most }: Evidence,
): Crossing | null {
  let sum = 0;
  let onset = from;
  for (let i = from; i < to; i++) {
    // Exactly at the limit counts as beyond it.
    const distance = z(i);
    const next = sum + Math.max(-most, Math.min(most, distance));
    if (!(next >= 0) || (next === 0 && distance < 0)) {
      sum = 0;
      onset = i + 1;
      continue;
    }
    sum = next;
    if (sum >= enough) return { onset, at: i };
  }
  return null;
}

/** What a test asks for. */
export interface Evidence {
  /** Log-likelihood ratio that is enough. */
  readonly enough: number;
  /** … and that one sample may give. */
  readonly most: number;
}

/**
 * Evidence that leaves a share `alpha` of false alarms over `samples` places where one could be, if
 * a share `outliers` of the samples says nothing.
 */
export function evidence(alpha: number, samples: number, outliers: number): Evidence {
  return { enough: log(samples / alpha), most: log((1 - outliers) / outliers) };
}

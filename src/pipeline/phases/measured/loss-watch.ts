import { BLOWN_UP, DECIMALS, LONGER } from './constants.ts';

/** Everything that a watch keeps; JSON can hold it. */
export interface LossState {
  readonly first: number | null;
  readonly last: number | null;
  readonly decimals: number;
  readonly signed: boolean;
  readonly missing: number;
  readonly missingSince: number;
  readonly longestMissing: number;
  readonly divergedAt: number | null;
  readonly sum: number;
  readonly count: number;
  readonly rises: number;
}

/** What the detector has to know of the loss. */
export interface LossWatch {
  /** @param loss NaN where it is missing, Infinity where it is not finite */
  next(step: number, loss: number): void;
  /** Mean of the losses since the last call, how many there were, and how many of them rose; the mean is NaN for none. */
  take(): { readonly loss: number; readonly losses: number; readonly rises: number };
  /** First finite loss; NaN without one. */
  readonly first: number;
  /** Loss below which its rounding leaves less than one digit. */
  readonly resolution: number;
  /** Whether it was ever below zero: then it is no sum of errors, and a ratio of two says nothing. */
  readonly signed: boolean;
  /** Step since which the loss has diverged. */
  readonly divergedAt: number | null;
  /** Step since which it is gone, where the log ends here. */
  readonly goneSince: number | null;
  state(): LossState;
}

/**
 * A loss that is not finite is missing where finite ones follow: pandas, NumPy and HDF5 write it so, and mixed precision
 * skips steps. It has diverged where it blew up before, or where none follows.
 *
 * @param divergence a loss so many times the first one has diverged, as has one over 10¹²
 */
export function createLossWatch(divergence: number, saved?: LossState): LossWatch {
  let first = saved?.first ?? Number.NaN;
  let last = saved?.last ?? Number.NaN;
  let { decimals, signed, missing, missingSince, longestMissing, divergedAt, sum, count, rises } =
    saved ?? {
      decimals: 0,
      signed: false,
      missing: 0,
      missingSince: 0,
      longestMissing: 0,
      divergedAt: null as number | null,
      sum: 0,
      count: 0,
      rises: 0,
    };

  function finite(step: number, loss: number): void {
    if (loss < 0) signed = true;
    while (decimals < DECIMALS && Math.round(loss * tens(decimals)) / tens(decimals) !== loss)
      decimals++;
    if (Number.isNaN(first)) first = loss;
    if (loss > last) rises++;
    sum += loss;
    count++;
    last = loss;
    longestMissing = Math.max(longestMissing, missing);
    missing = 0;
    if (!signed && loss > divergence * first) divergedAt ??= step;
    else divergedAt = null;
  }

  return {
    next(step, loss) {
      if (Math.abs(loss) < Number.POSITIVE_INFINITY) {
        finite(step, loss);
        return;
      }
      // An empty cell is no loss at all; but JSON has no other word for one that has blown up.
      if (Number.isNaN(loss) && missing === 0 && !(last > BLOWN_UP * first)) return;
      if (missing === 0) missingSince = step;
      missing++;
      if (!signed && last > BLOWN_UP * first && missing > LONGER * longestMissing)
        divergedAt ??= missingSince;
    },
    take() {
      const taken = { loss: sum / count, losses: count, rises };
      sum = 0;
      count = 0;
      rises = 0;
      return taken;
    },
    get first() {
      return first;
    },
    get resolution() {
      return decimals < DECIMALS ? tens(1 - decimals) : 0;
    },
    get signed() {
      return signed;
    },
    get divergedAt() {
      return divergedAt;
    },
    get goneSince() {
      const gone = missing > LONGER * longestMissing && !Number.isNaN(first);
      return gone ? missingSince : null;
    },
    state: () => ({
      first: Number.isNaN(first) ? null : first,
      last: Number.isNaN(last) ? null : last,
      decimals,
      signed,
      missing,
      missingSince,
      longestMissing,
      divergedAt,
      sum,
      count,
      rises,
    }),
  };
}

/** 10^k, correctly rounded. */
const tens = (k: number) => Number(`1e${k}`);

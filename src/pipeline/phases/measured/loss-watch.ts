import { BLOWN_UP, DECIMALS, LONGER } from './constants.ts';
import type { Sample } from './history.ts';

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
  readonly moves: number;
  readonly rises: number;
}

/** What is known of a loss as a whole. */
export interface LossFacts {
  /** First finite loss; NaN without one. */
  readonly first: number;
  /** Loss below which its rounding leaves less than one digit. */
  readonly resolution: number;
  /**
   * Whether it was ever below zero: then it is no sum of errors, and a ratio of two says nothing.
   */
  readonly signed: boolean;
}

/** What the detector has to know of the loss. */
export interface LossWatch {
  /** @param loss NaN where it is missing, Infinity where it is not finite */
  next(step: number, loss: number): void;
  /**
   * How far, within a part of some losses above zero, they are of no more interest than that they
   * moved.
   */
  plainUntil(losses: ArrayLike<number>, from: number, to: number): number;
  /** `next` of such losses. */
  nextPlain(losses: ArrayLike<number>, from: number, to: number): void;
  /**
   * Mean of the losses since the last call (NaN of none), in how many rows they moved, and in how
   * many they rose.
   */
  take(into: Pick<Sample, 'loss' | 'moves' | 'rises'>): void;
  facts(): LossFacts;
  /** Step since which the loss has diverged. */
  divergedAt(): number | null;
  /** Step since which it is gone, where the log ends here. */
  goneSince(): number | null;
  state(): LossState;
}

/**
 * A loss that is not finite is missing where finite ones follow: pandas, NumPy and HDF5 write it
 * so, and mixed precision skips steps. It has diverged where it blew up before, or where none
 * follows.
 *
 * @param divergence a loss so many times the first one has diverged, as has one over 10¹²
 */
export function createLossWatch(divergence: number, saved?: LossState): LossWatch {
  // Written out: V8 gives copies of another object new shapes, and compiles anew for each.
  const now = {
    decimals: saved?.decimals ?? 0,
    signed: saved?.signed ?? false,
    missing: saved?.missing ?? 0,
    missingSince: saved?.missingSince ?? 0,
    longestMissing: saved?.longestMissing ?? 0,
    divergedAt: saved?.divergedAt ?? null,
    sum: saved?.sum ?? 0,
    count: saved?.count ?? 0,
    moves: saved?.moves ?? 0,
    rises: saved?.rises ?? 0,
    first: saved?.first ?? Number.NaN,
    last: saved?.last ?? Number.NaN,
  };

  function finite(step: number, loss: number): void {
    if (loss < 0) now.signed = true;
    while (now.decimals < DECIMALS && !isRounded(loss, TENS[now.decimals]!)) now.decimals++;
    if (Number.isNaN(now.first)) now.first = loss;
    if (loss !== now.last) now.moves++;
    if (loss > now.last) now.rises++;
    now.sum += loss;
    now.count++;
    now.last = loss;
    if (now.missing > now.longestMissing) now.longestMissing = now.missing;
    now.missing = 0;
    if (!now.signed && loss > divergence * now.first) now.divergedAt ??= step;
    else now.divergedAt = null;
  }

  const isBlownUp = () => now.last > BLOWN_UP * now.first;
  const isGone = () => now.missing > LONGER * now.longestMissing;

  return {
    next(step, loss) {
      if (Math.abs(loss) < Number.POSITIVE_INFINITY) {
        finite(step, loss);
        return;
      }
      // An empty cell is no loss at all; but JSON has no other word for one that has blown up.
      if (Number.isNaN(loss) && now.missing === 0 && !isBlownUp()) return;
      if (now.missing === 0) now.missingSince = step;
      now.missing++;
      if (!now.signed && isBlownUp() && isGone()) now.divergedAt ??= now.missingSince;
    },
    plainUntil(losses, from, to) {
      const { decimals, missing, divergedAt } = now;
      if (decimals < DECIMALS || missing > 0 || divergedAt !== null) return from;
      const most = divergence * now.first;
      let at = from;
      while (at < to && losses[at]! <= most) at++;
      return at;
    },
    nextPlain(losses, from, to) {
      let { last, sum, moves, rises } = now;
      for (let i = from; i < to; i++) {
        const loss = losses[i]!;
        if (loss !== last) moves++;
        if (loss > last) rises++;
        sum += loss;
        last = loss;
      }
      now.last = last;
      now.sum = sum;
      now.moves = moves;
      now.rises = rises;
      now.count += to - from;
    },
    take(into) {
      into.loss = now.sum / now.count;
      into.moves = now.moves;
      into.rises = now.rises;
      now.sum = 0;
      now.count = 0;
      now.moves = 0;
      now.rises = 0;
    },
    facts: () => ({
      first: now.first,
      resolution: now.decimals < DECIMALS ? Number(`1e${1 - now.decimals}`) : 0,
      signed: now.signed,
    }),
    divergedAt: () => now.divergedAt,
    goneSince: () => (isGone() && !Number.isNaN(now.first) ? now.missingSince : null),
    state: () => ({
      ...now,
      first: Number.isNaN(now.first) ? null : now.first,
      last: Number.isNaN(now.last) ? null : now.last,
    }),
  };
}

const isRounded = (value: number, ten: number) => Math.round(value * ten) / ten === value;

/** Powers of ten, correctly rounded. */
const TENS = Float64Array.from({ length: DECIMALS }, (_, k) => Number(`1e${k}`));

import type { Stability } from '../../core/run.ts';
import {
  AT_EDGE,
  KAPPA,
  KICK_MARGIN,
  KICK_SHARE,
  LEAST_GROWTH,
  LEAST_SHARE,
  LEVEL_ROWS,
  NOISE_WINDOW,
  STEADY,
} from './constants.ts';
import type { Spike } from './spikes.ts';

/** What of a row tells why the loss rose. */
export interface SpikeRow {
  readonly step: number;
  readonly eta: number;
  readonly loss: number;
  /** As last measured. */
  readonly sharpness: number;
  /** Sharpness over threshold. */
  readonly ratio: number;
  /**
   * Energy of the oscillation in directions at the edge; null where it is not known of this row.
   */
  readonly l1: number | null;
  /**
   * Part of the change of the loss since the row before that lies in directions at the edge; null
   * where it is not known.
   */
  readonly work?: number | null;
  /** The part of l1 in the direction that holds most; null where it is not known. */
  readonly leading?: number | null;
  readonly directions: number;
  /** Whether the sharpness was measured in this row. */
  readonly measured: boolean;
}

/**
 * Why the loss rose: directions at the edge, a jump of the learning rate, a kick within a step,
 * something else; unknown where all followed eigenvalues were at the edge, and those that were not
 * followed may have been as well, or where no energy is known of the rise.
 */
export type SpikeCause = 'edge' | 'learning-rate' | 'kick' | 'other' | 'unknown';

/** A spike with what it owes to directions at the edge. */
export interface ExplainedSpike extends Spike {
  readonly cause: SpikeCause;
  /**
   * Part of the rise that the energy in directions at the edge explains, from 0 to 1; null where
   * none is known.
   */
  readonly share: number | null;
  /** Directions at the edge while it grew, at most. */
  readonly directions: number;
  /**
   * Part of that energy in the direction that holds most of it, from 0 to 1, where that is known.
   */
  readonly leading?: number;
  /** Largest sharpness over threshold while it grew, as far as it was measured. */
  readonly ratio: number;
  /**
   * Largest learning rate at which the threshold would not have been passed; null unless the cause
   * is the edge, and a sharpness beyond the threshold was measured.
   */
  readonly eta_that_holds: number | null;
}

/** Rows before the begin of a spike that are looked at, where they are known. */
export const ROWS_BEFORE = NOISE_WINDOW + 1;

/** What the rows around a spike do not tell. */
export interface SpikeCircumstances {
  /** Whether a jump of the learning rate had brought the run to the edge, longer before. */
  readonly afterJump?: boolean;
  /**
   * Whether steps are made by mini-batches, of which one may be bad. Where all samples are known to
   * make them (false), there is nothing to kick the loss.
   */
  readonly batches?: boolean | undefined;
}

/**
 * Why a spike happened, from the rows around it.
 * @param rows rows from `ROWS_BEFORE` before its begin to the one behind its peak, in order
 * @param followed how many eigenvalues were followed
 */
export function explainSpike(
  spike: Spike,
  rows: readonly SpikeRow[],
  stability: Stability,
  followed: number,
  { afterJump = false, batches }: SpikeCircumstances = {},
): ExplainedSpike {
  const peakAt = firstFrom(rows, spike.step);
  const beginAt = firstFrom(rows, spike.begin) % Math.max(1, rows.length);
  const peak = rows[peakAt]?.step === spike.step ? rows[peakAt] : undefined;
  // To the one side of an oscillation its energy says too much, to the other too little: sums even
  // that out.
  const burst = peak ? rows.slice(beginAt, peakAt + 2).filter(hasEnergy) : [];
  const unknown = { cause: 'unknown', share: null, directions: 0, eta_that_holds: null } as const;
  if (!peak || burst.length === 0) return { ...spike, ...unknown, ratio: peak?.ratio ?? 0 };
  const before = rows.slice(Math.max(0, beginAt - LEVEL_ROWS), beginAt);
  const level = before.length > 0 ? before : [rows[beginAt]!];
  const rise = peak.loss - mean(level, ({ loss }) => loss);
  const energy = mean(burst, ({ l1 }) => l1) - mean(level.filter(hasEnergy), ({ l1 }) => l1);
  const loss = mean(burst, (row) => row.loss) - mean(level, (row) => row.loss);
  const climbed = rows.slice(footOf(rows, beginAt, peakAt, rise), peakAt + 1);
  const part = shareOfWork(climbed) ?? energy / loss;
  const share = Math.min(1, Math.max(0, part));
  const growing = rows.slice(Math.max(0, beginAt - NOISE_WINDOW), peakAt + 1);
  // Directions that were measured long ago may be those of the edge no more.
  if (share < LEAST_SHARE && !growing.some(({ measured }) => measured))
    return { ...spike, ...unknown, ratio: peak.ratio };
  const sharpest = growing.reduce((a, b) => (b.ratio > a.ratio ? b : a));
  const jumped = afterJump || hasJumped(growing);
  const climb = rows.slice(Math.max(1, beginAt - 1), peakAt + 1);
  const largest = Math.max(
    ...climb.map(({ loss }, i) => loss - rows[Math.max(1, beginAt - 1) + i - 1]!.loss),
  );
  // What sharpness can do in a step: |1 − 2ρ| in amplitude for a ratio of ρ, the square of it in
  // energy.
  const factor = (2 * sharpest.ratio - 1) * (2 * sharpest.ratio - 1);
  const sudden = largest > Math.max(KICK_SHARE, KICK_MARGIN * (1 - 1 / factor)) * rise;
  const kicked = batches ? sudden || peakAt - beginAt < LEAST_GROWTH : batches !== false && sudden;
  // What was not measured while it rose may have been beyond the threshold.
  const risen = rows.slice(beginAt, peakAt + 1);
  const below = sharpest.ratio < AT_EDGE && risen.some(({ measured }) => measured);
  // At the peak the sharpness may have fallen already.
  const directions = Math.max(...climbed.map((row) => row.directions));
  const cause =
    jumped && share > 0
      ? 'learning-rate'
      : below
        ? 'other'
        : share < LEAST_SHARE
          ? directions >= followed
            ? 'unknown'
            : 'other'
          : kicked
            ? 'kick'
            : 'edge';
  return {
    ...spike,
    cause,
    share,
    directions,
    ...leadingShare(burst),
    ratio: sharpest.ratio,
    eta_that_holds:
      cause === 'edge' && sharpest.ratio >= AT_EDGE ? etaThatHolds(stability, sharpest) : null,
  };
}

/** Whether the learning rate has risen within these rows, in one or in several. */
function hasJumped(rows: readonly SpikeRow[]): boolean {
  let least = Number.POSITIVE_INFINITY;
  return rows.some(({ eta }) => {
    least = Math.min(least, eta);
    return eta > (1 + KAPPA) * least;
  });
}

/** Index of the first row from a step on, of rows in ascending order; their number without one. */
function firstFrom(rows: readonly SpikeRow[], step: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]!.step >= step) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * The row that a climb is counted from: the one before its begin, or, where most of the rise was
 * before that already, as the level had followed it, the lowest of those that made the level.
 */
function footOf(rows: readonly SpikeRow[], beginAt: number, peakAt: number, rise: number): number {
  const before = Math.max(0, beginAt - 1);
  if (rows[peakAt]!.loss - rows[before]!.loss >= LEAST_SHARE * rise) return before;
  let foot = before;
  for (let i = before - 1; i >= Math.max(0, beginAt - LEVEL_ROWS); i--)
    if (rows[i]!.loss < rows[foot]!.loss) foot = i;
  return foot;
}

/** The learning rate at which a sharpness is the threshold, by bisection. */
function etaThatHolds(
  stability: Stability,
  { sharpness, eta }: Pick<SpikeRow, 'sharpness' | 'eta'>,
): number {
  let low = 0;
  let high = eta;
  while (stability.ratio(sharpness, high) < 1 && high < 1e9) high *= 2;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (stability.ratio(sharpness, middle) < 1) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Part of a climb that directions at the edge made, step by step: their work where it is known,
 * else the change of their energy, which is the same where the loss is a quadratic; null where no
 * work is known.
 */
function shareOfWork(climbed: readonly SpikeRow[]): number | null {
  if (!climbed.some(({ work }, i) => i > 0 && typeof work === 'number')) return null;
  const steps = climbed.slice(1).map(({ work, l1, loss }, i) => {
    if (typeof work === 'number') return work;
    const most = STEADY * loss;
    return Math.min(most, Math.max(-most, (l1 ?? 0) - (climbed[i]!.l1 ?? 0)));
  });
  const rise = climbed.at(-1)!.loss - climbed[0]!.loss;
  return steps.reduce((sum, step) => sum + step, 0) / rise;
}

function hasEnergy(row: SpikeRow): row is SpikeRow & { readonly l1: number } {
  return row.l1 !== null;
}

/** How much of the energy of a burst lies in one direction, by the rows in which that is known. */
function leadingShare(burst: readonly SpikeRow[]): Pick<ExplainedSpike, 'leading'> {
  const known = burst.filter(({ leading }) => typeof leading === 'number');
  const whole = mean(known, ({ l1 }) => l1 ?? 0);
  return whole > 0 ? { leading: Math.min(1, mean(known, (row) => row.leading ?? 0) / whole) } : {};
}

/** Mean over rows; 0 over none. */
function mean<Row>(rows: readonly Row[], value: (row: Row) => number): number {
  return rows.reduce((sum, row) => sum + value(row), 0) / Math.max(1, rows.length);
}

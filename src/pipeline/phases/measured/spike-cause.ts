import type { Stability } from '../../core/run.ts';
import type { Spike } from './spikes.ts';

/** What of a row tells why the loss rose. Where the sharpness was not measured, the numbers last measured. */
export interface SpikeRow {
  readonly step: number;
  readonly eta: number;
  readonly loss: number;
  readonly sharpness: number;
  /** Sharpness over threshold. */
  readonly ratio: number;
  /** Energy of the oscillation in directions at the edge. */
  readonly l1: number;
  readonly directions: number;
}

/**
 * Why the loss rose: directions at the edge, a jump of the learning rate, a kick within a step, something else; unknown
 * where all followed eigenvalues were at the edge, and those that were not followed may have been as well.
 */
export type SpikeCause = 'edge' | 'learning-rate' | 'kick' | 'other' | 'unknown';

/** A spike with what it owes to directions at the edge. */
export interface ExplainedSpike extends Spike {
  readonly cause: SpikeCause;
  /** Part of the rise that the energy in directions at the edge explains, from 0 to 1. */
  readonly share: number;
  readonly directions: number;
  /** Largest sharpness over threshold while it grew. */
  readonly ratio: number;
  /** Largest learning rate at which the threshold would not have been passed; null unless the cause is the edge. */
  readonly eta_that_holds: number | null;
}

/** Rows before a spike of which the level is taken, and rows in which its cause may lie. */
const LEVEL_ROWS = 9;
const CAUSE_ROWS = 60;
/** l1 must explain so much of a rise for the edge to be its cause. */
const LEAST_SHARE = 0.5;
/** A learning rate that rises by this factor has jumped. */
const JUMP = 1.05;
/** An oscillation grows from step to step; by more than this share of the rise in one step, something kicked it. */
const KICK_SHARE = 0.6;
const SLACK = 0.99;

/**
 * Why a spike happened, from the rows around it.
 * @param rows rows up to the peak at least, in order, as far back as they are known
 * @param followed how many eigenvalues were followed
 */
export function explainSpike(
  spike: Spike,
  rows: readonly SpikeRow[],
  stability: Stability,
  followed: number,
): ExplainedSpike {
  const peakAt = rows.findIndex(({ step }) => step === spike.step);
  const beginAt = Math.max(
    0,
    rows.findIndex(({ step }) => step >= spike.begin),
  );
  const peak = rows[peakAt];
  if (!peak) {
    return { ...spike, cause: 'other', share: 0, directions: 0, ratio: 0, eta_that_holds: null };
  }
  const before = rows.slice(Math.max(0, beginAt - LEVEL_ROWS), beginAt);
  const level = before.length > 0 ? before : [rows[beginAt]!];
  const rise = peak.loss - mean(level, ({ loss }) => loss);
  // To the one side of an oscillation its energy says too much, to the other too little: sums even that out.
  const burst = rows.slice(beginAt, peakAt + 2);
  const over = (value: (row: SpikeRow) => number) => mean(burst, value) - mean(level, value);
  const share = Math.min(1, Math.max(0, over(({ l1 }) => l1) / over(({ loss }) => loss)));
  const growing = rows.slice(Math.max(0, beginAt - CAUSE_ROWS), peakAt + 1);
  const sharpest = growing.reduce((a, b) => (b.ratio > a.ratio ? b : a));
  const jumped = growing.some(({ eta }, i) => i > 0 && eta > JUMP * growing[i - 1]!.eta);
  const climb = rows.slice(Math.max(1, beginAt - 1), peakAt + 1);
  const largest = Math.max(
    ...climb.map(({ loss }, i) => loss - rows[Math.max(1, beginAt - 1) + i - 1]!.loss),
  );
  // What sharpness can do in a step: |1 − 2ρ| in amplitude for a ratio of ρ, the square of it in energy.
  const factor = (2 * sharpest.ratio - 1) ** 2;
  const kicked = largest > Math.max(KICK_SHARE, 1.2 * (1 - 1 / factor)) * rise;
  const cause =
    jumped && share > 0
      ? 'learning-rate'
      : share < LEAST_SHARE || sharpest.ratio < SLACK
        ? peak.directions >= followed
          ? 'unknown'
          : 'other'
        : kicked
          ? 'kick'
          : 'edge';
  return {
    ...spike,
    cause,
    share,
    directions: peak.directions,
    ratio: sharpest.ratio,
    eta_that_holds: cause === 'edge' ? etaThatHolds(stability, sharpest) : null,
  };
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

function mean(rows: readonly SpikeRow[], value: (row: SpikeRow) => number): number {
  return rows.reduce((sum, row) => sum + value(row), 0) / rows.length;
}

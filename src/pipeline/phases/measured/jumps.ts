import { DISTURBED, KAPPA, NEAR_EDGE, NOISE_WINDOW } from './constants.ts';
import type { SpikeRow } from './spike-cause.ts';
import type { SpikeColumns, SpikeRows } from './spike-rows.ts';
import type { Spike } from './spikes.ts';

/** A rise of the learning rate, and where the run has left the edge behind it, if it has. */
export interface LearningRateJump {
  readonly step: number;
  /** Where the rise began: those that follow one another without a pause are one, as a warmup. */
  readonly begin: number;
  until: number | null;
}

/** What a jump has begun: the peak of its first spike, and the loss that it is over with. */
export interface Disturbance {
  readonly peak: number;
  readonly level: number;
}

/** Everything that jumps keep; JSON can hold it. */
export interface JumpState {
  readonly jumps: readonly LearningRateJump[];
  /** Learning rate that a rise is counted from, its begin, rows since, and the last rate. */
  readonly base: number;
  readonly begin: number;
  readonly rows: number;
  readonly eta: number;
  /** Rows measured since the last at the edge. */
  readonly below: number;
  /** Where the last spike ended. */
  readonly spikeEnd: number;
  /** What the last spike belongs to, where a jump led to it. */
  readonly disturbance: Disturbance | null;
}

/**
 * Jumps of the learning rate that may be why the loss rises later: where S is but little over the
 * threshold, an oscillation takes hundreds of steps to grow.
 */
export interface Jumps {
  /** Takes in a part of some rows. */
  push(
    columns: Pick<SpikeColumns, 'step' | 'eta' | 'sharpness_ratio'>,
    from: number,
    to: number,
  ): void;
  /**
   * Whether the run has been at the edge since a jump, and this is the first spike behind it; or
   * the last spike was the jump's, and the loss has not been back since where it was before.
   */
  led(spike: Spike, rows: Pick<SpikeRows, 'around'>): boolean;
  state(): JumpState;
}

/** Jumps that are remembered: a spike is explained a little after its begin. */
const MOST_JUMPS = 8;

export function createJumps(saved?: JumpState): Jumps {
  let jumps = (saved?.jumps ?? []).map((jump) => ({ ...jump }));
  let base = saved?.base ?? 0;
  let begin = saved?.begin ?? 0;
  let rows = saved?.rows ?? 0;
  let last = saved?.eta ?? 0;
  let below = saved?.below ?? 0;
  let spikeEnd = saved?.spikeEnd ?? -1;
  let disturbance = saved?.disturbance ?? null;

  function rise(step: number, eta: number): void {
    if (base === 0 || rows >= NOISE_WINDOW || last < base) {
      base = last;
      begin = step;
      rows = 0;
    }
    if (base > 0 && eta > (1 + KAPPA) * base) {
      jumps = [...jumps, { step, begin, until: null }].slice(-MOST_JUMPS);
      base = eta;
      rows = 0;
      below = 0;
    }
  }

  return {
    push({ step, eta, sharpness_ratio: ratios }, from, to) {
      for (let i = from; i < to; i++) {
        const rate = eta[i]!;
        const ratio = ratios[i]!;
        rows++;
        if (rate > last) rise(step[i]!, rate);
        if (rate >= 0) last = rate;
        if (ratio >= NEAR_EDGE) below = 0;
        else if (ratio < NEAR_EDGE && ++below > NOISE_WINDOW)
          for (const jump of jumps) jump.until ??= step[i]!;
      }
    },
    led(spike, rows) {
      const behind = jumps.filter(
        ({ step, until }) =>
          step > spikeEnd && step <= spike.step && (until === null || until > spike.begin),
      );
      const levels = behind.map(({ begin }) => highestBefore(rows, begin));
      const on = disturbance && lasts(disturbance, rows, spike.begin) ? disturbance : null;
      if (on) levels.push(on.level);
      const peak = (behind.length > 0 ? null : on?.peak) ?? spike.step;
      disturbance = levels.length > 0 ? { peak, level: Math.min(...levels) } : null;
      spikeEnd = spike.end;
      return disturbance !== null;
    },
    state: () => ({
      jumps: jumps.map((jump) => ({ ...jump })),
      ...{ base, begin, rows, eta: last, below, spikeEnd, disturbance },
    }),
  };
}

/** The largest loss before a step, its spikes included; beyond all losses where none is known. */
function highestBefore(rows: Pick<SpikeRows, 'around'>, step: number): number {
  const before = lossesBefore(rows.around(step, NOISE_WINDOW, step), step);
  return before.length > 0 ? Math.max(...before) : Number.MAX_VALUE;
}

/** Whether the loss has not been back where it was, up to a step. */
function lasts({ peak, level }: Disturbance, rows: Pick<SpikeRows, 'around'>, step: number) {
  const since = rows.around(step, DISTURBED, step);
  if (!(since[0] && since[0].step <= peak)) return false;
  const behind = since.filter((row) => row.step > peak);
  return lossesBefore(behind, step).every((loss) => loss > level);
}

const lossesBefore = (rows: readonly SpikeRow[], step: number) =>
  rows.filter((row) => row.step < step && !Number.isNaN(row.loss)).map(({ loss }) => loss);

import { KAPPA, NEAR_EDGE, NOISE_WINDOW } from './constants.ts';
import type { SpikeColumns } from './spike-rows.ts';
import type { Spike } from './spikes.ts';

/** A rise of the learning rate, and where the run has left the edge behind it, if it has. */
export interface LearningRateJump {
  readonly step: number;
  until: number | null;
}

/** Everything that jumps keep; JSON can hold it. */
export interface JumpState {
  readonly jumps: readonly LearningRateJump[];
  /** Learning rate that a rise is counted from, the rows since, and the last learning rate. */
  readonly base: number;
  readonly rows: number;
  readonly eta: number;
  /** Rows measured since the last at the edge. */
  readonly below: number;
  /** Where the last spike ended. */
  readonly spikeEnd: number;
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
  /** Whether the run has been at the edge since a jump, and this is the first spike behind it. */
  led(spike: Spike): boolean;
  state(): JumpState;
}

/** Jumps that are remembered: a spike is explained a little after its begin. */
const MOST_JUMPS = 8;

export function createJumps(saved?: JumpState): Jumps {
  let jumps = (saved?.jumps ?? []).map((jump) => ({ ...jump }));
  let base = saved?.base ?? 0;
  let rows = saved?.rows ?? 0;
  let last = saved?.eta ?? 0;
  let below = saved?.below ?? 0;
  let spikeEnd = saved?.spikeEnd ?? -1;

  function rise(step: number, eta: number): void {
    if (base === 0 || rows >= NOISE_WINDOW || last < base) {
      base = last;
      rows = 0;
    }
    if (base > 0 && eta > (1 + KAPPA) * base) {
      jumps = [...jumps, { step, until: null }].slice(-MOST_JUMPS);
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
    led(spike) {
      const led = jumps.some(
        ({ step, until }) =>
          step > spikeEnd && step <= spike.step && (until === null || until > spike.begin),
      );
      spikeEnd = spike.end;
      return led;
    },
    state: () => ({
      jumps: jumps.map((jump) => ({ ...jump })),
      ...{ base, rows, eta: last, below, spikeEnd },
    }),
  };
}

import { NEAR_EDGE } from './constants.ts';
import type { SpikeColumns } from './spike-rows.ts';

/** What is counted; JSON can hold it. */
export interface BatchSenseState {
  /** Rows that follow one another below the edge, and those of them in which the loss rose. */
  readonly rows: number;
  readonly rises: number;
  /** The loss of the last row, if it was below the edge. */
  readonly loss: number | null;
}

/**
 * Whether mini-batches make the steps of gradient descent, by its losses: with all samples they
 * fall wherever the sharpness is under the threshold.
 */
export interface BatchSense {
  /** Takes in a part of some rows. */
  push(columns: Pick<SpikeColumns, 'loss' | 'sharpness_ratio'>, from: number, to: number): void;
  found(): boolean;
  state(): BatchSenseState;
}

/** Rows that are needed to tell, and the share of them in which the loss has risen then. */
const LEAST_ROWS = 30;
const LEAST_RISES = 0.1;
/** What rounding may do to a loss. */
const ROUNDING = 1e-5;

export function createBatchSense(saved?: BatchSenseState): BatchSense {
  let rows = saved?.rows ?? 0;
  let rises = saved?.rises ?? 0;
  let last = saved?.loss ?? Number.NaN;

  return {
    push({ loss, sharpness_ratio: ratios }, from, to) {
      for (let i = from; i < to; i++) {
        const below = ratios[i]! < NEAR_EDGE;
        if (below && !Number.isNaN(last) && !Number.isNaN(loss[i]!)) {
          rows++;
          if (loss[i]! > last + ROUNDING * Math.abs(last)) rises++;
        }
        last = below ? loss[i]! : Number.NaN;
      }
    },
    found: () => rows >= LEAST_ROWS && rises > LEAST_RISES * rows,
    state: () => ({ rows, rises, loss: Number.isNaN(last) ? null : last }),
  };
}

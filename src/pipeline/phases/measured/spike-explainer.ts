import type { Stability } from '../../core/run.ts';
import { CAPACITY } from './constants.ts';
import { type ExplainedSpike, explainSpike, type SpikeRow } from './spike-cause.ts';
import type { Spike } from './spikes.ts';

/** What the spikes say of the learning rate as a whole. */
export interface EtaVerdict {
  /** Largest sharpness over threshold while a spike of the edge grew. */
  readonly ratio: number;
  /** The learning rate at which that sharpness is the threshold. */
  readonly eta_that_holds: number;
}

/** What the causes of all spikes come to. */
export interface SpikeCauses {
  /** How many of them were the edge's. */
  readonly edge_spikes: number;
  readonly eta_verdict: EtaVerdict | null;
}

/** Everything that an explainer keeps; JSON can hold it. */
export interface ExplainerState {
  readonly rows: readonly SpikeRow[];
  readonly edge: number;
  readonly worst: EtaVerdict | null;
}

/** A row as it was logged. */
export type MeasuredRow = Omit<SpikeRow, 'l1' | 'work' | 'leading' | 'measured'> & {
  readonly l1: number;
  readonly work?: number;
  readonly leading?: number;
};

/** Keeps the last rows, and explains the spikes in them. */
export interface SpikeExplainer {
  /**
   * Takes in a row, of which NaN was not measured; answers with the ratio last measured, 0 before
   * the first.
   */
  row(row: MeasuredRow): number;
  explain(spike: Spike): ExplainedSpike;
  causes(): SpikeCauses;
  state(): ExplainerState;
}

/** @param followed how many eigenvalues were followed */
export function createSpikeExplainer(
  stability: Stability,
  followed: number,
  saved?: ExplainerState,
): SpikeExplainer {
  const rows = [...(saved?.rows ?? [])];
  let edge = saved?.edge ?? 0;
  let worst = saved?.worst ?? null;

  return {
    row(row) {
      const { step, eta, loss, sharpness, ratio: measuredRatio, directions } = row;
      const last = rows.at(-1);
      const ratio = numberOr(measuredRatio, last?.ratio ?? 0);
      // Each row comes by: to spread the one given would take longer than all else.
      rows.push({
        step,
        eta,
        loss,
        sharpness: numberOr(sharpness, last?.sharpness ?? 0),
        ratio,
        l1: numberOr(row.l1, null),
        work: numberOr(row.work, null),
        directions: numberOr(directions, last?.directions ?? 0),
        leading: numberOr(row.leading, null),
        measured: !Number.isNaN(measuredRatio),
      });
      if (rows.length > 2 * CAPACITY) rows.splice(0, CAPACITY);
      return ratio;
    },
    explain(spike) {
      const explained = explainSpike(spike, rows, stability, followed);
      const { cause, ratio, eta_that_holds: holds } = explained;
      if (cause === 'edge') edge++;
      if (holds !== null && ratio > (worst?.ratio ?? 0)) worst = { ratio, eta_that_holds: holds };
      return explained;
    },
    causes: () => ({ edge_spikes: edge, eta_verdict: worst }),
    state: () => ({ rows: [...rows], edge, worst }),
  };
}

const numberOr = <T>(value: number | undefined, other: T): number | T =>
  value === undefined || Number.isNaN(value) ? other : value;

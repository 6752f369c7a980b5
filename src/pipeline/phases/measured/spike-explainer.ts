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
      const last = rows.at(-1);
      const known = (name: 'sharpness' | 'ratio' | 'directions') =>
        Number.isNaN(row[name]) ? (last?.[name] ?? 0) : row[name];
      const ratio = known('ratio');
      rows.push({
        ...row,
        sharpness: known('sharpness'),
        ratio,
        l1: numberOrNull(row.l1),
        work: numberOrNull(row.work),
        leading: numberOrNull(row.leading),
        directions: known('directions'),
        measured: !Number.isNaN(row.ratio),
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

const numberOrNull = (value = Number.NaN) => (Number.isNaN(value) ? null : value);

import type { Stability } from '../../core/run.ts';
import { createJumps, type JumpState } from './jumps.ts';
import { type ExplainedSpike, explainSpike, ROWS_BEFORE, type SpikeRow } from './spike-cause.ts';
import { createSpikeRows, type SpikeRows } from './spike-rows.ts';
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
  /** An older checkpoint has none. */
  readonly jumps?: JumpState;
}

/** Keeps the last rows, and explains the spikes in them. */
export interface SpikeExplainer {
  /** The rows: all up to the one in which a spike is over are taken in before it is explained. */
  readonly rows: Pick<SpikeRows, 'push' | 'ratio'>;
  explain(spike: Spike): ExplainedSpike;
  causes(): SpikeCauses;
  /** As it is now; made only where it is asked for. */
  state(): () => ExplainerState;
}

/**
 * @param followed how many eigenvalues were followed
 * @param batches whether steps are made by mini-batches, where that is known
 */
export function createSpikeExplainer(
  stability: Stability,
  followed: number,
  saved?: ExplainerState,
  batches?: boolean,
): SpikeExplainer {
  const rows = createSpikeRows(saved?.rows);
  const jumps = createJumps(saved?.jumps);
  let edge = saved?.edge ?? 0;
  let worst = saved?.worst ?? null;

  return {
    rows: {
      push(columns, from, to) {
        jumps.push(columns, from, to);
        rows.push(columns, from, to);
      },
      ratio: rows.ratio,
    },
    explain(spike) {
      const explained = explainSpike(
        spike,
        rows.around(spike.begin, ROWS_BEFORE, spike.step),
        stability,
        followed,
        { afterJump: jumps.led(spike, rows), batches },
      );
      const { cause, ratio, eta_that_holds: holds } = explained;
      if (cause === 'edge') edge++;
      if (holds !== null && ratio > (worst?.ratio ?? 0)) worst = { ratio, eta_that_holds: holds };
      return explained;
    },
    causes: () => ({ edge_spikes: edge, eta_verdict: worst }),
    state() {
      const [kept, spikes, verdict, rises] = [rows.state(), edge, worst, jumps.state()];
      return () => ({ rows: kept(), edge: spikes, worst: verdict, jumps: rises });
    },
  };
}

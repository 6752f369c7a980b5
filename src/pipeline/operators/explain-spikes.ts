import { operator } from '../core/operator.ts';
import type { Run } from '../core/run.ts';
import {
  type ExplainedSpike,
  explainSpike,
  type SpikeRow,
} from '../phases/measured/spike-cause.ts';
import { createSpikeFinder, type SpikeState } from '../phases/measured/spikes.ts';

/** Rows that are kept to explain a spike by; the beginning of a longer one is forgotten. */
const KEPT_ROWS = 2048;
/** Spikes that a summary lists. */
const MOST_SPIKES = 1000;

/** What the spikes say of the learning rate as a whole. */
export interface EtaVerdict {
  /** Largest sharpness over threshold while a spike of the edge grew. */
  readonly ratio: number;
  /** The learning rate at which that sharpness is the threshold. */
  readonly eta_that_holds: number;
}

/** The part of a summary that spikes make. */
export interface SpikeSummary {
  readonly spike_count: number;
  /** The first 1000 of them, each with its cause. */
  readonly spikes: readonly ExplainedSpike[];
  /** How many of them were the edge's. */
  readonly edge_spikes: number;
  readonly eta_verdict: EtaVerdict | null;
}

interface Tally {
  readonly rows: SpikeRow[];
  readonly spikes: ExplainedSpike[];
  count: number;
  edge: number;
  worst: EtaVerdict | null;
}

/**
 * Finds the spikes of the loss and says of each what it owes to directions at the edge: `l1` and `edge_directions` hold
 * their energy and their number.
 *
 * @param report told of each spike when it is over
 */
export const explainSpikes = (report: (spike: ExplainedSpike) => void = () => {}) =>
  operator({
    name: 'explainSpikes',
    needs: {
      step: 'networkDescent',
      eta: 'networkDescent',
      loss: 'networkDescent',
      sharpness: 'networkDescent',
      l1: 'networkDescent',
      edge_directions: 'networkDescent',
      sharpness_ratio: 'relateToThreshold',
    },
    adds: [],
    start(run: Run<{ readonly eigenvalues: number }>, saved) {
      const { stability, config } = run;
      const before = structuredClone(saved?.raw('state')) as
        | { readonly finder: SpikeState; readonly tally: Tally }
        | undefined;
      /** A stage that only sums up what is stored has told all of it before. */
      let live = false;
      const finder = createSpikeFinder(before?.finder);
      const tally: Tally = before?.tally ?? {
        rows: [],
        spikes: [],
        count: 0,
        edge: 0,
        worst: null,
      };

      function take(spike: ReturnType<typeof finder.next>): void {
        if (!spike) return;
        const explained = explainSpike(spike, tally.rows, stability, config.eigenvalues);
        tally.count++;
        if (tally.spikes.length < MOST_SPIKES) tally.spikes.push(explained);
        if (explained.cause === 'edge') {
          tally.edge++;
          if (explained.ratio > (tally.worst?.ratio ?? 0)) {
            const { eta_that_holds: holds, ratio } = explained;
            tally.worst = { ratio, eta_that_holds: holds! };
          }
        }
        if (live) report(explained);
      }

      return {
        next(columns, length) {
          live = true;
          for (let i = 0; i < length; i++) {
            const last = tally.rows.at(-1);
            const measured = !Number.isNaN(columns.sharpness[i]!);
            const known = (name: 'sharpness' | 'l1', previous = 0) =>
              measured ? columns[name][i]! : previous;
            const row: SpikeRow = {
              step: columns.step[i]!,
              eta: columns.eta[i]!,
              loss: columns.loss[i]!,
              sharpness: known('sharpness', last?.sharpness),
              ratio: measured ? columns.sharpness_ratio[i]! : (last?.ratio ?? 0),
              l1: known('l1', last?.l1),
              directions: measured ? columns.edge_directions[i]! : (last?.directions ?? 0),
            };
            tally.rows.push(row);
            if (tally.rows.length > 2 * KEPT_ROWS) tally.rows.splice(0, KEPT_ROWS);
            take(finder.next(row.step, row.loss, row.ratio));
          }
        },
        state() {
          const finderState = finder.state();
          const { rows, spikes } = tally;
          const now = { ...tally, rows: [...rows], spikes: [...spikes] };
          return () => ({ state: { finder: finderState, tally: now } });
        },
        finish(): SpikeSummary {
          take(finder.finish());
          const { count, spikes, edge, worst } = tally;
          return {
            spike_count: count,
            spikes,
            edge_spikes: edge,
            eta_verdict: worst,
          };
        },
      };
    },
  });

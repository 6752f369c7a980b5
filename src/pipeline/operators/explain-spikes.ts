import { operator } from '../core/operator.ts';
import { checkCallable } from '../core/options.ts';
import type { Run } from '../core/run.ts';
import { handedOn } from '../phases/measured/handed-spikes.ts';
import type { ExplainedSpike } from '../phases/measured/spike-cause.ts';
import {
  createSpikeExplainer,
  type ExplainerState,
  type SpikeCauses,
} from '../phases/measured/spike-explainer.ts';
import { MOST_SPIKES } from '../phases/measured/spike-text.ts';
import { createSpikeFinder, type Spike, type SpikeState } from '../phases/measured/spikes.ts';
import type { MeasuredRun } from '../phases/measured/summary.ts';

/** The part of a summary that spikes make. */
export interface SpikeSummary extends SpikeCauses {
  readonly spike_count: number;
  /** The first 1000 of them, each with its cause. */
  readonly spikes: readonly ExplainedSpike[];
}

interface State {
  readonly finder: SpikeState;
  readonly explainer: ExplainerState;
  readonly spikes: readonly ExplainedSpike[];
  readonly count: number;
}

/**
 * Finds the spikes of the loss and says of each what it owes to directions at the edge: `l1`,
 * `edge_work` and `edge_directions` hold their energy, what they changed of the loss, and their
 * number.
 *
 * @param report told of each spike when it is over
 */
export const explainSpikes = (report: (spike: ExplainedSpike) => void = () => {}) => {
  checkCallable('explainSpikes: report', report);
  return operator({
    name: 'explainSpikes',
    needs: {
      step: 'networkDescent',
      eta: 'networkDescent',
      loss: 'networkDescent',
      sharpness: 'networkDescent',
      l1: 'networkDescent',
      edge_work: 'networkDescent',
      edge_directions: 'networkDescent',
      sharpness_ratio: 'relateToThreshold',
    },
    adds: [],
    start(
      {
        stability,
        config,
        handed,
      }: Run<{ readonly eigenvalues: number; readonly batch?: number | null }> &
        Pick<MeasuredRun, 'handed'>,
      saved,
    ) {
      const before = structuredClone(saved?.raw('state')) as State | undefined;
      /** A stage that only sums up what is stored has told all of it before. */
      let live = false;
      const finder = handed ? handedOn(handed) : createSpikeFinder(before?.finder);
      const explainer = createSpikeExplainer(
        stability,
        config.eigenvalues,
        before?.explainer,
        config.batch === undefined ? undefined : config.batch !== null,
      );
      const spikes = [...(before?.spikes ?? [])];
      let count = before?.count ?? 0;
      function take(spike: Spike | null): void {
        if (!spike) return;
        const explained = explainer.explain(spike);
        count++;
        if (spikes.length < MOST_SPIKES) spikes.push(explained);
        if (live) report(explained);
      }

      return {
        next(columns, length) {
          const { step, eta, loss, sharpness, sharpness_ratio, l1, edge_work, edge_directions } =
            columns;
          const rows = {
            step,
            eta,
            loss,
            sharpness,
            sharpness_ratio,
            l1,
            edge_work,
            edge_directions,
          };
          live = true;
          let taken = 0;
          const quiet = (from: number) => finder.nextQuiet(loss, from, length);
          for (let i = quiet(0); i < length; i = quiet(i + 1)) {
            explainer.rows.push(rows, taken, i + 1);
            taken = i + 1;
            take(finder.next(step[i]!, loss[i]!, explainer.rows.ratio()));
          }
          explainer.rows.push(rows, taken, length);
        },
        state() {
          const found = finder.state();
          const explained = explainer.state();
          const now = { spikes: [...spikes], count };
          return () => ({
            state: { finder: found, explainer: explained(), ...now } satisfies State,
          });
        },
        finish(): SpikeSummary {
          take(finder.finish());
          return { spike_count: count, spikes, ...explainer.causes() };
        },
      };
    },
  });
};

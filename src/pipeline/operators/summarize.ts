import { type MonoTypeOperatorFunction, Observable } from 'rxjs';
import { PHASES } from '../columns.ts';
import type { RunConfig } from '../config.ts';
import { edgeAlpha, predictedMeanL1, predictedSlope } from '../model/surrogate.ts';
import type { ModelBatch, ModelRun } from '../source/gradient-descent.ts';
import { lossColumns } from './split-loss.ts';

/** The three phases that summaries and log lines speak of. */
export const COARSE_PHASES = ['progressive-sharpening', 'edge-of-stability', 'convergence'] as const;
export type CoarsePhase = (typeof COARSE_PHASES)[number];

/** Coarse phase of each code of the `phase` column. */
export const COARSE_OF_CODE: readonly CoarsePhase[] = PHASES.map((phase) =>
  phase === 'eos-sharpening' || phase === 'eos-self-stabilization' ? 'edge-of-stability' : phase,
);

export type Outcome = 'diverged' | 'gradient-flow' | 'converged' | 'edge-of-stability';

export interface PhaseSpan {
  readonly phase: string;
  readonly first_step: number;
  readonly last_step: number;
}

export interface RunWarning {
  readonly kind: 'float64-underflow' | 'not-reproducible' | 'interrupted' | 'recovered';
  readonly step: number;
  readonly message: string;
}

/** What became of a run: the JSON under `eos.summary` in its files. Steps are t, slopes are per step. */
export interface RunSummary {
  readonly outcome: Outcome;
  /** True where the run was stopped from outside; the rest then speaks of the steps so far. */
  readonly interrupted: boolean;
  readonly phases: readonly PhaseSpan[];
  readonly cycles: number;
  readonly first_crossing: number | null;
  readonly max_sharpness_ratio: number;
  readonly diverged_at: number | null;
  readonly final_loss: number;
  readonly last_step: number;
  readonly convergence_time: { readonly delta: number; readonly epsilon: number; readonly step: number | null };
  readonly l_hat_slope: number | null;
  readonly l_hat_slope_predicted: number | null;
  readonly mean_l1_in_eos: number | null;
  readonly mean_l1_predicted: number | null;
  readonly warnings: readonly RunWarning[];
}

/** Fits and means are given from more than this many edge-of-stability steps on. */
const LEAST_EDGE_STEPS = 50;

/**
 * Passes batches on and, when the run ends, leaves its `RunSummary` in `batch.run.summary`. Needs the columns of
 * `classifySharpness` and `detectPhases`; stands before `thin`, since a summary is of all steps.
 */
export function summarize(): MonoTypeOperatorFunction<ModelBatch> {
  return (source) =>
    new Observable((subscriber) => {
      let run: ModelRun | undefined;
      let summarizer: Summarizer | undefined;
      return source.subscribe({
        next(batch) {
          run = batch.run;
          summarizer ??= createSummarizer(run.config);
          summarizer.add(batch);
          subscriber.next(batch);
        },
        error: (error: unknown) => subscriber.error(error),
        complete() {
          if (run && summarizer) run.summary = summarizer.finish(run);
          subscriber.complete();
        },
      });
    });
}

export interface Summarizer {
  add(batch: ModelBatch): void;
  finish(run: Pick<ModelRun, 'divergedAt' | 'float64ZeroAt' | 'interrupted'>): RunSummary;
}

/** Accumulates the summary of a run batch by batch, in memory that does not grow with the steps. */
export function createSummarizer(config: RunConfig): Summarizer {
  const { eta, delta, epsilon, moments } = config;
  const tolerated = (2 + delta) / eta;
  const threshold = 2 / eta;
  const { lambda2 } = moments;
  const alphaHat = edgeAlpha(moments.lambda1, eta);

  const spans: { phase: CoarsePhase; first_step: number; last_step: number }[] = [];
  let reached = false;
  let firstCrossing: number | null = null;
  let maxRatio = Number.NEGATIVE_INFINITY;
  let lastViolation = -1;
  let lastStep = -1;
  let finalLoss = Number.NaN;
  let cycles = 0;
  let zeroGfsRatio: number | null = null;
  let lastGfsRatio: number | null = null;

  // Least squares of y = ln L̂ on x = step, both measured from the first edge step, and the means over edge steps.
  let n = 0;
  let x0 = 0;
  let y0 = 0;
  let sumX = 0;
  let sumY = 0;
  let sumXX = 0;
  let sumXY = 0;
  let edgeSteps = 0;
  let sumL1 = 0;
  let sumPredicted = 0;

  return {
    add(batch) {
      const { length, columns } = batch;
      const { step, alpha, beta2, loss, sharpness, phase, cycle } = columns;
      if (!sharpness || !phase || !cycle) throw new TypeError('summarize() must come after detectPhases()');
      const { l1, l_hat: lHat } =
        columns.l1 && columns.l_hat ? { l1: columns.l1, l_hat: columns.l_hat } : lossColumns(batch);
      if (length === 0) return;

      let span = spans.at(-1);
      for (let i = 0; i < length; i++) {
        const t = step[i]!;
        const s = sharpness[i]!;
        if (s > maxRatio) maxRatio = s;
        if (!(loss[i]! <= epsilon && s <= tolerated)) lastViolation = t;

        const coarse = COARSE_OF_CODE[phase[i]!]!;
        if (span === undefined || span.phase !== coarse) {
          span = { phase: coarse, first_step: t, last_step: t };
          spans.push(span);
        }
        span.last_step = t;
        if (coarse !== 'edge-of-stability') continue;

        firstCrossing ??= t;
        edgeSteps++;
        sumL1 += l1[i]!;
        sumPredicted += predictedMeanL1(alpha[i]!, beta2[i]!, lambda2, alphaHat);
        const surrogate = lHat[i]!;
        if (surrogate > 0) {
          const y = Math.log(surrogate);
          if (n === 0) {
            x0 = t;
            y0 = y;
          }
          const x = t - x0;
          n++;
          sumX += x;
          sumY += y - y0;
          sumXX += x * x;
          sumXY += x * (y - y0);
        }
      }
      lastStep = step[length - 1]!;
      finalLoss = loss[length - 1]!;
      cycles = cycle[length - 1]!;
      if (!columns.gfs_sharpness) return;
      lastGfsRatio = columns.gfs_sharpness[length - 1]! / threshold;
      // The step itself may be the first row of the next batch: what is told must not depend on where batches end.
      const zeroAt = batch.run.float64ZeroAt;
      if (zeroAt !== null && zeroGfsRatio === null && zeroAt <= lastStep) {
        zeroGfsRatio = columns.gfs_sharpness[Math.max(0, zeroAt - step[0]!)]! / threshold;
      }
    },

    finish({ divergedAt, float64ZeroAt, interrupted }) {
      reached = maxRatio >= threshold;
      const fitted = edgeSteps > LEAST_EDGE_STEPS;
      const last = spans.at(-1);
      return {
        outcome: outcome(),
        interrupted,
        phases: spans,
        cycles,
        first_crossing: firstCrossing,
        max_sharpness_ratio: 0.5 * (eta * maxRatio),
        diverged_at: divergedAt,
        final_loss: finalLoss,
        last_step: lastStep,
        convergence_time: { delta, epsilon, step: lastViolation < lastStep ? lastViolation + 1 : null },
        l_hat_slope: fitted && n > 1 ? (sumXY - (sumX * sumY) / n) / (sumXX - (sumX * sumX) / n) : null,
        l_hat_slope_predicted: fitted ? predictedSlope(moments) : null,
        mean_l1_in_eos: fitted ? sumL1 / edgeSteps : null,
        mean_l1_predicted: fitted ? sumPredicted / edgeSteps : null,
        warnings: warnings(),
      };

      function outcome(): Outcome {
        if (divergedAt !== null) return 'diverged';
        if (!reached) return 'gradient-flow';
        return last?.phase === 'convergence' ? 'converged' : 'edge-of-stability';
      }

      function warnings(): RunWarning[] {
        const all: RunWarning[] = [];
        if (float64ZeroAt !== null) all.push(underflowWarning(float64ZeroAt, zeroGfsRatio ?? lastGfsRatio));
        if (moments.covariance !== 0 && firstCrossing !== null) all.push(rounding(firstCrossing));
        if (interrupted) {
          all.push({
            kind: 'interrupted',
            step: lastStep,
            message: `interrupted after step ${lastStep} of ${config.steps}`,
          });
        }
        return all;
      }
    },
  };
}

/** What plain float64 would have done: hold β₁ at 0 for good, and follow gradient flow to its end. */
export function underflowWarning(step: number, gfsRatio: number | null): RunWarning {
  const fate =
    gfsRatio === null
      ? 'and would never oscillate again'
      : gfsRatio > 1
        ? `and would seem to converge to a minimum of sharpness ${gfsRatio.toFixed(2)} × 2/η, which gradient descent cannot hold`
        : `and would never oscillate again (harmless here: its minimum has sharpness ${gfsRatio.toFixed(2)} × 2/η)`;
  return {
    kind: 'float64-underflow',
    step,
    message: `β₁ is too small for float64 at step ${step}: a plain float64 run would hold it as 0 from here on ${fate}`,
  };
}

function rounding(step: number): RunWarning {
  return {
    kind: 'not-reproducible',
    step,
    message: `covariance is not 0: past the first crossing of 2/η at step ${step}, rounding seeds the oscillation, and another program gets other digits`,
  };
}

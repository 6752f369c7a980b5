import { type MonoTypeOperatorFunction, Observable } from 'rxjs';
import { resumedState, type StageState, type StateReader, withState } from '../core/checkpoint.ts';
import type { RunConfig } from '../models/minimal/config.ts';
import { edgeAlpha, predictedMeanL1 } from '../models/minimal/surrogate.ts';
import { log } from '../numeric/elementary.ts';
import type { ModelBatch, ModelRun } from '../sources/descent/gradient-descent.ts';
import {
  COARSE_OF_CODE,
  countPhase,
  emptyTally,
  logNear,
  NEAR,
  type RunSummary,
  storedTally,
  summaryOf,
  type Tally,
} from './run-summary.ts';
import { lossColumns } from './split-loss.ts';

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
          run.summarized = true;
          try {
            summarizer ??= createSummarizer(run.config, resumedState(run, SUMMARIZE));
            summarizer.add(batch);
          } catch (error) {
            subscriber.error(error);
            return;
          }
          subscriber.next(withState(batch, SUMMARIZE, summarizer.snapshot()));
        },
        error: (error: unknown) => subscriber.error(error),
        complete() {
          if (run && summarizer) run.summary = summarizer.finish(run);
          subscriber.complete();
        },
      });
    });
}

/**
 * `summarize` for where nobody else has: it leaves a run alone that is summarised already, or of which not all steps and
 * columns come by.
 */
export function summarizeUnlessDone(): MonoTypeOperatorFunction<ModelBatch> {
  return (source) =>
    new Observable((subscriber) => {
      let run: ModelRun | undefined;
      let summarizer: Summarizer | undefined;
      let next = 0;
      let fit = true;
      return source.subscribe({
        next(batch) {
          const { columns, length } = batch;
          run = batch.run;
          fit &&=
            !run.summarized &&
            !run.resumed &&
            columns.sharpness !== undefined &&
            columns.phase !== undefined;
          fit &&=
            length === 0 ||
            (columns.step[0] === next && columns.step[length - 1] === next + length - 1);
          next += length;
          if (fit) {
            summarizer ??= createSummarizer(run.config);
            summarizer.add(batch);
          }
          subscriber.next(batch);
        },
        error: (error: unknown) => subscriber.error(error),
        complete() {
          if (run && summarizer && fit) run.summary = summarizer.finish(run);
          subscriber.complete();
        },
      });
    });
}

/** Name of the summary's state in a checkpoint. */
export const SUMMARIZE = 'summarize';

export interface Summarizer {
  add(batch: ModelBatch): void;
  /** Remembers where the summary stands now; the state itself is made only where it is asked for. */
  snapshot(): () => StageState;
  finish(run: Pick<ModelRun, 'divergedAt' | 'float64ZeroAt' | 'interrupted'>): RunSummary;
}

/**
 * Accumulates the summary of a run batch by batch, in memory that does not grow with the steps.
 *
 * @param saved state of an earlier summary, to go on from there
 */
export function createSummarizer(config: RunConfig, saved?: StateReader): Summarizer {
  const tally = saved ? storedTally(saved) : emptyTally();
  return {
    add: (batch) => addRows(tally, batch),
    snapshot() {
      const { spans, ...numbers } = tally;
      const count = spans.length;
      // Only the last span still changes, and it ends at the last step.
      return () => ({
        spans: spans
          .slice(0, count)
          .map((span, i) => (i === count - 1 ? { ...span, last_step: numbers.lastStep } : span)),
        ...numbers,
      });
    },
    finish: (run) => summaryOf(tally, config, run),
  };
}

function addRows(tally: Tally, batch: ModelBatch): void {
  const { length, columns } = batch;
  const { step, alpha, beta2, loss, sharpness, phase, cycle } = columns;
  if (!sharpness || !phase || !cycle)
    throw new TypeError('summarize() must come after detectPhases()');
  if (length === 0) return;
  const { l1, l_hat: lHat } =
    columns.l1 && columns.l_hat ? { l1: columns.l1, l_hat: columns.l_hat } : lossColumns(batch);
  const { eta, delta, epsilon, moments } = batch.run.config;
  const tolerated = (2 + delta) / eta;
  const { lambda1, lambda2 } = moments;
  const alphaHat = edgeAlpha(lambda1, eta);
  let {
    maxSharpness,
    lastViolation,
    n,
    x0,
    y0,
    sumX,
    sumY,
    sumXX,
    sumXY,
    reference,
    logReference,
  } = tally;
  let { edgeSteps, sumL1, sumPredicted } = tally;
  let inverse = 1 / reference;
  let code = -1;
  let edge = false;

  for (let i = 0; i < length; i++) {
    const t = step[i]!;
    const s = sharpness[i]!;
    if (s > maxSharpness) maxSharpness = s;
    if (!(loss[i]! <= epsilon && s <= tolerated)) lastViolation = t;
    if (phase[i] !== code) {
      code = phase[i]!;
      edge = COARSE_OF_CODE[code] === 'edge-of-stability';
      if (i > 0) countPhase(tally.spans, COARSE_OF_CODE[phase[i - 1]!]!, step[i - 1]!);
      countPhase(tally.spans, COARSE_OF_CODE[code]!, t);
    }
    if (!edge) continue;

    tally.firstCrossing ??= t;
    edgeSteps++;
    sumL1 += l1[i]!;
    sumPredicted += predictedMeanL1(alpha[i]!, beta2[i]!, lambda2, alphaHat);
    const surrogate = lHat[i]!;
    if (surrogate > 0) {
      let z = (surrogate - reference) * inverse;
      if (!(Math.abs(z) < NEAR)) {
        reference = surrogate;
        inverse = 1 / reference;
        logReference = log(surrogate);
        z = 0;
      }
      const y = logReference + logNear(z);
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
  const last = length - 1;
  countPhase(tally.spans, COARSE_OF_CODE[code]!, step[last]!);
  Object.assign(tally, {
    maxSharpness,
    lastViolation,
    n,
    x0,
    y0,
    sumX,
    sumY,
    sumXX,
    sumXY,
    reference,
    logReference,
  });
  Object.assign(tally, {
    edgeSteps,
    sumL1,
    sumPredicted,
    cycles: cycle[last]!,
    finalLoss: loss[last]!,
  });
  tally.lastStep = step[last]!;
  if (!columns.gfs_sharpness) return;
  tally.lastGfsRatio = (columns.gfs_sharpness[last]! * eta) / 2;
  // The step itself may be the first row of the next batch: what is told must not depend on where batches end.
  const zeroAt = batch.run.float64ZeroAt;
  if (zeroAt !== null && tally.zeroGfsRatio === null && zeroAt <= tally.lastStep) {
    tally.zeroGfsRatio = (columns.gfs_sharpness[Math.max(0, zeroAt - step[0]!)]! * eta) / 2;
  }
}

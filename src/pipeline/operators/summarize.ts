import { defer, type MonoTypeOperatorFunction, map, tap } from 'rxjs';
import type { Batch } from '../core/batch.ts';
import { operator, withStage } from '../core/operator.ts';
import { checkNothing } from '../core/own-option.ts';
import type { Run } from '../core/run.ts';
import { TRUSTED_DIGITS } from '../models/minimal/agreement.ts';
import { spectrum } from '../models/minimal/moments.ts';
import type { ModelBatch, ModelRun } from '../models/minimal/run.ts';
import { balance, solutionSharpness } from '../models/minimal/solution.ts';
import {
  COARSE_OF_CODE,
  countPhase,
  emptyTally,
  logNear,
  NEAR,
  storedTally,
  summaryOf,
  type Tally,
} from '../models/minimal/summary.ts';
import { edgeAlpha, predictedMeanL1, surrogateLoss } from '../models/minimal/surrogate.ts';
import { log } from '../numeric/elementary.ts';

const STAGE = 'summarize';

/**
 * Leaves the `RunSummary` of all steps in `run.summary` when the run ends, in memory that does not
 * grow with the steps. Stands before `thin`.
 */
export const summarize = (...nothing: []) => {
  checkNothing('summarize', nothing);
  return operator({
    name: STAGE,
    needs: {
      step: 'gradientDescent',
      alpha: 'gradientDescent',
      beta1: 'gradientDescent',
      beta2: 'gradientDescent',
      loss: 'gradientDescent',
      sharpness: 'classifySharpness',
      phase: 'detectPhases',
      cycle: 'detectPhases',
    },
    uses: ['l1', 'l_hat', 'gfs_sharpness', 'digits'],
    adds: [],
    start(run: ModelRun, saved) {
      const { config, stability } = run;
      const tally = saved ? storedTally(saved) : emptyTally();
      return {
        next: (columns, length) => addRows(tally, run, columns, length),
        state() {
          const { spans, ...numbers } = tally;
          const count = spans.length;
          // Only the last span still changes, and it ends at the last step.
          return () => ({
            spans: spans
              .slice(0, count)
              .map((span, i) =>
                i === count - 1 ? { ...span, last_step: numbers.lastStep } : span,
              ),
            ...numbers,
          });
        },
        finish: (end) =>
          summaryOf(tally, config, stability, {
            ...end,
            float64ZeroAt: run.float64ZeroAt,
            bits: run.bits,
          }),
      };
    },
  });
};

/**
 * `summarize` for where nobody else has: it leaves runs alone of which not all steps and columns
 * come by.
 */
export function summarizeUnlessDone<C, R extends Run>(): MonoTypeOperatorFunction<Batch<C, R>> {
  return (source) =>
    defer(() => {
      let summary: Summary | undefined;
      return source.pipe(
        map((batch) => {
          summary ??= isModelBatch(batch) ? wholeRunSummary(batch.run) : NO_SUMMARY;
          return summary.add(batch);
        }),
        tap({ complete: () => summary?.finish() }),
      );
    });
}

interface Summary {
  add<B extends Batch<unknown>>(batch: B): B;
  finish(): void;
}

const NO_SUMMARY: Summary = { add: (batch) => batch, finish() {} };

function isModelBatch(batch: Batch<unknown>): batch is ModelBatch {
  const { run, columns } = batch;
  if (run.summarized || (run.resumed && !run.resumed?.(STAGE))) return false;
  return Object.keys(summarize().definition.needs).every((name) =>
    Object.hasOwn(columns as object, name),
  );
}

/** What is stored of it is that of `summarize`: whoever resumes the run goes on with that. */
function wholeRunSummary(run: ModelRun): Summary {
  const { definition } = summarize();
  const saved = run.resumed?.(STAGE);
  const stage = definition.start(run, saved);
  let next = saved ? saved.number('lastStep') + 1 : 0;
  let whole = true;
  run.summarized = true;
  return {
    add(batch) {
      const { length } = batch;
      const { step } = batch.columns as ModelBatch['columns'];
      whole &&= length === 0 || (step[0] === next && step[length - 1] === next + length - 1);
      next += length;
      if (!whole) return batch;
      stage.next(batch.columns as never, length, {});
      return batch.after
        ? { ...batch, after: withStage(batch.after, definition, run, stage) }
        : batch;
    },
    finish() {
      if (whole)
        run.summary = { ...run.summary, ...stage.finish?.(run) } as ModelRun['summary'] & {};
    },
  };
}

type Columns = Readonly<
  Record<
    'step' | 'alpha' | 'beta1' | 'beta2' | 'loss' | 'sharpness' | 'phase' | 'cycle',
    ArrayLike<number>
  >
> &
  Partial<Readonly<Record<'l1' | 'l_hat' | 'gfs_sharpness' | 'digits', ArrayLike<number>>>>;

function addRows(tally: Tally, run: ModelRun, columns: Columns, length: number): void {
  if (length === 0) return;
  const { step, alpha, beta1, beta2, loss, sharpness, phase, cycle, l1, l_hat: lHat } = columns;
  const { stability, float64ZeroAt: zeroAt } = run;
  const { eta, delta, epsilon, moments } = run.config;
  const tolerated = stability.threshold(eta, delta);
  const { lambda1, lambda2 } = moments;
  const alphaHat = edgeAlpha(lambda1, eta, stability);
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

  // Each in a pass of its own, which is short enough to stay in registers.
  for (let i = 0; i < length; i++) {
    const s = sharpness[i]!;
    if (s > maxSharpness) maxSharpness = s;
  }
  let violating = length - 1;
  while (violating >= 0 && loss[violating]! <= epsilon && sharpness[violating]! <= tolerated)
    violating--;
  if (violating >= 0) lastViolation = step[violating]!;

  for (let first = 0; first < length; ) {
    const code = phase[first]!;
    let end = first + 1;
    while (end < length && phase[end] === code) end++;
    const coarse = COARSE_OF_CODE[code]!;
    countPhase(tally.spans, coarse, step[first]!);
    countPhase(tally.spans, coarse, step[end - 1]!);
    const edge = coarse === 'edge-of-stability';
    if (edge) tally.firstCrossing ??= step[first]!;
    for (let i = edge ? first : end; i < end; i++) {
      const t = step[i]!;
      edgeSteps++;
      sumL1 += l1 ? l1[i]! : oscillatory(lambda1, alpha[i]! * beta1[i]!);
      sumPredicted += predictedMeanL1(alpha[i]!, beta2[i]!, lambda2, alphaHat);
      const surrogate = lHat ? lHat[i]! : surrogateLoss(alpha[i]!, beta2[i]!, lambda2, alphaHat);
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
    first = end;
  }
  const last = length - 1;
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
  const flowEnd = (row: number) =>
    stability.ratio(
      columns.gfs_sharpness?.[row] ??
        solutionSharpness(
          balance({ alpha: alpha[row]!, beta1: beta1[row]!, beta2: beta2[row]! }),
          moments,
          spectrum(moments),
        ),
      eta,
    );
  tally.lastGfsRatio = flowEnd(last);
  if (columns.digits && tally.trustedUntil === null) {
    const { digits } = columns;
    let row = 0;
    while (row < length && digits[row]! >= TRUSTED_DIGITS) row++;
    if (row < length) tally.trustedUntil = step[row]! - 1;
  }
  // The step itself may be the first row of the next batch: what is told must not depend on where
  // batches end.
  if (zeroAt !== null && tally.zeroGfsRatio === null && zeroAt <= tally.lastStep) {
    let row = 0;
    while (row < last && step[row]! < zeroAt) row++;
    tally.zeroGfsRatio = flowEnd(row);
  }
}

function oscillatory(lambda1: number, p: number): number {
  return 0.5 * lambda1 * (p * p);
}

import { type MonoTypeOperatorFunction, Observable } from 'rxjs';
import { checkBatches } from '../core/batch.ts';
import { withState } from '../core/checkpoint.ts';
import { checkCallable } from '../core/options.ts';
import type { Link } from '../core/stored-pipeline.ts';
import { TRUSTED_DIGITS } from '../models/minimal/agreement.ts';
import { COARSE_PHASES, type CoarsePhase } from '../models/minimal/coarse-phases.ts';
import type { ModelBatch, ModelRun } from '../models/minimal/run.ts';
import {
  COARSE_OF_CODE,
  chaoticWarning,
  crossingWarnings,
  type RunSummary,
  type RunWarning,
  underflowWarning,
} from '../models/minimal/summary.ts';

/**
 * What a run has to tell while it goes. Steps are t, ratio is sharpness over threshold, overshoot
 * is the largest ratio of a cycle − 1.
 */
export type RunEvent =
  | {
      readonly event: 'start';
      readonly step: number;
      readonly eta: number;
      readonly optimizer: string;
      readonly threshold: number;
      /** The formula of the threshold. */
      readonly formula: string;
      readonly steps: number;
      readonly sharpness: number;
      readonly ratio: number;
      readonly loss: number;
    }
  | {
      readonly event: 'phase';
      readonly step: number;
      readonly phase: CoarsePhase;
      readonly sharpness: number;
      readonly ratio: number;
      readonly loss: number;
      /** There where rows up to here have too few true digits. */
      readonly trusted?: false;
    }
  | {
      readonly event: 'cycle';
      readonly step: number;
      readonly cycle: number;
      readonly first_step: number;
      readonly last_step: number;
      readonly peak_l1: number;
      readonly peak_step: number;
      readonly overshoot: number;
      /** There where rows up to its end have too few true digits. */
      readonly trusted?: false;
    }
  | {
      /**
       * The file holds its first `rows` rows, up to this step, whatever happens to the program now.
       */
      readonly event: 'flush';
      readonly file: string;
      readonly step: number;
      readonly rows: number;
    }
  | ({ readonly event: 'warning' } & RunWarning)
  | ({ readonly event: 'done' } & RunSummary);

const STAGE = 'phaseLog';

interface OpenCycle {
  readonly cycle: number;
  readonly first: number;
  last: number;
  peak: number;
  peakStep: number;
  maxRatio: number;
}

/**
 * Reports the run while it passes: its start, each change of phase, each cycle once it is over
 * (with its peak of L₁ and how far S overshot the threshold), warnings, and at the end its summary.
 * Needs `splitLoss`, `classifySharpness`, `detectPhases`, and `summarize` for the last; stands
 * before `thin`.
 *
 * @param stores whether a checkpoint holds what has been told, for a run that goes on from there
 */
export function phaseLog(
  report: (event: RunEvent) => void,
  stores = true,
): MonoTypeOperatorFunction<ModelBatch> {
  checkCallable('phaseLog: report', report);
  return (source) =>
    new Observable((subscriber) => {
      let run: ModelRun | undefined;
      let started = false;
      let phase: CoarsePhase | undefined;
      let open: OpenCycle | undefined;
      /** Warnings that have been told already: of float64, and of the first crossing. */
      let warned = false;
      let crossed = false;
      /** Whether rows with too few true digits have passed. */
      let untrusted = false;

      const told = (kind: RunWarning['kind']) => {
        if (kind === 'float64-underflow') return warned;
        return kind === 'chaotic' ? untrusted : crossed && kind === 'no-oscillation';
      };

      const doubt = () => (untrusted ? { trusted: false as const } : {});

      const closeCycle = () => {
        if (!open) return;
        const { cycle, first, last, peak, peakStep, maxRatio } = open;
        report({
          event: 'cycle',
          step: last,
          cycle,
          first_step: first,
          last_step: last,
          peak_l1: peak,
          peak_step: peakStep,
          overshoot: maxRatio - 1,
          ...doubt(),
        });
        open = undefined;
      };

      const resume = (resumed: ModelRun) => {
        // A pipeline without a log has stored nothing about it: it begins to tell here.
        const saved = resumed.resumed?.(STAGE);
        if (!saved) return;
        phase = saved.wordOrNull('phase', COARSE_PHASES) ?? undefined;
        warned = saved.flag('warned');
        crossed = saved.flag('crossed');
        untrusted = saved.flag('untrusted');
        const cycle = saved.recordOrNull('open');
        if (!cycle) return;
        open = {
          cycle: cycle.number('cycle'),
          first: cycle.number('first'),
          last: cycle.number('last'),
          peak: cycle.number('peak'),
          peakStep: cycle.number('peakStep'),
          maxRatio: cycle.number('maxRatio'),
        };
      };

      const read = (batch: ModelBatch) => {
        const { columns, length } = batch;
        const { step, loss, l1, sharpness, sharpness_ratio: ratio, phase: codes, cycle } = columns;
        const { digits } = columns;
        if (!l1 || !sharpness || !ratio || !codes || !cycle) {
          throw new TypeError(
            'phaseLog() must come after splitLoss(), classifySharpness() and detectPhases()',
          );
        }
        if (run === undefined) {
          run = batch.run;
          resume(run);
        }
        let warnAt = warned
          ? Number.POSITIVE_INFINITY
          : (batch.run.float64ZeroAt ?? Number.POSITIVE_INFINITY);
        for (let i = 0; i < length; i++) {
          const t = step[i]!;
          if (t >= warnAt) {
            warnAt = Number.POSITIVE_INFINITY;
            warned = true;
            const gfs = columns.gfs_sharpness?.[i];
            const { config, stability } = batch.run;
            const gfsRatio = gfs === undefined ? null : stability.ratio(gfs, config.eta);
            report({ event: 'warning', ...underflowWarning(batch.run.float64ZeroAt!, gfsRatio) });
          }
          if (digits && !untrusted && digits[i]! < TRUSTED_DIGITS) {
            untrusted = true;
            report({ event: 'warning', ...chaoticWarning(t - 1, batch.run.bits) });
          }
          const coarse = COARSE_OF_CODE[codes[i]!]!;
          if (!started) {
            started = true;
            const { eta, steps } = batch.run.config;
            const { stability } = batch.run;
            const start = {
              ...{ step: t, eta, steps, optimizer: stability.optimizer },
              ...{ threshold: stability.threshold(eta), formula: stability.formula },
            };
            report({
              event: 'start',
              ...start,
              sharpness: sharpness[i]!,
              ratio: ratio[i]!,
              loss: loss[i]!,
            });
          }
          const number = cycle[i]!;
          if (number > 0 && number !== open?.cycle) {
            closeCycle();
            open = {
              cycle: number,
              first: t,
              last: t,
              peak: l1[i]!,
              peakStep: t,
              maxRatio: ratio[i]!,
            };
          }
          if (coarse !== phase) {
            phase = coarse;
            report({
              event: 'phase',
              step: t,
              phase,
              sharpness: sharpness[i]!,
              ratio: ratio[i]!,
              loss: loss[i]!,
              ...doubt(),
            });
            if (phase === 'edge-of-stability' && !crossed) {
              crossed = true;
              for (const warning of crossingWarnings(batch.run.config, t))
                report({ event: 'warning', ...warning });
            }
          }
          if (!open) continue;
          open.last = t;
          if (l1[i]! > open.peak) {
            open.peak = l1[i]!;
            open.peakStep = t;
          }
          if (ratio[i]! > open.maxRatio) open.maxRatio = ratio[i]!;
        }
      };

      return source.pipe(checkBatches(STAGE)).subscribe({
        next(batch) {
          try {
            read(batch);
          } catch (error) {
            subscriber.error(error);
            return;
          }
          const state = {
            ...{ phase: phase ?? null, warned, crossed, untrusted },
            open: open ? { ...open } : null,
          };
          subscriber.next(stores ? withState(batch, STAGE, () => state) : batch);
        },
        error: (error: unknown) => subscriber.error(error),
        complete() {
          closeCycle();
          if (run?.summary) {
            for (const warning of run.summary.warnings) {
              if (!told(warning.kind)) report({ event: 'warning', ...warning });
            }
            report({ event: 'done', ...run.summary });
          }
          subscriber.complete();
        },
      });
    });
}

/** The same as a link of a chain. */
export const phaseLogLink = (report: (event: RunEvent) => void, stores = true): Link => ({
  name: STAGE,
  needs: ['l1', 'sharpness', 'sharpness_ratio', 'phase', 'cycle'],
  adds: [],
  apply: phaseLog(report, stores),
});

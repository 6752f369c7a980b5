import { operator } from '../core/operator.ts';
import { MEASURED_PHASES, measuredColumns } from '../phases/measured/columns.ts';
import { createSeriesDetector, type RowPhase } from '../phases/measured/detector.ts';
import type { SeriesPhase } from '../phases/measured/phase-spans.ts';
import type { Spike } from '../phases/measured/spikes.ts';
import type {
  MeasuredRun,
  MeasuredSummary,
  MeasuredWarning,
  Skipped,
} from '../phases/measured/summary.ts';

/** What a log has to tell while it goes. Steps as the log counts them; ratio is sharpness over threshold. */
export type MeasuredEvent =
  | {
      readonly event: 'start';
      readonly step: number;
      /** The name of the log or of the model. */
      readonly log: string;
      readonly eta: number | null;
      readonly threshold: number | null;
      readonly optimizer: string;
      readonly sharpness: number | null;
      readonly ratio: number | null;
      readonly loss: number | null;
    }
  | {
      readonly event: 'phase';
      /** Since when, as dated; `detected_step` is when it was known. */
      readonly step: number;
      readonly detected_step: number;
      readonly phase: SeriesPhase;
      readonly confidence: number;
      readonly sharpness: number | null;
      readonly ratio: number | null;
      readonly loss: number | null;
    }
  | {
      readonly event: 'cycle';
      readonly step: number;
      readonly cycle: number;
      readonly ratio: number | null;
    }
  | ({ readonly event: 'spike' } & Spike)
  | {
      /** The file holds its first `rows` rows, up to this step, whatever happens to the program now. */
      readonly event: 'flush';
      readonly file: string;
      readonly step: number;
      readonly rows: number;
    }
  | ({ readonly event: 'warning' } & MeasuredWarning)
  | ({ readonly event: 'done' } & MeasuredSummary);

const CODE = Object.fromEntries(MEASURED_PHASES.map((phase, code) => [phase, code])) as Readonly<
  Record<RowPhase, number>
>;
const MOST_SPIKES = 1000;

/**
 * Adds the `phase` and the `cycle` of each row, causally, found from the measured loss and sharpness; its part of the
 * summary dates the phases with all in view.
 *
 * @param report told of each event as it happens
 */
export const detectMeasuredPhases = (report: (event: MeasuredEvent) => void = () => {}) =>
  operator({
    name: 'detectMeasuredPhases',
    needs: {
      step: 'trainingLog',
      eta: 'trainingLog',
      loss: 'trainingLog',
      sharpness: 'trainingLog',
      threshold: 'relateToThreshold',
      sharpness_ratio: 'relateToThreshold',
    },
    adds: measuredColumns('phase', 'cycle'),
    start(run: MeasuredRun) {
      const { config, title } = run;
      const detector = createSeriesDetector(config.detector);
      const spikes: Spike[] = [];
      let spikeCount = 0;
      let rows = 0;
      let cycle = 0;
      let finalLoss = Number.NaN;
      let lastStep = Number.NaN;
      let sharpness = Number.NaN;
      let ratio = Number.NaN;

      function tell(spike: Spike): void {
        spikeCount++;
        if (spikes.length < MOST_SPIKES) spikes.push(spike);
        report({ event: 'spike', ...spike });
      }

      return {
        next(columns, length, { phase, cycle: cycles }) {
          const { step, loss, sharpness: measured, sharpness_ratio: ratios } = columns;
          if (rows === 0 && length > 0) {
            report({
              event: 'start',
              step: step[0]!,
              log: title,
              eta: known(columns.eta[0]!),
              threshold: known(columns.threshold[0]!),
              optimizer: config.optimizer,
              sharpness: known(measured[0]!),
              ratio: known(ratios[0]!),
              loss: known(loss[0]!),
            });
          }
          for (let i = 0; i < length; i++) {
            const t = step[i]!;
            const l = loss[i]!;
            if (!Number.isNaN(measured[i]!)) {
              sharpness = measured[i]!;
              ratio = ratios[i]!;
            }
            phase[i] = CODE[detector.next(t, l, ratios[i]!)];
            cycles[i] = detector.cycle;
            const { change, spike } = detector;
            if (change) {
              report({
                event: 'phase',
                step: change.since,
                detected_step: t,
                phase: change.phase,
                confidence: round(change.confidence),
                sharpness: known(sharpness),
                ratio: known(ratio),
                loss: known(l),
              });
            }
            if (detector.cycle !== cycle) {
              cycle = detector.cycle;
              report({ event: 'cycle', step: t, cycle, ratio: known(ratio) });
            }
            if (spike) tell(spike);
            if (!Number.isNaN(l)) finalLoss = l;
          }
          rows += length;
          if (length > 0) lastStep = step[length - 1]!;
        },
        finish({ interrupted }) {
          const { phases, maxRatio, divergedAt, measured, spike } = detector.finish();
          if (spike) tell(spike);
          const reached = phases.find(
            ({ phase }) => phase === 'edge-of-stability' || phase === 'catapult',
          );
          const last = phases.at(-1)?.phase;
          const warnings: MeasuredWarning[] = [...run.warnings];
          const warn = (kind: MeasuredWarning['kind'], message: string) =>
            warnings.push({ kind, step: lastStep, message });
          if (measured === 0) {
            warn(
              'loss-only',
              'no sharpness was logged: phases are guessed from the loss alone, sharpening and ratios stay unknown, and the edge shows only once the loss has spiked or risen',
            );
          }
          for (const skipped of run.tally.entries) warn('skipped', skippedText(skipped));
          if (interrupted) warn('interrupted', `interrupted after step ${lastStep}`);
          const summary: MeasuredSummary = {
            outcome:
              divergedAt !== null
                ? 'diverged'
                : reached
                  ? last === 'convergence'
                    ? 'converged'
                    : 'edge-of-stability'
                  : measured === 0
                    ? 'unknown'
                    : 'gradient-flow',
            interrupted,
            phases: phases.map((span) => ({ ...span, confidence: round(span.confidence) })),
            cycles: cycle,
            first_crossing: reached?.first_step ?? null,
            max_sharpness_ratio: measured === 0 ? null : maxRatio,
            diverged_at: divergedAt,
            final_loss: finalLoss,
            last_step: lastStep,
            rows,
            measured,
            spike_count: spikeCount,
            spikes,
            skipped: run.tally.entries,
            warnings,
          };
          for (const warning of warnings) report({ event: 'warning', ...warning });
          report({ event: 'done', ...summary });
          return summary;
        },
      };
    },
  });

function skippedText({ what, reason, count, first_line: line }: Skipped): string {
  const where =
    count === 1 ? `1 ${what} (line ${line})` : `${count} ${what}s (the first in line ${line})`;
  return `left out ${where}: ${reason}`;
}

function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}

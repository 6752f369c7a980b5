import { operator } from '../core/operator.ts';
import { checkCallable } from '../core/options.ts';
import type { RunEnd } from '../core/run.ts';
import { count } from '../format.ts';
import { MEASURED_PHASES, measuredColumns } from '../phases/measured/columns.ts';
import {
  createRowsDetector,
  type Jump,
  type RowPhase,
  type SeriesDetector,
  type SeriesResult,
  type SeriesState,
} from '../phases/measured/detector.ts';
import type { PhaseChange, SeriesPhase } from '../phases/measured/phase-spans.ts';
import type { ExplainedSpike } from '../phases/measured/spike-cause.ts';
import { createSpikeExplainer, type ExplainerState } from '../phases/measured/spike-explainer.ts';
import { MOST_SPIKES } from '../phases/measured/spike-text.ts';
import type { Spike } from '../phases/measured/spikes.ts';
import type {
  MeasuredRun,
  MeasuredSummary,
  MeasuredWarning,
  Skipped,
} from '../phases/measured/summary.ts';

/**
 * What a log has to tell while it goes. Steps as the log counts them; ratio is sharpness over
 * threshold.
 */
export type MeasuredEvent =
  | {
      readonly event: 'start';
      readonly step: number;
      readonly log: string;
      readonly eta: number | null;
      readonly threshold: number | null;
      readonly optimizer: string;
      /** Which column was taken as what. */
      readonly columns: Readonly<Record<string, string>>;
      readonly sharpness: number | null;
      readonly ratio: number | null;
      readonly loss: number | null;
    }
  | {
      readonly event: 'phase';
      /** Whether the phase is new, dated anew, or was told and is no longer held to be true. */
      readonly what: PhaseChange['what'];
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
  /** The threshold jumped, as with the learning rate: history and noise start anew. */
  | ({ readonly event: 'jump' } & Jump)
  /** With its cause, where the log tells the energy at the edge. */
  | ({ readonly event: 'spike' } & (Spike | ExplainedSpike))
  | {
      /**
       * The file holds its first `rows` rows, up to this step, whatever happens to the program now.
       */
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

/** Written out: V8 gives copies of another object new shapes, and compiles anew for each. */
const seenSo = (stored?: Seen): { -readonly [Name in keyof Seen]: Seen[Name] } => ({
  spikeCount: stored?.spikeCount ?? 0,
  rows: stored?.rows ?? 0,
  cycle: stored?.cycle ?? 0,
  finalLoss: stored?.finalLoss ?? Number.NaN,
  lastStep: stored?.lastStep ?? Number.NaN,
  sharpness: stored?.sharpness ?? Number.NaN,
  ratio: stored?.ratio ?? Number.NaN,
  loss: stored?.loss ?? Number.NaN,
  least: stored?.least ?? Number.NaN,
  most: stored?.most ?? Number.NaN,
  isRate: stored?.isRate ?? true,
});

/** What is counted and last seen of a series. */
interface Seen {
  readonly spikeCount: number;
  readonly rows: number;
  readonly cycle: number;
  readonly finalLoss: number;
  readonly lastStep: number;
  readonly sharpness: number;
  readonly ratio: number;
  readonly loss: number;
  readonly least: number;
  readonly most: number;
  /** Whether the sharpness was the learning rate in all rows. */
  readonly isRate: boolean;
}

/** Everything that a stage keeps; JSON can hold it. */
interface PhasesState extends Seen {
  readonly detector: SeriesState;
  readonly spikes: Spike[];
  readonly explainer?: ExplainerState;
}

/**
 * Adds the `phase` and the `cycle` of each row, causally, and when the log ends leaves its summary
 * in `run.summary`. Where a log tells `sharpness_error`, that is the noise of the sharpness; where
 * it tells `l1`, spikes have causes.
 *
 * @param report told of each event as it happens
 */
export const detectMeasuredPhases = (report: (event: MeasuredEvent) => void = () => {}) => {
  checkCallable('detectMeasuredPhases: report', report);
  return operator({
    name: 'detectMeasuredPhases',
    needs: {
      step: 'trainingLog',
      eta: 'trainingLog',
      loss: 'trainingLog',
      sharpness: 'trainingLog',
      threshold: 'relateToThreshold',
      sharpness_ratio: 'relateToThreshold',
    },
    uses: ['sharpness_error', 'l1', 'l1_leading', 'edge_directions'],
    adds: measuredColumns('phase', 'cycle'),
    start(run: MeasuredRun, saved) {
      const stored = structuredClone(saved?.raw('state')) as PhasesState | undefined;
      const { handed } = run;
      const detector = createRowsDetector(run.config.detector, stored?.detector, {
        handsOn: handed !== undefined,
      });
      const spikes: (Spike | ExplainedSpike)[] = stored?.spikes ?? [];
      /** Of a log that tells its energy at the edge, from when on it does. */
      let explainer = stored?.explainer && newExplainer(stored.explainer);
      const now = seenSo(stored);
      /** The label of the last row, and its code. */
      let [label, code] = ['', 0];
      /** A stage that only sums up what is stored has told all of it before. */
      let live = false;

      function tellChanges(changes: readonly PhaseChange[]): void {
        for (const { what, phase, since, step, confidence } of live ? changes : [])
          report({
            event: 'phase',
            what,
            step: since,
            detected_step: step,
            phase,
            confidence: round(confidence),
            sharpness: known(now.sharpness),
            ratio: known(now.ratio),
            loss: known(now.loss),
          });
      }

      function newExplainer(from?: ExplainerState) {
        return createSpikeExplainer(
          run.stability,
          run.config.eigenvalues ?? Number.POSITIVE_INFINITY,
          from,
          run.config.batches,
        );
      }

      function tellSpike(found: Spike, at: number): void {
        handed?.push({ at, spike: found });
        const spike = explainer ? explainer.explain(found) : found;
        now.spikeCount++;
        if (spikes.length < MOST_SPIKES) spikes.push(spike);
        if (live) report({ event: 'spike', ...spike });
      }

      function tellRow(step: number, { jump, changes, spike, cycle }: SeriesDetector): void {
        if (jump) report({ event: 'jump', ...jump });
        if (changes.length > 0) tellChanges(changes);
        if (cycle !== now.cycle) {
          now.cycle = cycle;
          report({ event: 'cycle', step, cycle, ratio: known(now.ratio) });
        }
        if (spike) tellSpike(spike, step);
      }

      return {
        next(columns, length, { phase, cycle: cycles }) {
          const {
            step,
            eta,
            threshold,
            sharpness_ratio: ratios,
            sharpness_error: errors,
          } = columns;
          live = true;
          if (now.rows === 0 && length > 0)
            report({
              event: 'start',
              step: step[0]!,
              log: run.title,
              eta: known(eta[0]!),
              threshold: known(threshold[0]!),
              optimizer: run.config.optimizer,
              columns: { ...run.tally.columns },
              sharpness: known(columns.sharpness[0]!),
              ratio: known(columns.sharpness_ratio[0]!),
              loss: known(columns.loss[0]!),
            });
          if (columns.l1 && run.tally.columns?.l1 !== undefined) explainer ??= newExplainer();
          const { loss: losses, sharpness: sharpnesses } = columns;
          const rows = { step, loss: losses, sharpness_ratio: ratios, threshold };
          const told = {
            ...{ step, eta, loss: losses, sharpness: sharpnesses, sharpness_ratio: ratios },
            l1: columns.l1,
            edge_directions: columns.edge_directions,
            l1_leading: columns.l1_leading,
          };
          /** Rows that the explainer has. */
          let taken = 0;
          for (let i = 0; i < length; i++) {
            // What is not measured is most of most logs: nothing happens in it but a spike.
            const quiet = label === '' ? i : detector.nextQuiet(rows, i, length);
            if (quiet > i) {
              for (let k = i; k < quiet; k++) {
                phase[k] = code;
                cycles[k] = now.cycle;
              }
              now.loss = losses[quiet - 1]!;
              now.finalLoss = now.loss;
              i = quiet;
              if (i === length) break;
            }
            const loss = losses[i]!;
            now.loss = loss;
            const ratio = ratios[i]!;
            if (!Number.isNaN(ratio)) {
              const sharpness = sharpnesses[i]!;
              now.sharpness = sharpness;
              if (sharpness !== eta[i]) now.isRate = false;
              if (!(sharpness >= now.least)) now.least = sharpness;
              if (!(sharpness <= now.most)) now.most = sharpness;
              now.ratio = ratio;
            }
            if (Number.isFinite(loss)) now.finalLoss = loss;
            const error = errors ? errors[i]! / Math.abs(now.sharpness) : Number.NaN;
            const found = detector.next(step[i]!, loss, ratio, threshold[i]!, error);
            if (found !== label) [label, code] = [found, CODE[found]];
            phase[i] = code;
            cycles[i] = detector.cycle;
            if (detector.spike) {
              explainer?.rows.push(told, taken, i + 1);
              taken = i + 1;
            }
            tellRow(step[i]!, detector);
          }
          explainer?.rows.push(told, taken, length);
          now.rows += length;
          if (length > 0) now.lastStep = step[length - 1]!;
        },
        state() {
          const state = { ...now, detector: detector.state(), spikes: [...spikes] };
          const explained = explainer?.state();
          return (): { readonly state: PhasesState } => ({
            state: { ...state, ...(explained && { explainer: explained() }) },
          });
        },
        finish(end: RunEnd): MeasuredSummary {
          const result = detector.finish();
          tellChanges(result.changes);
          if (result.spike) tellSpike(result.spike, now.lastStep);
          const { phases, maxRatio, divergedAt, measured } = result;
          const edge = phases.find(({ phase }) => phase === 'edge-of-stability');
          const messages = [
            ...run.warnings,
            ...warningsOf(result, run, end, now.lastStep),
            ...doubts(run, result.measured, now).map((message) => ({
              kind: 'columns' as const,
              step: now.lastStep,
              message,
            })),
          ];
          const summary: MeasuredSummary = {
            outcome: outcomeOf(result),
            interrupted: end.interrupted,
            phases: phases.map((span) => ({ ...span, confidence: round(span.confidence) })),
            cycles: now.cycle,
            first_crossing: edge?.first_step ?? null,
            max_sharpness_ratio: measured === 0 ? null : maxRatio,
            effective_threshold: measured === 0 ? null : round(result.effective),
            diverged_at: divergedAt,
            final_loss: now.finalLoss,
            last_step: now.lastStep,
            rows: now.rows,
            measured,
            spike_count: now.spikeCount,
            spikes,
            skipped: run.tally.entries,
            columns: { ...run.tally.columns },
            warnings: messages,
            ...explainer?.causes(),
          };
          if (live) {
            for (const warning of messages) report({ event: 'warning', ...warning });
            report({ event: 'done', ...summary });
          }
          return summary;
        },
      };
    },
  });
};

function outcomeOf({ phases, divergedAt, measured }: SeriesResult): MeasuredSummary['outcome'] {
  if (divergedAt !== null) return 'diverged';
  if (measured === 0) return 'unknown';
  if (!phases.some(({ phase }) => phase === 'edge-of-stability')) return 'gradient-flow';
  return phases.at(-1)!.phase === 'convergence' ? 'converged' : 'edge-of-stability';
}

function warningsOf(
  { measured, effective, signedLoss }: SeriesResult,
  { tally }: MeasuredRun,
  { interrupted }: RunEnd,
  step: number,
): MeasuredWarning[] {
  const warnings: MeasuredWarning[] = [];
  const warn = (kind: MeasuredWarning['kind'], message: string) =>
    warnings.push({ kind, step, message });
  if (measured === 0)
    warn(
      'loss-only',
      'no sharpness was logged: whether this is the edge of stability cannot be told from the ' +
        'loss alone',
    );
  if (signedLoss)
    warn(
      'signed-loss',
      'the loss is below zero somewhere, as a logarithm is: no spikes can be found in it',
    );
  if (effective !== 1) {
    const percent = Math.round(100 * Math.abs(effective - 1));
    const side = effective < 1 ? 'low' : 'high';
    warn(
      'effective-threshold',
      `at the edge the sharpness stays at ${round(effective)} × threshold: it is measured ` +
        `${percent} % too ${side} (a part of the data, few power iterations), or the optimizer ` +
        'has another threshold (--optimizer, --threshold)',
    );
  }
  for (const skipped of tally.entries) warn('skipped', skippedText(skipped));
  if (interrupted) warn('interrupted', `interrupted after step ${count(step)}`);
  return warnings;
}

/** A sharpness that is the same in so many rows is none. */
const CONSTANT_ROWS = 10;

/** What makes it doubtful that a column holds what it was taken for. */
function doubts(
  { tally, config: { optimizer, preconditioned } }: MeasuredRun,
  measured: number,
  { least, most, isRate }: Pick<Seen, 'least' | 'most' | 'isRate'>,
): string[] {
  const name = tally.columns?.sharpness;
  if (measured === 0 || name === undefined) return [];
  const found: string[] = [];
  if (measured >= CONSTANT_ROWS && least === most)
    found.push(
      `${name} was taken as the sharpness, and never changes: if it is something else, name ` +
        'the right column with --sharpness-col',
    );
  if (isRate)
    found.push(
      `${name} was taken as the sharpness, and is the learning rate in every row: name the ` +
        'right column with --sharpness-col',
    );
  if (least < 0)
    found.push(`${name} was taken as the sharpness, and is negative in places: is it λ_max?`);
  if (
    /^(adam|adamw|rmsprop)$/.test(optimizer) &&
    !preconditioned &&
    !/precond|effective/i.test(name)
  )
    found.push(
      `is ${name} the largest eigenvalue of the preconditioned Hessian? For ${optimizer} the ` +
        'threshold is of that',
    );
  return found;
}

function skippedText({ what, reason, count, first_line: line }: Skipped): string {
  const where =
    count === 1 ? `1 ${what} (line ${line})` : `${count} ${what}s (the first in line ${line})`;
  return what === 'row' ? `${where}: ${reason}` : `left out ${where}: ${reason}`;
}

function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}

import { log } from '../../numeric/elementary.ts';
import { type AnalysisOptions, analyse } from './analyse.ts';
import { KAPPA, LOOK, MOST_BIAS, SUDDEN } from './constants.ts';
import type { Rest } from './convergence.ts';
import { createEdgeMotion, type MotionState } from './edge-motion.ts';
import { createHistory, emptySample, type HistoryState } from './history.ts';
import { createLossWatch, type LossState } from './loss-watch.ts';
import { createNoiseScale, type NoiseState } from './noise-scale.ts';
import {
  ordered,
  type PhaseChange,
  type PhaseFinding,
  type SeriesPhase,
  type SeriesSpan,
  spansOf,
  type Told,
  tell,
} from './phase-spans.ts';
import { createSpikeFinder, type Spike, type SpikeState } from './spikes.ts';

/**
 * What the detector of measured series can be told. One default serves all logs; each is in
 * docs/detect.md.
 */
export interface SeriesOptions extends AnalysisOptions {
  /** Least noise assumed on the logarithm of sharpness over threshold. */
  readonly noiseFloor: number;
  /** A loss so many times the first one has diverged (as has one over 10¹²). */
  readonly divergence: number;
}

export const SERIES_DEFAULTS: SeriesOptions = {
  delta: 0.01,
  band: 0.05,
  falseAlarms: 0.05,
  noiseFloor: 1e-4,
  divergence: 1e6,
};

const NONE: readonly PhaseChange[] = [];

/** How a row is labelled. */
export type RowPhase =
  | Exclude<SeriesPhase, 'edge-of-stability'>
  | 'eos-sharpening'
  | 'eos-self-stabilization';

/** A jump of the threshold, as of the learning rate: before it over after it. */
export interface Jump {
  readonly step: number;
  readonly from: number;
  readonly to: number;
}

/** What the detector found, when the series has ended. */
export interface SeriesResult {
  readonly phases: readonly SeriesSpan[];
  /** What the last look changed. */
  readonly changes: readonly PhaseChange[];
  readonly maxRatio: number;
  readonly divergedAt: number | null;
  readonly measured: number;
  /**
   * Level of the plateau that was taken for the edge, over the threshold; 1 where it is the
   * threshold.
   */
  readonly effective: number;
  /** Whether the loss was ever below zero, so that no spike could be found. */
  readonly signedLoss: boolean;
  /** The spike that the series ends in. */
  readonly spike: Spike | null;
}

/** Everything that a detector keeps; JSON can hold it. */
export interface SeriesState {
  readonly firstStep: number | null;
  readonly lastStep: number | null;
  readonly historyFrom: number;
  readonly closed: readonly PhaseFinding[];
  readonly told: readonly Told[];
  readonly looked: number;
  readonly measured: number;
  readonly maxRatio: number;
  readonly lastRatio: number | null;
  readonly effective: number;
  readonly threshold: number | null;
  readonly lastChange: number | null;
  readonly rest: Rest | null;
  readonly peaks: readonly number[];
  readonly history: HistoryState;
  readonly noise: NoiseState;
  readonly motion: MotionState;
  readonly losses: LossState;
  readonly spikes: SpikeState;
}

/** Labels a measured series row by row, causally and in bounded memory. */
export interface SeriesDetector {
  /**
   * Takes in a row and labels it.
   *
   * @param loss NaN where it is missing, Infinity where it is not finite
   * @param ratio sharpness over threshold, NaN where it was not measured
   * @param threshold the threshold, where it is known: where it jumps, history and noise start anew
   * @param error error bar of the sharpness over the sharpness, where it is known
   */
  next(step: number, loss: number, ratio: number, threshold?: number, error?: number): RowPhase;
  /** Upward crossings of the threshold so far, a start above it included. */
  readonly cycle: number;
  /**
   * What the last row changed: phases that begin, that are dated anew, or that turned out not to
   * be.
   */
  readonly changes: readonly PhaseChange[];
  readonly spike: Spike | null;
  readonly jump: Jump | null;
  finish(): SeriesResult;
  state(): SeriesState;
}

/** Rows as `next` takes them, column by column. */
export interface SeriesRows {
  readonly step: ArrayLike<number>;
  readonly loss: ArrayLike<number>;
  readonly sharpness_ratio: ArrayLike<number>;
  readonly threshold: ArrayLike<number>;
}

/** A detector that takes many rows at once where nothing happens in them. */
export interface RowsDetector extends SeriesDetector {
  /**
   * `next` of the first of these rows in which nothing happens: without a sharpness, at the
   * threshold of the row before, and in no spike. All have the label of the row before.
   * @returns index of the first that is not such a one; it was not taken in
   */
  nextQuiet(rows: SeriesRows, from: number, to: number): number;
}

/**
 * The detector for series of sharpness and loss that were measured, with noise and outliers,
 * perhaps only at some steps, and without any knowledge of the network.
 *
 * It keeps the history in bounded memory, and looks at it as a whole again and again: so what it
 * says at the end is what it said before, or it says what has changed.
 *
 * @param handsOn whether the ratio of a spike is the one last measured with its row, as that of
 * spikes whose cause is told, and not with the row before
 */
export function createRowsDetector(
  options: Partial<SeriesOptions> = {},
  saved?: SeriesState,
  { handsOn = false } = {},
): RowsDetector {
  const all = { ...SERIES_DEFAULTS, ...options };
  const losses = createLossWatch(all.divergence, saved?.losses);
  const spikes = createSpikeFinder(saved?.spikes);
  const motion = createEdgeMotion(saved?.motion);
  let history = createHistory(all.noiseFloor, saved?.history);
  let noise = createNoiseScale(all.noiseFloor, saved?.noise);
  const now = {
    historyFrom: saved?.historyFrom ?? 0,
    closed: saved?.closed ?? ([] as readonly PhaseFinding[]),
    told: saved?.told ?? ([] as readonly Told[]),
    looked: saved?.looked ?? 0,
    measured: saved?.measured ?? 0,
    maxRatio: saved?.maxRatio ?? 0,
    effective: saved?.effective ?? 1,
    rest: saved?.rest ?? null,
    peaks: saved?.peaks ?? ([] as readonly number[]),
    firstStep: saved?.firstStep ?? Number.NaN,
    lastStep: saved?.lastStep ?? Number.NaN,
    lastRatio: saved?.lastRatio ?? Number.NaN,
    threshold: saved?.threshold ?? Number.NaN,
    lastChange: saved?.lastChange ?? Number.NaN,
  };
  const sample = emptySample();

  /** What the history that is on says. */
  function findings(): readonly PhaseFinding[] {
    const blocks = history.blocks();
    if (blocks.length === 0) {
      const only: PhaseFinding = { phase: 'descent', since: now.historyFrom, confidence: 1 };
      return now.measured === 0 ? [only] : [];
    }
    const found = analyse(
      {
        blocks,
        x: history.x(),
        noise: history.noise(),
        errors: history.errors(),
        loss: losses.facts(),
        spikes: now.peaks.filter((step) => step >= now.historyFrom),
        rest: now.rest,
      },
      all,
    );
    now.rest = found.rest;
    now.effective = found.effective;
    const [first] = found.findings;
    if (!first || first.since === now.historyFrom) return found.findings;
    return [{ ...first, since: now.historyFrom }, ...found.findings.slice(1)];
  }

  function look(divergedAt: number | null): readonly PhaseChange[] {
    now.looked = history.blocks().length;
    const found = [...now.closed, ...findings()];
    if (divergedAt !== null) found.push({ phase: 'diverged', since: divergedAt, confidence: 1 });
    const next = tell(now.told, ordered(found), now.lastStep, now.lastStep - now.firstStep);
    now.told = next.told;
    return next.changes;
  }

  /** Closes the history where the threshold jumps. */
  function follow(step: number, threshold: number): void {
    if (threshold === now.threshold) {
      now.lastChange = 0;
      return;
    }
    const change = Math.abs(log(threshold / now.threshold));
    if (change > log(1 + KAPPA) && change > SUDDEN * now.lastChange) {
      detector.jump = { step, from: now.threshold, to: threshold };
      now.closed = ordered([...now.closed, ...findings()]);
      history = createHistory(all.noiseFloor);
      noise = createNoiseScale(all.noiseFloor);
      now.historyFrom = step;
      now.looked = 0;
      now.rest = null;
    }
    now.lastChange = change;
    now.threshold = threshold;
  }

  function take(step: number, ratio: number, error: number): boolean {
    now.measured++;
    now.lastRatio = ratio;
    // What is as unsure as that is not told as the largest.
    if (ratio > now.maxRatio && !(error > MOST_BIAS)) now.maxRatio = ratio;
    const x = log(Math.max(Number.EPSILON, ratio));
    motion.next(x, noise.next(x, error));
    detector.cycle = motion.cycle();
    sample.step = step;
    sample.x = x;
    sample.error = Number.isNaN(error) ? error : Math.max(all.noiseFloor, error);
    losses.take(sample);
    if (!history.push(sample)) return false;
    const { length } = history.blocks();
    const edge = now.told.at(-1)?.phase === 'edge-of-stability';
    const grown = length - now.looked;
    const share = x > 0 && !edge ? LOOK / 16 : LOOK;
    return grown < 0 || grown >= length * share;
  }

  // What a row changed are fields, not getters: with those each detector is of a shape of its own,
  // and V8 compiles anew what reads it.
  const detector: { -readonly [Name in keyof RowsDetector]: RowsDetector[Name] } = {
    cycle: motion.cycle(),
    changes: NONE,
    spike: null,
    jump: null,
    next(step, loss, ratio, threshold = Number.NaN, error = Number.NaN) {
      detector.spike = null;
      detector.jump = null;
      detector.changes = NONE;
      if (Number.isNaN(now.firstStep)) {
        now.firstStep = step;
        now.historyFrom = step;
      }
      now.lastStep = step;
      const wasDiverged = losses.divergedAt();
      losses.next(step, loss);
      const spike = spikes.next(
        step,
        loss,
        handsOn && !Number.isNaN(ratio) ? ratio : now.lastRatio,
      );
      detector.spike = spike;
      if (spike) now.peaks = [...now.peaks.slice(-63), spike.step];
      if (threshold > 0 && threshold < Number.POSITIVE_INFINITY) follow(step, threshold);
      const due = !Number.isNaN(ratio) && take(step, ratio, error);
      const divergedAt = losses.divergedAt();
      if (due || detector.jump || divergedAt !== wasDiverged || now.told.length === 0)
        detector.changes = look(divergedAt);
      const phase = now.told.at(-1)!.phase;
      if (phase !== 'edge-of-stability') return phase;
      return motion.rising() ? 'eos-sharpening' : 'eos-self-stabilization';
    },
    nextQuiet({ step, loss, sharpness_ratio: ratio, threshold }, from, to) {
      // Before the first row there is no threshold, and no row is at it.
      let end = from;
      while (end < to && Number.isNaN(ratio[end]!) && threshold[end] === now.threshold) end++;
      end = spikes.nextQuiet(loss, from, losses.plainUntil(loss, from, end));
      if (end === from) return from;
      losses.nextPlain(loss, from, end);
      now.lastChange = 0;
      now.lastStep = step[end - 1]!;
      return end;
    },
    finish() {
      const divergedAt = losses.divergedAt() ?? losses.goneSince();
      const last = spikes.finish();
      if (last) now.peaks = [...now.peaks, last.step];
      const final = look(divergedAt);
      return {
        phases: spansOf(now.told, now.lastStep),
        changes: final,
        maxRatio: now.maxRatio,
        divergedAt,
        measured: now.measured,
        effective: now.effective,
        signedLoss: losses.facts().signed,
        spike: last,
      };
    },
    state: () => ({
      ...now,
      firstStep: numberOrNull(now.firstStep),
      lastStep: numberOrNull(now.lastStep),
      lastRatio: numberOrNull(now.lastRatio),
      threshold: numberOrNull(now.threshold),
      lastChange: numberOrNull(now.lastChange),
      history: history.state(),
      noise: noise.state(),
      motion: motion.state(),
      losses: losses.state(),
      spikes: spikes.state(),
    }),
  };
  return detector;
}

/** The detector for series that come row by row. */
export const createSeriesDetector = (
  options: Partial<SeriesOptions> = {},
  saved?: SeriesState,
): SeriesDetector => createRowsDetector(options, saved);

function numberOrNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

import { createEdgeMotion } from './edge-motion.ts';
import { createEvidence, type Evidence } from './evidence.ts';
import { type Block, createHistory } from './history.ts';
import { createLossOnly } from './loss-only.ts';
import { createLossWatch } from './loss-watch.ts';
import { createNoiseScale } from './noise-scale.ts';
import {
  oscillationSpent,
  plateauAtEdge,
  restAtEdge,
  restBelowEdge,
  type Verdict,
} from './outlook.ts';
import {
  createSpanList,
  type PhaseChange,
  type SeriesPhase,
  type SeriesSpan,
} from './phase-spans.ts';
import { createSpikeFinder, type Spike } from './spikes.ts';

/** What the detector of measured series can be told. One default serves all logs; each is in docs/detect.md. */
export interface SeriesOptions {
  /** δ: sharpness up to (1 + δ/2) × the threshold still counts as settled. */
  readonly delta: number;
  /** Standard deviations of noise that samples beyond the threshold must add up to before the edge counts as reached. */
  readonly evidence: number;
  /** Least noise assumed on the ratio of sharpness to threshold. */
  readonly noiseFloor: number;
  /** Half-width around ratio 1 outside which a start counts as over the threshold, and a catapult as come down. */
  readonly band: number;
  /** Samples without sharpening from which on a series is called flat. */
  readonly flatAfter: number;
  /** A loss so many times the first one has diverged (as has one that is not finite, or over 10¹²). */
  readonly divergence: number;
}

export const SERIES_DEFAULTS: SeriesOptions = {
  delta: 0.01,
  evidence: 6,
  noiseFloor: 1e-4,
  band: 0.05,
  flatAfter: 256,
  divergence: 1e6,
};

/** Sharpness has to rise by this share before a flat series counts as sharpening. */
const FLAT_RISE = 0.01;
/** A log of so many samples can be called flat when it ends. */
const LEAST_FLAT = 16;
/** Sharpness this far over its settled level ends a convergence below the edge. */
const RESUMED_RISE = 1.1;
const RESUMED_NOISE = 4;
/** Beyond this, what looks like noise is taken for movement that was sampled too rarely. */
const MOST_NOISE = 0.03;
/** A sample within so many deviations of where a line through the two before it leads is no outlier. */
const EXPECTED_NOISE = 3;
/** A sample this many deviations over the threshold is over it. */
const OVER_NOISE = 3;
/** Samples that have to have been at or over the threshold before a plateau may be at it. */
const LEAST_OVER = 3;
/** What lies less than so many deviations beyond the tolerance counts against the end of a rest. */
const RETURN_REFERENCE = 1;
/** It takes so many times as much to say that a rest was none after all. */
const RETURN_EVIDENCE = 2;

/** How a row is labelled. */
export type RowPhase =
  | Exclude<SeriesPhase, 'edge-of-stability'>
  | 'eos-sharpening'
  | 'eos-self-stabilization';

/** What the detector found, when the series has ended. */
export interface SeriesResult {
  readonly phases: readonly SeriesSpan[];
  readonly maxRatio: number;
  readonly divergedAt: number | null;
  readonly measured: number;
  /** The spike that the series ends in. */
  readonly spike: Spike | null;
}

/** Labels a measured series row by row, causally and in bounded memory. */
export interface SeriesDetector {
  /**
   * Takes in a row and labels it.
   *
   * @param loss NaN where it is missing, Infinity where it is not finite
   * @param ratio sharpness over threshold, NaN where it was not measured
   */
  next(step: number, loss: number, ratio: number): RowPhase;
  /** Upward crossings of the threshold so far, plus one for a start above it. */
  readonly cycle: number;
  /** The change of phase, and the spike, that the last row brought. */
  readonly change: PhaseChange | null;
  readonly spike: Spike | null;
  finish(): SeriesResult;
}

/**
 * The detector for series of sharpness and loss that were measured, with noise, perhaps only at some steps, and without
 * any knowledge of the network.
 *
 * The edge is reached where the evidence of a cumulative-sum test says so, and dated back to the first sample of it;
 * noise is measured on the series itself. At the edge the label follows the sharpness up and down with hysteresis.
 * Whether anything beyond the edge lies ahead is judged by `restBelowEdge` and `restAtEdge`.
 */
export function createSeriesDetector(options: Partial<SeriesOptions> = {}): SeriesDetector {
  const { delta, evidence, noiseFloor, band, flatAfter, divergence } = {
    ...SERIES_DEFAULTS,
    ...options,
  };
  const spans = createSpanList();
  const history = createHistory();
  const noise = createNoiseScale(noiseFloor);
  const beyond = createEvidence(evidence);
  const back = createEvidence(RETURN_EVIDENCE * evidence);
  const below = createEvidence(evidence);
  const motion = createEdgeMotion(evidence);
  const losses = createLossWatch(divergence);
  const spikes = createSpikeFinder();
  const lossOnly = createLossOnly();

  let phase: SeriesPhase | null = null;
  let firstStep = Number.NaN;
  let lastStep = Number.NaN;
  let anchor = 0;
  let sharpened = false;
  let change: PhaseChange | null = null;
  let spike: Spike | null = null;

  let measured = 0;
  let maxRatio = Number.NEGATIVE_INFINITY;
  let lastRatio = Number.NaN;
  let ratioBefore = Number.NaN;
  let scale = noiseFloor;
  let level = 0;
  /** Samples at or over the threshold since the phase began. */
  let samplesOver = 0;
  let lastOver = Number.NEGATIVE_INFINITY;
  let restFit = 1;
  let divergedAt: number | null = null;

  function begin(next: SeriesPhase, step: number, since: number, confidence: number): void {
    phase = next;
    change = { phase: next, step, since: Math.max(since, firstStep), confidence };
    spans.begin(change);
    samplesOver = 0;
    beyond.reset();
    back.reset();
    below.reset();
  }

  function start(step: number, ratio: number): void {
    anchor = step;
    const over = ratio >= 1 + band;
    motion.restart(ratio, true, over);
    begin(over ? 'catapult' : 'progressive-sharpening', step, firstStep, 1);
  }

  function reachEdge(step: number, { since, confidence }: Verdict): void {
    anchor = since;
    begin('edge-of-stability', step, since, confidence);
    motion.restart(lastRatio, true, motion.cycle === 0);
  }

  function takeRatio(step: number, ratio: number): void {
    measured++;
    const calm = phase !== 'edge-of-stability' || measured < 16;
    const running = noise.next(ratio);
    if (calm) scale = Math.min(MOST_NOISE, running);
    if (ratio > maxRatio) maxRatio = ratio;
    const pair = Number.isNaN(lastRatio) ? ratio : (ratio + lastRatio) / 2;
    const rise = lastRatio - ratioBefore;
    const expected =
      Math.abs(ratio - (lastRatio + rise)) <= Math.max(EXPECTED_NOISE * scale, Math.abs(rise));
    ratioBefore = lastRatio;
    lastRatio = ratio;
    if (phase === null || phase === 'descent') start(step, ratio);

    if (ratio >= 1) samplesOver++;
    if (ratio > 1 + OVER_NOISE * scale) lastOver = step;
    motion.next(step, pair, scale);

    switch (phase) {
      case 'catapult':
        if (!below.next((1 - ratio) / scale, step)) break;
        anchor = below.onset;
        sharpened = true;
        if (ratio >= 1 - band) begin('edge-of-stability', step, below.onset, below.confidence);
        else begin('progressive-sharpening', step, below.onset, below.confidence);
        motion.restart(ratio, false, false);
        break;
      case 'flat':
        if (beyond.next((ratio - Math.min(1, level * (1 + FLAT_RISE))) / scale, step)) {
          anchor = beyond.onset;
          if (pair >= 1) reachEdge(step, onsetOf(beyond));
          else begin('progressive-sharpening', step, beyond.onset, beyond.confidence);
          sharpened = true;
        }
        break;
      case 'convergence':
        if (back.next((ratio - (1 + delta / 2)) / scale - RETURN_REFERENCE, step))
          reachEdge(step, onsetOf(back));
        else if (pair > RESUMED_RISE * level + RESUMED_NOISE * scale && pair < 1) {
          anchor = step;
          begin('progressive-sharpening', step, step, 0.9);
        }
        break;
      case 'progressive-sharpening':
        if (beyond.next((ratio - 1) / scale, step, expected)) reachEdge(step, onsetOf(beyond));
        break;
      default:
    }

    if (history.push(step, ratio, losses.work)) judge(step);
  }

  /** Blocks since the phase that is on began. */
  function since(step: number): readonly Block[] {
    const { blocks } = history;
    const start = blocks.findIndex((block) => block.firstStep >= step);
    return start < 0 ? [] : blocks.slice(start);
  }

  function judge(step: number): void {
    if (phase === 'progressive-sharpening') {
      const blocks = since(anchor);
      if (!sharpened && isFlat(blocks, flatAfter)) return;
      const edge = sharpened && samplesOver >= LEAST_OVER ? plateauAtEdge(blocks, scale) : null;
      if (edge) {
        reachEdge(step, edge);
        return;
      }
      const rest = sharpened ? restBelowEdge(blocks, delta, losses.first) : null;
      if (rest) settle(step, rest, blocks);
    } else if (phase === 'edge-of-stability') {
      const blocks = since(anchor);
      const rest = restAtEdge(blocks, delta, {
        firstStep,
        firstLoss: losses.first,
        lastActive: Math.max(lastOver, losses.lastRise),
      });
      if (rest) settle(step, rest, blocks);
    } else if (phase === 'convergence') {
      redate();
    }

    function isFlat(blocks: readonly Block[], least: number): boolean {
      const flatLevel = flatLevelOf(blocks, least, scale);
      if (flatLevel === null) {
        sharpened =
          blocks.length > 0 &&
          blocks.at(-1)!.ratio > blocks[0]!.ratio * (1 + FLAT_RISE) + 4 * scale;
        return false;
      }
      level = flatLevel;
      begin('flat', step, anchor, 0.95);
      return true;
    }
  }

  /** Once the oscillation has become small, what it tells of the date is better than when it was first known. */
  function redate(): void {
    const rest = oscillationSpent(since(anchor), delta, losses.first);
    if (rest && rest.confidence > restFit) {
      restFit = rest.confidence;
      spans.redate(rest.since, rest.confidence);
    }
  }

  function settle(step: number, rest: Verdict, blocks: readonly Block[]): void {
    restFit = phase === 'edge-of-stability' ? rest.confidence : 1;
    level = blocks.at(-1)!.ratio;
    begin('convergence', step, rest.since, rest.confidence);
  }

  return {
    next(step, loss, ratio) {
      change = null;
      spike = null;
      if (Number.isNaN(firstStep)) firstStep = step;
      lastStep = step;
      if (phase !== 'diverged') {
        losses.next(step, loss);
        spike = spikes.next(step, loss, Number.isNaN(ratio) ? lastRatio : ratio);
        divergedAt = losses.divergedAt;
        if (divergedAt !== null) {
          begin('diverged', step, divergedAt, 1);
          return 'diverged';
        }
        if (!Number.isNaN(ratio)) takeRatio(step, ratio);
        else if (measured === 0) {
          const next = lossOnly.next(step, loss, spike);
          if (next) begin(next.phase, step, next.since, next.confidence);
          else if (phase === null) begin('descent', step, step, 0.5);
        }
      }
      if (phase === 'edge-of-stability')
        return motion.rising ? 'eos-sharpening' : 'eos-self-stabilization';
      return phase ?? 'descent';
    },
    get cycle() {
      return motion.cycle;
    },
    get change() {
      return change;
    },
    get spike() {
      return spike;
    },
    finish() {
      if (phase !== 'diverged' && losses.notFiniteSince !== null) {
        divergedAt = losses.notFiniteSince;
        spans.begin({ phase: 'diverged', step: lastStep, since: divergedAt, confidence: 0.75 });
      }
      if (phase === 'progressive-sharpening' && spans.length === 1 && !rises(since(anchor), scale))
        spans.rename(0, 'flat');
      const next = spans.at(1)?.phase;
      if (spans.at(0)?.phase === 'catapult' && (next === undefined || next === 'diverged')) {
        spans.rename(0, 'edge-of-stability');
      }
      return {
        phases: spans.close(lastStep),
        maxRatio,
        divergedAt,
        measured,
        spike: spikes.finish(),
      };
    },
  };
}

function onsetOf({ onset, confidence }: Evidence): Verdict {
  return { since: onset, confidence };
}

/** Level of a series that does not sharpen: its last quarter is at most 1 % over its first, noise allowed for. */
function flatLevelOf(blocks: readonly Block[], least: number, scale: number): number | null {
  const change = changeOf(blocks, scale);
  if (!change || change.count < least) return null;
  const { early, late, error } = change;
  return late - early + 2 * error <= FLAT_RISE * early && late < 1 ? meanRatio(blocks) : null;
}

/** Whether a series has risen, beyond doubt and by more than a flat one may; too short a one has. */
function rises(blocks: readonly Block[], scale: number): boolean {
  const change = changeOf(blocks, scale);
  if (!change || change.count < LEAST_FLAT || change.late >= 1) return true;
  return change.late - change.early > Math.max(FLAT_RISE * change.early, 2 * change.error);
}

/** Means of the first and the last quarter, and the standard error of their difference. */
function changeOf(blocks: readonly Block[], scale: number) {
  let count = 0;
  for (const block of blocks) count += block.count;
  const quarter = Math.floor(blocks.length / 4);
  if (quarter === 0) return null;
  return {
    count,
    early: meanRatio(blocks.slice(0, quarter)),
    late: meanRatio(blocks.slice(-quarter)),
    error: scale * Math.sqrt(8 / count),
  };
}

function meanRatio(blocks: readonly Block[]): number {
  let sum = 0;
  for (const block of blocks) sum += block.ratio;
  return sum / blocks.length;
}

import { log } from '../../numeric/elementary.ts';
import { exp } from '../../numeric/exponential.ts';
import {
  CAPACITY,
  HOVERING,
  LEAST_BIAS,
  LEAST_BLOCKS,
  LONGER,
  LOOK,
  MOST_BIAS,
  NOISE,
  NOISE_WINDOW,
  RESTING,
  RISING,
  STILL,
  TAIL,
} from './constants.ts';
import { leftEdge, type Rest, restAtEdge, restBelowEdge } from './convergence.ts';
import { crossing, type Evidence, evidence } from './evidence.ts';
import type { Block } from './history.ts';
import type { LossFacts } from './loss-watch.ts';
import { median, medianDistance, room } from './median.ts';
import type { PhaseFinding } from './phase-spans.ts';

/** Blocks to the middle of the window of the noise scale. */
const HALF = NOISE_WINDOW >> 1;

/** All that is known of a series. */
export interface Known {
  readonly blocks: readonly Block[];
  /** x of the blocks, the noise on it, and its error bars, NaN where one is unknown. */
  readonly x: readonly number[];
  readonly noise: readonly number[];
  readonly errors: readonly number[];
  readonly loss: LossFacts;
  /** Steps in which the spikes so far peaked. */
  readonly spikes: readonly number[];
  /** Convergence at the edge, as it was best seen so far. */
  readonly rest: Rest | null;
}

export interface AnalysisOptions {
  readonly delta: number;
  readonly band: number;
  readonly falseAlarms: number;
}

export interface Analysis {
  readonly findings: readonly PhaseFinding[];
  /** Plateau over the threshold: what the threshold is for the sharpness as it was measured. */
  readonly effective: number;
  readonly rest: Rest | null;
}

interface Series extends Known {
  /** The noise on x with all in view; as long as the longest history. */
  readonly sigma: Float64Array;
  readonly test: Evidence;
}

/** The noise of the series that is looked at. */
const sigma = new Float64Array(CAPACITY);

/** All phases of a history, dated with all of it in view. */
export function analyse(known: Known, options: AnalysisOptions): Analysis {
  const { blocks, x } = known;
  const { noise, errors } = known;
  for (let i = 0; i < x.length; i++) sigma[i] = noiseAt(noise, errors, i);
  const outliers = outlierShare(x, sigma);
  const series: Series = {
    ...known,
    sigma,
    test: evidence(options.falseAlarms, Math.max(2 * LEAST_BLOCKS, x.length), outliers),
  };
  let over = overAtStart(series, options);
  const rested = over === x.length ? comesToRest(series) : null;
  if (rested) over = rested.at;
  const edge = rested ?? edgeFrom(series, over, options);
  const begin = blocks[0]!.firstStep;
  const findings: PhaseFinding[] = [];
  if (over > 0)
    findings.push({ phase: 'catapult', since: begin, confidence: 1 - options.falseAlarms });
  if (over >= x.length) return { findings, effective: 1, rest: null };
  const from = blocks[over]!.firstStep;
  if (!edge) {
    const rest = restBelowEdge(blocks, over, options.delta, known.loss);
    const phase = rest || over > 0 || !isFlat(series) ? 'progressive-sharpening' : 'flat';
    if (!rest || rest.since > from) findings.push({ phase, since: from, confidence: 1 });
    if (rest) findings.push({ phase: 'convergence', ...rest });
    return { findings, effective: 1, rest: null };
  }
  const since = dateOf(series, edge);
  if (edge.at > over)
    findings.push({ phase: 'progressive-sharpening', since: from, confidence: 1 });
  findings.push({ phase: 'edge-of-stability', since, confidence: edge.confidence });
  const left = leaves(series, over, edge);
  const found = restAtEdge(blocks.slice(edge.at), options.delta, known.loss);
  const better = found && found.confidence > (known.rest?.confidence ?? 0) ? found : known.rest;
  const rest = better && better.since > since && quiet(series, better, options) ? better : null;
  const end = rest ?? left;
  if (end) findings.push({ phase: 'convergence', ...end });
  return { findings, effective: exp(edge.level), rest };
}

/**
 * The noise about a block: by the scatter of the window before it, or of the one whose middle it
 * is, since movement only adds to it. Where blocks have error bars, that scatter is in units of
 * them.
 */
function noiseAt(noise: readonly number[], errors: readonly number[], i: number): number {
  const j = Math.min(noise.length - 1, i + HALF);
  const own = errors[i]!;
  const other = errors[j]!;
  if (Number.isNaN(own) && Number.isNaN(other)) return Math.min(noise[i]!, noise[j]!);
  if (Number.isNaN(own) || Number.isNaN(other)) return noise[i]!;
  return own * Math.min(noise[i]! / own, noise[j]! / other);
}

/**
 * Whether nothing in a series says that it is still at the edge: no swing from step to step, and no
 * crossing.
 */
function quiet(
  { x, sigma, blocks, test }: Series,
  rest: Rest,
  { delta }: AnalysisOptions,
): boolean {
  const at = blocks.findIndex(({ firstStep }) => firstStep >= rest.since);
  if (at < 0) return true;
  const limit = log(1 + delta / 2);
  return (
    median(sigma, at, x.length) <= LEAST_BIAS &&
    // What hangs at the limit is no crossing.
    crossing((i) => (x[i]! - limit) / sigma[i]! - 1, at, x.length, test) === null
  );
}

/**
 * Step at which the edge was reached: between two measurements that are far apart, where a line
 * through them crosses.
 */
function dateOf({ x, blocks }: Series, { at, level }: Edge): number {
  const { firstStep } = blocks[at]!;
  const before = blocks[at - 1];
  if (!before) return firstStep;
  const gap = firstStep - before.lastStep;
  const [low, high] = [before.x - level, x[at]! - level];
  const length = blocks.at(-1)!.lastStep - blocks[0]!.firstStep;
  if (gap <= LOOK * length || low >= 0 || high <= 0) return firstStep;
  return Math.ceil(before.lastStep + (gap * low) / (low - high));
}

/** Share of isolated outliers, half of one at least. */
function outlierShare(x: readonly number[], sigma: Float64Array): number {
  let count = 0.5;
  for (let i = 1; i + 1 < x.length; i++) {
    const before = x[i]! - x[i - 1]!;
    const after = x[i]! - x[i + 1]!;
    const apart = Math.abs(x[i + 1]! - x[i - 1]!);
    const off = Math.min(Math.abs(before), Math.abs(after));
    if (before * after > 0 && off > 2 * NOISE * sigma[i]! + NOISE * apart) count++;
  }
  return count / (x.length + 1);
}

/** Number of blocks at the start over the threshold; 0 where that is not sure. */
function overAtStart({ x, sigma, test }: Series, { band, falseAlarms }: AnalysisOptions): number {
  if (!(x[0]! >= log(1 + band))) return 0;
  const down = crossing((i) => -x[i]! / sigma[i]!, 0, x.length, test);
  const over = down ? down.onset : x.length;
  // There is only one start, so what it takes does not grow with the series.
  const enough = log(1 / falseAlarms);
  let sum = 0;
  for (let i = 0; i < over && sum < enough; i++)
    sum += Math.max(-test.most, Math.min(test.most, x[i]! / sigma[i]!));
  return sum >= enough ? over : 0;
}

/**
 * A series that started over the threshold and has never been clearly below it may have come to
 * rest at it.
 */
function comesToRest(series: Series): Edge | null {
  const { x } = series;
  const rest = plateau(series, 0, x.length);
  if (!rest || Math.abs(rest.level) > MOST_BIAS) return null;
  const at = x.findIndex((value) => value <= rest.level + rest.spread);
  return { at, confidence: RESTING, level: Math.abs(rest.level) > LEAST_BIAS ? rest.level : 0 };
}

interface Edge {
  /** Index of the block from which on the series is at the edge. */
  readonly at: number;
  readonly confidence: number;
  /** Logarithm of the effective threshold over the one of the optimizer. */
  readonly level: number;
}

/** Where the edge was reached: by crossing the threshold, or by coming to rest at it. */
function edgeFrom(series: Series, over: number, options: AnalysisOptions): Edge | null {
  const { x, sigma, test } = series;
  const crossed = crossing((i) => x[i]! / sigma[i]!, over, x.length, test);
  const rest = plateau(series, over, x.length);
  if (!crossed && !rest) return null;
  const until = crossed?.onset ?? rest?.from ?? x.length;
  // At the edge itself, swings look like noise.
  const noise = NOISE * typicalNoise(series, over, Math.max(over + 1, until));
  const level = rest?.level ?? 0;
  const near = Math.abs(level) <= Math.max(LEAST_BIAS, Math.min(noise, options.band));
  // A plateau that lies elsewhere is the edge where the training was unstable, all of it behind the
  // crossing.
  const elsewhere =
    !near &&
    rest !== null &&
    (Math.abs(level) > MOST_BIAS ||
      rest.from < (crossed?.onset ?? 0) ||
      !unstable(series, over, rest));
  if (!rest || elsewhere) {
    if (!crossed) return null;
    const at = noise < LEAST_BIAS ? crossed.onset : Math.min(until, reaches(x, over, 0, until));
    return { at, confidence: 1 - options.falseAlarms, level: 0 };
  }
  if (!crossed && level < -noise && !unstable(series, over, rest)) return null;
  const effective = near ? 0 : level;
  const sure = near && crossed !== null && noise < LEAST_BIAS;
  const end = near ? until : rest.from;
  const hovers = reaches(x, over, level - LEAST_BIAS, end);
  if (hovering(series, hovers, end))
    return { at: stopsRising(x, over, hovers, end), confidence: HOVERING, level: effective };
  if (sure) return { at: crossed.onset, confidence: 1 - options.falseAlarms, level: 0 };
  // Within half a percent, or the standard error of a median, it is there.
  const slack = Math.max(STILL, (2 * rest.spread) / Math.sqrt(x.length - over));
  const at = reaches(x, over, level - slack, until);
  return { at: near ? Math.min(at, until) : at, confidence: RESTING, level: effective };
}

/**
 * The noise of a stretch: where blocks have error bars, that at which their precision is the mean
 * one.
 */
function typicalNoise({ errors, sigma }: Series, from: number, to: number): number {
  const count = to - from;
  let precision = 0;
  for (let i = from; i < to; i++) {
    precision += 1 / (errors[i]! * errors[i]!);
  }
  precision /= count;
  if (Number.isNaN(precision)) return median(sigma, from, to);
  const scaled = room(count);
  for (let i = 0; i < count; i++) scaled[i] = sigma[from + i]! / errors[from + i]!;
  return median(scaled, 0, count) / Math.sqrt(precision);
}

/**
 * Whether a series is at its level before it is sure: with batches the sharpness hovers there, and
 * the loss goes up and down.
 */
function hovering(series: Series, from: number, to: number): boolean {
  if (to - from < LEAST_BLOCKS || risingShare(series, from, to) < RISING) return false;
  const { change, error } = changeOf(series.x, from, to);
  return Math.abs(change) <= Math.max(error, LEAST_BIAS);
}

/** How far the later half of a stretch lies over the earlier one, and how far it may by chance. */
function changeOf(x: readonly number[], from: number, to: number) {
  const level = median(x, from, to);
  const spread = medianDistance(x, level, from, to) / 0.674_489_75;
  const half = from + ((to - from) >> 1);
  const change = median(x, half, to) - median(x, from, half);
  // Twice the standard error of the difference of two medians, of half the samples each.
  return { level, spread, change, error: 2 * spread * Math.sqrt((2 * Math.PI) / (to - from)) };
}

/** The last third of a stretch, where it neither rises nor falls. */
interface Plateau {
  readonly level: number;
  /** Standard deviation of a block about it. */
  readonly spread: number;
  readonly from: number;
}

function plateau({ x, blocks, errors }: Series, start: number, to: number): Plateau | null {
  if (to <= start) return null;
  const first = blocks[start]!.firstStep;
  const last = blocks[to - 1]!.lastStep;
  const begin = last - TAIL * (last - first);
  let from = to;
  while (from > start && blocks[from - 1]!.firstStep >= begin) from--;
  if (to - from < LEAST_BLOCKS / 2) return null;
  const { level, spread, change, error } = changeOf(x, from, to);
  const bars = room(to - from);
  for (let i = from; i < to; i++) bars[i - from] = Number.isNaN(errors[i]!) ? 0 : errors[i]!;
  const bar = median(bars, 0, to - from);
  // Scatter far below its error bars: all of it may be off by as much as they say.
  if (bar > MOST_BIAS && NOISE * spread < bar) return null;
  return Math.abs(change) <= Math.max(error, LEAST_BIAS) ? { level, spread, from } : null;
}

/**
 * Share of the moves of the loss that are rises, between two blocks; a loss that is rounded does
 * not move in every row.
 */
function risingShare({ blocks }: Series, from: number, to: number): number {
  let rises = 0;
  let moves = 0;
  for (let i = from; i < to; i++) {
    rises += blocks[i]!.rises;
    moves += blocks[i]!.moves;
  }
  return rises / Math.max(LEAST_BLOCKS, moves);
}

/**
 * Whether the training was unstable on a plateau: its loss spiked, or rose as it had not before.
 */
function unstable(series: Series, start: number, { level, spread, from }: Plateau): boolean {
  const { x, blocks, spikes } = series;
  const at = reaches(x, start, level - spread, from);
  const first = blocks[at]!.firstStep;
  if (spikes.filter((step) => step >= first).length >= LONGER) return true;
  return risesMore(series, start, at, at);
}

/** Whether the loss rises from a block on as it did not before the edge. */
function risesMore(series: Series, start: number, edge: number, from: number): boolean {
  const before = risingShare(series, start, edge);
  return risingShare(series, from, series.x.length) >= Math.max(RISING / 2, NOISE * before);
}

/**
 * The running median of a part of a series, and how many blocks lie between two of them that are
 * not nearly one.
 */
function runningMedian(x: readonly number[], start: number) {
  const reach = Math.max(1, (x.length - start) >> 6);
  return {
    stride: Math.max(1, reach >> 2),
    at: (i: number) => median(x, Math.max(start, i - reach), Math.min(x.length, i + reach + 1)),
  };
}

/** First block at which the running median, risen from its least before `until`, is at a level. */
function reaches(x: readonly number[], start: number, level: number, until: number): number {
  const { stride, at } = runningMedian(x, start);
  let least = start;
  let lowest = Number.POSITIVE_INFINITY;
  for (let i = start; i < until; i += stride) {
    const value = at(i);
    if (value >= lowest) continue;
    lowest = value;
    least = i;
  }
  for (let i = least; i < x.length; i += stride) if (at(i) >= level) return i;
  return Math.min(until, x.length - 1);
}

/**
 * First block from `from` on beyond which the running median hardly rises, before it falls back or
 * for as long as it took to come there.
 */
function stopsRising(x: readonly number[], start: number, from: number, until: number): number {
  const { stride, at } = runningMedian(x, start);
  let highest = Number.NEGATIVE_INFINITY;
  let top = from;
  for (let i = from; i < until && i - top <= top - start; i += stride) {
    const value = at(i);
    if (value < highest - 2 * STILL) break;
    if (value <= highest + STILL) continue;
    highest = value;
    top = i;
  }
  return top;
}

/** Whether and since when the series is no longer at the edge. */
function leaves(series: Series, start: number, { at, level }: Edge): Rest | null {
  const { x, sigma, test, blocks, spikes } = series;
  const back = x.length - 1;
  const last = crossing((i) => (x[back - i]! - level) / sigma[back - i]!, 0, x.length - at, test);
  const lastSpike = spikes.at(-1) ?? Number.NEGATIVE_INFINITY;
  let active = last ? back - last.onset : at;
  while (active + 1 < x.length && blocks[active + 1]!.firstStep <= lastSpike) active++;
  if (risesMore(series, start, at, Math.min(active + 1, x.length - 1))) return null;
  return leftEdge({ blocks, x, at, level }, active, -LEAST_BIAS);
}

/** Whether a series does not sharpen: its last third is not above its first, noise allowed for. */
function isFlat({ x, sigma }: Series): boolean {
  if (x.length < LEAST_BLOCKS) return false;
  const third = Math.floor(x.length * TAIL);
  const rise = median(x, x.length - third) - median(x, 0, third);
  const error = median(sigma, 0, x.length) * Math.sqrt(2 / third) * Math.sqrt(Math.PI / 2);
  return rise <= Math.max(STILL, 2 * error);
}

import { type LossFacts, leftEdge, type Rest, restAtEdge, restBelowEdge } from './convergence.ts';
import { crossing, type Evidence, evidence } from './evidence.ts';
import { type Block, median } from './history.ts';
import { NOISE_WINDOW } from './noise-scale.ts';
import type { PhaseFinding } from './phase-spans.ts';

/** A block this many deviations off both of its neighbours, and three times as far as they are apart, is an outlier. */
const OUTLIER_NOISE = 6;
const OUTLIER_DISTANCE = 3;
/** Places where an edge could be, at least: before there is much of a series, little is sure. */
const LEAST_TESTED = 32;
/** Measurements further apart than this share of the run are interpolated between. */
const SPARSE_GAP = 1 / 50;
/** Blocks to the middle of the window of the noise scale. */
const HALF = NOISE_WINDOW >> 1;
/** A plateau is the last third of a stretch, of so many blocks at least. */
const PLATEAU_SHARE = 1 / 3;
const LEAST_PLATEAU = 8;
/** It is at the threshold within so many deviations of a block. */
const PLATEAU_NOISE = 3;
/** Without these, a sharpness measured too low or high, or another threshold, may be off by this factor. */
const MOST_BIAS = Math.log(1.12);
/** How often a verdict from a plateau is right, and from one that batches make (see the table of docs/detect.md). */
const RESTING = 0.9;
const HOVERING = 0.85;
/** Scatter of a plateau below this share of its error bars: all of it may be off by as much as they say. */
const SYSTEMATIC = 1 / 3;
/** A level is reached within this. */
const REACHED = 0.005;
/** A threshold that is off by less than this is the threshold. */
const LEAST_BIAS = Math.log(1.03);
/** The loss of a stable training does not rise; noise makes it rise at every other step. */
const UNSTABLE_RISES = 0.1;
const UNSTABLE_FACTOR = 3;
const STOCHASTIC_RISES = 0.25;
/** With batches the sharpness hovers: within this it has come to its level. */
const STOCHASTIC_SLACK = 0.024;
const UNSTABLE_SPIKES = 2;
/** A share of the blocks in which a series that does not sharpen is told from one that does. */
const QUARTER = 1 / 4;
const FLAT_RISE = Math.log(1.01);
const LEAST_FLAT = 16;

/** All that is known of a series. */
export interface Known {
  readonly blocks: readonly Block[];
  readonly noise: readonly number[];
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
  readonly x: readonly number[];
  readonly sigma: readonly number[];
  readonly test: Evidence;
}

/** All phases of a history, dated with all of it in view. */
export function analyse(known: Known, options: AnalysisOptions): Analysis {
  const { blocks } = known;
  const x = blocks.map((block) => block.x);
  const sigma = blocks.map((_, i) => noiseAt(known, i));
  const outliers = outlierShare(x, sigma);
  const series: Series = {
    ...known,
    x,
    sigma,
    test: evidence(options.falseAlarms, Math.max(LEAST_TESTED, x.length), outliers),
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
    const rest = restBelowEdge(blocks.slice(over), options.delta, known.loss);
    const phase = rest || over > 0 || !isFlat(series) ? 'progressive-sharpening' : 'flat';
    if (!rest || rest.since > from) findings.push({ phase, since: from, confidence: 1 });
    if (rest) findings.push({ phase: 'convergence', ...rest });
    return { findings, effective: 1, rest: null };
  }
  const since = dateOf(series, edge);
  if (edge.at > over)
    findings.push({ phase: 'progressive-sharpening', since: from, confidence: 1 });
  findings.push({ phase: 'edge-of-stability', since, confidence: edge.confidence });
  const left = leaves(series, edge);
  const found = restAtEdge(blocks.slice(edge.at), options.delta, known.loss);
  const better = found && found.confidence > (known.rest?.confidence ?? 0) ? found : known.rest;
  const rest = better && better.since > since ? better : null;
  const end = rest ?? left;
  if (end) findings.push({ phase: 'convergence', ...end });
  return { findings, effective: Math.exp(edge.level), rest };
}

/**
 * The noise about a block: by the scatter of the window before it, or of the one whose middle it is, since movement only
 * adds to it. Where blocks have error bars, that scatter is in units of them.
 */
function noiseAt({ blocks, noise }: Known, i: number): number {
  const j = Math.min(blocks.length - 1, i + HALF);
  const [own, other] = [blocks[i]!.error, blocks[j]!.error];
  if (own === undefined && other === undefined) return Math.min(noise[i]!, noise[j]!);
  if (own === undefined || other === undefined) return noise[i]!;
  return own * Math.min(noise[i]! / own, noise[j]! / other);
}

/** Step at which the edge was reached: between two measurements that are far apart, where a line through them crosses. */
function dateOf({ x, blocks }: Series, { at, level }: Edge): number {
  const { firstStep } = blocks[at]!;
  const before = blocks[at - 1];
  if (!before) return firstStep;
  const gap = firstStep - before.lastStep;
  const length = blocks.at(-1)!.lastStep - blocks[0]!.firstStep;
  const [low, high] = [before.x - level, x[at]! - level];
  if (gap <= SPARSE_GAP * length || low >= 0 || high <= 0) return firstStep;
  return Math.ceil(before.lastStep + (gap * low) / (low - high));
}

/** Share of isolated outliers, half of one at least. */
function outlierShare(x: readonly number[], sigma: readonly number[]): number {
  let count = 0.5;
  for (let i = 1; i + 1 < x.length; i++) {
    const before = x[i]! - x[i - 1]!;
    const after = x[i]! - x[i + 1]!;
    const apart = Math.abs(x[i + 1]! - x[i - 1]!);
    const off = Math.min(Math.abs(before), Math.abs(after));
    if (before * after > 0 && off > OUTLIER_NOISE * sigma[i]! + OUTLIER_DISTANCE * apart) count++;
  }
  return count / (x.length + 1);
}

/** Number of blocks at the start over the threshold; 0 where that is not sure. */
function overAtStart({ x, sigma, test }: Series, { band, falseAlarms }: AnalysisOptions): number {
  if (!(x[0]! >= Math.log(1 + band))) return 0;
  const down = crossing((i) => -x[i]! / sigma[i]!, 0, x.length, test);
  const over = down ? down.onset : x.length;
  // There is only one start, so what it takes does not grow with the series.
  const enough = Math.log(1 / falseAlarms);
  let sum = 0;
  for (let i = 0; i < over && sum < enough; i++)
    sum += Math.max(-test.most, Math.min(test.most, x[i]! / sigma[i]!));
  return sum >= enough ? over : 0;
}

/** A series that started over the threshold and has never been clearly below it may have come to rest at it. */
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
  const until = crossed?.onset ?? rest?.from ?? x.length;
  // At the edge itself, swings look like noise.
  const noise = PLATEAU_NOISE * typicalNoise(series, over, Math.max(over + 1, until));
  const level = rest?.level ?? 0;
  const near = Math.abs(level) <= Math.max(LEAST_BIAS, Math.min(noise, options.band));
  // A plateau that lies elsewhere is the edge where the training was unstable, all of it behind the crossing.
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
  if (stochastic(series, over, rest.from))
    return {
      at: reaches(x, over, level - STOCHASTIC_SLACK, until),
      confidence: HOVERING,
      level: effective,
    };
  if (near && crossed && noise < LEAST_BIAS)
    return { at: crossed.onset, confidence: 1 - options.falseAlarms, level: 0 };
  // Within half a percent, or the standard error of a median, it is there.
  const slack = Math.max(REACHED, (2 * rest.spread) / Math.sqrt(x.length - over));
  const at = reaches(x, over, level - slack, until);
  return { at: near ? Math.min(at, until) : at, confidence: RESTING, level: effective };
}

/** The noise of a stretch: where blocks have error bars, that at which their precision is the mean one. */
function typicalNoise({ blocks, sigma }: Series, from: number, to: number): number {
  const part = sigma.slice(from, to);
  const bars = blocks.slice(from, to).map(({ error = Number.NaN }) => error);
  const precision = bars.reduce((sum, bar) => sum + bar ** -2, 0) / bars.length;
  if (Number.isNaN(precision)) return median(part);
  return median(part.map((value, i) => value / bars[i]!)) / Math.sqrt(precision);
}

/** The last third of a stretch, where it neither rises nor falls. */
interface Plateau {
  readonly level: number;
  /** Standard deviation of a block about it. */
  readonly spread: number;
  readonly from: number;
}

function plateau({ x, blocks }: Series, start: number, to: number): Plateau | null {
  if (to <= start) return null;
  const first = blocks[start]!.firstStep;
  const last = blocks[to - 1]!.lastStep;
  const begin = last - PLATEAU_SHARE * (last - first);
  let from = to;
  while (from > start && blocks[from - 1]!.firstStep >= begin) from--;
  if (to - from < LEAST_PLATEAU) return null;
  const part = x.slice(from, to);
  const level = median(part);
  const spread = median(part.map((value) => Math.abs(value - level))) / 0.674_489_75;
  const bar = median(blocks.slice(from, to).map(({ error = 0 }) => error));
  if (bar > MOST_BIAS && spread < SYSTEMATIC * bar) return null;
  const half = part.length >> 1;
  const change = median(part.slice(half)) - median(part.slice(0, half));
  // Standard error of the difference of two medians, of half the blocks each.
  const error = spread * Math.sqrt((2 * Math.PI) / part.length);
  return Math.abs(change) <= Math.max(2 * error, LEAST_BIAS) ? { level, spread, from } : null;
}

/** Share of the losses that rose, between two blocks. */
function risingShare({ blocks }: Series, from: number, to: number): number {
  let rises = 0;
  let losses = 0;
  for (let i = from; i < to; i++) {
    rises += blocks[i]!.rises;
    losses += blocks[i]!.losses;
  }
  return rises / Math.max(1, losses);
}

/** Whether the loss rose at every other step before the edge already: batches, or a loss that is noisy otherwise. */
function stochastic(series: Series, start: number, to: number): boolean {
  const early = start + Math.max(1, (to - start) >> 3);
  return risingShare(series, start, early) >= STOCHASTIC_RISES;
}

/** Whether the training was unstable on a plateau: its loss spiked, or rose as it had not before. */
function unstable(series: Series, start: number, { level, spread, from }: Plateau): boolean {
  const { x, blocks, spikes } = series;
  const at = reaches(x, start, level - spread, from);
  const first = blocks[at]!.firstStep;
  if (spikes.filter((step) => step >= first).length >= UNSTABLE_SPIKES) return true;
  return (
    risingShare(series, at, x.length) >=
    Math.max(UNSTABLE_RISES, UNSTABLE_FACTOR * risingShare(series, start, at))
  );
}

/** First block at which the running median, risen from its least before `until`, is at a level. */
function reaches(x: readonly number[], start: number, level: number, until: number): number {
  const reach = Math.max(2, (x.length - start) >> 6);
  // Neighbouring medians are nearly one.
  const stride = Math.max(1, reach >> 2);
  const medianAt = (i: number) => median(x.slice(Math.max(start, i - reach), i + reach + 1));
  let least = start;
  let lowest = Number.POSITIVE_INFINITY;
  for (let i = start; i < until; i += stride) {
    const value = medianAt(i);
    if (value >= lowest) continue;
    lowest = value;
    least = i;
  }
  for (let i = least; i < x.length; i += stride) if (medianAt(i) >= level) return i;
  return Math.min(until, x.length - 1);
}

/** Whether and since when the series is no longer at the edge. */
function leaves({ x, sigma, test, blocks, spikes }: Series, { at, level }: Edge): Rest | null {
  const back = x.length - 1;
  const last = crossing((i) => (x[back - i]! - level) / sigma[back - i]!, 0, x.length - at, test);
  const lastSpike = spikes.at(-1) ?? Number.NEGATIVE_INFINITY;
  let active = last ? back - last.onset : at;
  while (active + 1 < x.length && blocks[active + 1]!.firstStep <= lastSpike) active++;
  const shifted = blocks.slice(at).map((block) => ({ ...block, x: block.x - level }));
  return leftEdge(shifted, active - at, blocks[0]!.firstStep, -LEAST_BIAS);
}

/** Whether a series does not sharpen: its last quarter is not above its first, noise allowed for. */
function isFlat({ x, sigma }: Series): boolean {
  if (x.length < LEAST_FLAT) return false;
  const quarter = Math.floor(x.length * QUARTER);
  const rise = median(x.slice(-quarter)) - median(x.slice(0, quarter));
  const error = median(sigma) * Math.sqrt(2 / quarter) * Math.sqrt(Math.PI / 2);
  return rise <= Math.max(FLAT_RISE, 2 * error);
}

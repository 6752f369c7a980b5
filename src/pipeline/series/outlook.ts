import { normalBelow } from './evidence.ts';
import type { Block } from './history.ts';
import { fitLine, mean } from './line-fit.ts';

/** κ: how far below its end the sharpness may still be in convergence (model.md §8, rule 3). */
const KAPPA = 0.05;
/** A verdict needs so many blocks and so many samples. */
const LEAST_BLOCKS = 16;
const LEAST_SAMPLES = 32;
/** √L has to vary by this factor before anything is extrapolated along it. */
const LEAST_SPAN = 1.05;
/** With a loss above this share of the first one, the training is not over, whatever the sharpness does. */
const SPENT_LOSS = 0.01;
/** Below the edge for so many times as long as it was at it, and not to come back within so many times as long. */
const QUIET_FOR = 2;
const QUIET_AHEAD = 3;
/** … and for this share of the time before, at least. */
const QUIET_SHARE = 1 / 3;
/** Without a loss, sharpness must be at rest so well that it would stay within κ for so many times the past. */
const AT_REST_FOR = 10;
/** Blocks over which sharpness and its oscillation are set against each other. */
const WINDOW = 32;

/** What else has to be known of a series that is at the edge. */
export interface EdgePast {
  readonly firstStep: number;
  /** Loss that the training started from; NaN without a loss. */
  readonly firstLoss: number;
  /** Last step at which the sharpness was over the threshold, noise allowed for, or the loss rose. */
  readonly lastActive: number;
}

/** The verdict that nothing beyond the edge lies ahead. */
export interface Rest {
  /** Step since when it holds, seen from now. */
  readonly since: number;
  /** 0.5 to 1. */
  readonly confidence: number;
}

/**
 * Away from the edge: has the sharpness all but reached the value it is heading for, and is that below the edge?
 *
 * Near a minimum that gradient flow approaches, both S∞ − S and √L shrink as the distance does, so S∞ is where the line
 * through (√L, S) meets L = 0; asked only once the loss has fallen to a hundredth. Without any loss, S is extrapolated in
 * time, for ten times as long. At rest means S ≥ (1 − κ)·S∞ with S∞ ≤ (2 + δ)/η.
 *
 * @param blocks history since the phase began
 * @param firstLoss loss that the training started from; NaN without a loss
 */
export function restBelowEdge(blocks: readonly Block[], delta: number, firstLoss: number): Rest | null {
  const first = blocks[0];
  const last = blocks.at(-1);
  if (!first || !last) return null;
  const half = first.firstStep + (last.lastStep - first.firstStep) / 2;
  const start = blocks.findIndex((block) => block.firstStep >= half);
  const tail = blocks.slice(start);
  if (start < 0 || tail.length < LEAST_BLOCKS || samples(tail) < LEAST_SAMPLES) return null;

  const roots = lossRoots(blocks);
  const tailRoots = roots.slice(start);
  const ratios = tail.map((block) => block.ratio);
  const limit = 1 + delta / 2;
  if (!Number.isNaN(firstLoss)) {
    if (!(tailRoots.at(-1)! ** 2 <= SPENT_LOSS * firstLoss)) return null;
    if (!(Math.max(...tailRoots) > LEAST_SPAN * Math.min(...tailRoots))) return null;
    const fit = fitLine(tailRoots, ratios);
    if (!fit) return null;
    const end = fit.intercept;
    const now = end + fit.slope * tailRoots.at(-1)!;
    if (end + 2 * fit.interceptError > limit || now < (1 - KAPPA) * (end + fit.interceptError)) return null;
    const reach = fit.slope < 0 ? (KAPPA * end) / -fit.slope : Number.POSITIVE_INFINITY;
    const at = backWhile(blocks, (i) => roots[i]! <= reach && near(blocks, i) >= (1 - 2 * KAPPA) * end);
    return { since: blocks[at]!.firstStep, confidence: sure(limit - end, fit.interceptError) };
  }

  const times = tail.map(middle);
  const fit = fitLine(times, ratios);
  if (!fit) return null;
  const now = fit.intercept + fit.slope * times.at(-1)!;
  const ahead = AT_REST_FOR * (last.lastStep - first.firstStep);
  const end = now + (Math.abs(fit.slope) + 2 * fit.slopeError) * ahead;
  if (end > limit || now < (1 - KAPPA) * end) return null;
  const at = backWhile(blocks, (i) => near(blocks, i) >= (1 - KAPPA) * now);
  return { since: blocks[at]!.firstStep, confidence: sure(limit - now, fit.slopeError * ahead) };
}

/**
 * At the edge: is what sharpening is still to come too little to leave the tolerance?
 *
 * At the edge each bit of sharpening is undone by oscillation, and oscillation costs loss: the sharpness falls by
 * k·∑ L·Δt. k comes from the falls so far, and the loss left to come from how the loss decays, L·T with
 * T = 1/|d ln L/dt|. At rest means k·L·T ≤ δ/2. Failing that (a loss that never goes to zero, or none): sharpness below
 * the edge for twice as long as it was at it, and not about to come back.
 *
 * @param blocks history since the edge was reached
 */
export function restAtEdge(blocks: readonly Block[], delta: number, past: EdgePast): Rest | null {
  if (blocks.length < LEAST_BLOCKS || samples(blocks) < LEAST_SAMPLES) return null;
  return oscillationSpent(blocks, delta, past.firstLoss) ?? quietBelow(blocks, past);
}

function oscillationSpent(blocks: readonly Block[], delta: number, firstLoss: number): Rest | null {
  const damping = dampingPerWork(blocks);
  if (damping === null) return null;
  const third = blocks.slice(-Math.max(LEAST_BLOCKS, Math.ceil(blocks.length / 3)));
  const losses = lossRoots(third).map((root) => root * root);
  const times = third.map(middle);
  const fit = fitLine(
    times,
    losses.map((loss) => Math.log(Math.max(loss, 1e-300))),
  );
  if (!fit || fit.slope + 2 * fit.slopeError >= 0) return null;
  const last = blocks.at(-1)!;
  const level = Math.exp(fit.intercept + fit.slope * middle(last));
  if (!(level <= SPENT_LOSS * firstLoss)) return null;
  const ahead = (damping * level) / -fit.slope;
  const tolerance = delta / 2;
  if (!(ahead <= tolerance)) return null;
  const limit = 1 + tolerance;
  const at = backWhile(blocks, (i) => damping * (last.work - blocks[i]!.work) + ahead <= tolerance);
  const since = blocks.findIndex((_, i) => i >= at && near(blocks, i) <= limit);
  if (since < 0) return null;
  const rest = blocks.slice(since);
  const level2 = mean(rest.map((block) => block.ratio));
  if (level2 > limit || near(blocks, since) < (1 - 2 * KAPPA) * level2) return null;
  return { since: blocks[since]!.firstStep, confidence: sure(Math.log(tolerance / ahead), 0.2) };
}

/**
 * k of ΔS = f·Δt − k·∑ L·Δt (in units of the ratio), by least squares over windows within which f counts as constant;
 * null where no fall stands out.
 */
export function dampingPerWork(blocks: readonly Block[]): number | null {
  let xx = 0;
  let xy = 0;
  let yy = 0;
  let n = 0;
  for (let start = 0; start + 4 < blocks.length; start += WINDOW) {
    const end = Math.min(blocks.length, start + WINDOW + 1);
    const xs: number[] = [];
    const ys: number[] = [];
    for (let i = start + 1; i < end; i++) {
      xs.push(blocks[i]!.work - blocks[i - 1]!.work);
      ys.push(blocks[i]!.ratio - blocks[i - 1]!.ratio);
    }
    if (xs.length < 4) continue;
    const meanX = mean(xs);
    const meanY = mean(ys);
    for (let i = 0; i < xs.length; i++) {
      xx += (xs[i]! - meanX) ** 2;
      xy += (xs[i]! - meanX) * (ys[i]! - meanY);
      yy += (ys[i]! - meanY) ** 2;
    }
    n += xs.length;
  }
  if (!(xx > 0) || n < LEAST_BLOCKS) return null;
  const damping = -xy / xx;
  const error = Math.sqrt(Math.max(0, yy - (xy * xy) / xx) / (n - 1) / xx);
  return damping > 3 * error ? damping : null;
}

function quietBelow(blocks: readonly Block[], { firstStep, lastActive }: EdgePast): Rest | null {
  const quiet = blocks.filter((block) => block.firstStep > lastActive);
  if (quiet.length < LEAST_BLOCKS || samples(quiet) < LEAST_SAMPLES) return null;
  const since = quiet[0]!.firstStep;
  const length = quiet.at(-1)!.lastStep - since;
  if (length < QUIET_FOR * (since - blocks[0]!.firstStep) || length < QUIET_SHARE * (since - firstStep)) return null;
  const later = quiet.slice(quiet.length >> 1);
  const fit = fitLine(
    later.map(middle),
    later.map((block) => block.ratio),
  );
  if (!fit) return null;
  const now = fit.intercept + fit.slope * middle(later.at(-1)!);
  if (now + (Math.max(0, fit.slope) + 2 * fit.slopeError) * QUIET_AHEAD * length >= 1) return null;
  return { since, confidence: sure(1 - now, fit.slopeError * length) };
}

/** √L at each block, from the work done between its neighbours; NaN where the loss is unknown. */
function lossRoots(blocks: readonly Block[]): number[] {
  return blocks.map((_, i) => {
    const a = blocks[Math.max(0, i - 1)]!;
    const b = blocks[Math.min(blocks.length - 1, i + 1)]!;
    return Math.sqrt(Math.max(0, (b.work - a.work) / (middle(b) - middle(a))));
  });
}

/** Ratio around block i, over three blocks. */
function near(blocks: readonly Block[], i: number): number {
  const a = blocks[i - 1]?.ratio ?? blocks[i]!.ratio;
  const b = blocks[i + 1]?.ratio ?? blocks[i]!.ratio;
  return (a + blocks[i]!.ratio + b) / 3;
}

/** Least index from which on `holds` is true to the end; the last index if it is not true there. */
function backWhile(blocks: readonly Block[], holds: (index: number) => boolean): number {
  let at = blocks.length - 1;
  while (at > 0 && holds(at - 1)) at--;
  return at;
}

function middle(block: Block): number {
  return (block.firstStep + block.lastStep) / 2;
}

function samples(blocks: readonly Block[]): number {
  let count = 0;
  for (const block of blocks) count += block.count;
  return count;
}

function sure(margin: number, error: number): number {
  return error > 0 ? Math.max(0.5, normalBelow(margin / error)) : 1;
}

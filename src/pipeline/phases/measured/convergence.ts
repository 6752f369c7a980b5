import { log } from '../../numeric/elementary.ts';
import { exp } from '../../numeric/exponential.ts';
import {
  BLOWN_UP,
  KAPPA,
  LEAST_BLOCKS,
  LEAST_FIT,
  LEAST_SWINGS,
  LONGER,
  SPENT,
  STILL,
  TAIL,
} from './constants.ts';
import type { Block } from './history.ts';
import { fitLine, mean } from './line-fit.ts';
import type { LossFacts } from './loss-watch.ts';
import { median } from './median.ts';

/** Since when the training has converged. */
export interface Rest {
  readonly since: number;
  readonly confidence: number;
}

function spent(loss: number, { first, resolution, signed }: LossFacts): boolean {
  return !signed && loss <= SPENT * first && loss >= resolution;
}

/**
 * Away from the edge: has the sharpness all but reached the value it is heading for, and is that
 * below the edge?
 *
 * Near a minimum that gradient flow approaches, both S∞ − S and √L shrink as the distance does, so
 * S∞ is where the line through (√L, S) meets L = 0; asked only once the loss has fallen to a
 * hundredth. Where there is no loss, or it is at rest by then, S is extrapolated in time, for ten
 * times as long. At rest means S ≥ (1 − κ)·S∞ with S∞ ≤ (2 + δ)/η.
 *
 * @param from index of the block with which the phase began
 */
export function restBelowEdge(
  all: readonly Block[],
  from: number,
  delta: number,
  facts: LossFacts,
): Rest | null {
  const first = all[from];
  const last = all.at(-1);
  if (!first || !last) return null;
  const half = first.firstStep + (last.lastStep - first.firstStep) / 2;
  let begin = from;
  while (begin < all.length && all[begin]!.firstStep < half) begin++;
  if (all.length - begin < LEAST_BLOCKS) return null;
  // Most trainings that are looked at are not over: nothing of the rest is asked of them.
  const { loss: before } = all.at(-2)!;
  const root = Math.sqrt((before + last.loss + last.loss) / 3);
  if (!Number.isNaN(facts.first) && !spent(root * root, facts)) return null;

  const blocks = all.slice(from);
  const start = begin - from;
  const tail = blocks.slice(start);
  const roots = smoothed(blocks.map(({ loss }) => loss)).map(Math.sqrt);
  const near = smoothed(blocks.map(({ x }) => exp(x)));
  const tailRoots = roots.slice(start);
  const ratios = near.slice(start);
  const limit = 1 + delta / 2;
  if (Math.max(...tailRoots) > (1 + KAPPA) * Math.min(...tailRoots)) {
    const fit = fitLine(tailRoots, ratios);
    if (!fit) return null;
    const end = fit.intercept;
    const now = end + fit.slope * tailRoots.at(-1)!;
    const error = fit.interceptError;
    if (end + 2 * error > limit || now < (1 - KAPPA) * (end + error)) return null;
    const reach = fit.slope < 0 ? (KAPPA * end) / -fit.slope : Number.POSITIVE_INFINITY;
    const at = backWhile(
      blocks,
      (i) =>
        roots[i]! <= reach &&
        near[i]! >= (1 - 2 * KAPPA) * end &&
        spent(roots[i]! * roots[i]!, facts),
    );
    return { since: blocks[at]!.firstStep, confidence: sure(limit - end, error) };
  }

  const times = tail.map(middle);
  const fit = fitLine(times, ratios);
  if (!fit) return null;
  const now = fit.intercept + fit.slope * times.at(-1)!;
  const ahead = BLOWN_UP * (last.lastStep - first.firstStep);
  const end = now + (Math.abs(fit.slope) + 2 * fit.slopeError) * ahead;
  if (end > limit || now < (1 - KAPPA) * end) return null;
  const at = backWhile(blocks, (i) => near[i]! >= (1 - KAPPA) * now);
  return { since: blocks[at]!.firstStep, confidence: sure(limit - now, fit.slopeError * ahead) };
}

/**
 * At the edge: has the oscillation of the loss become so small that what sharpening is still to
 * come cannot leave the tolerance, S∞ ≤ (1 + δ/2) × the threshold?
 *
 * @param blocks history since the edge was reached
 */
export function restAtEdge(blocks: readonly Block[], delta: number, facts: LossFacts): Rest | null {
  if (blocks.length < 2 * LEAST_BLOCKS) return null;
  const swing = pendulum(blocks);
  if (!swing || !spent(swing.loss, facts)) return null;
  // The sharpness itself hangs a little below the threshold, where the oscillation decays as fast
  // as it does.
  const tolerance = delta / 2 + 1 / (4 * swing.decay);
  if (!(swing.ahead <= tolerance)) return null;
  const date = middle(blocks.at(-1)!) - swing.decay * log(tolerance / swing.ahead);
  const since = blocks.find((block) => block.lastStep >= date)?.firstStep ?? date;
  const rest = blocks.filter((block) => block.firstStep >= since);
  if (mean(rest.map(({ x }) => exp(x))) > 1 + delta / 2) return null;
  return { since: Math.max(blocks[0]!.firstStep, Math.round(date)), confidence: swing.fit };
}

/** A small oscillation about the balance of sharpening and self-stabilization. */
export interface Pendulum {
  /** S∞ − S over the threshold: the sharpening that the flow from here would still bring. */
  readonly ahead: number;
  /** Steps in which it shrinks by e. */
  readonly decay: number;
  /** Loss at the end of the blocks. */
  readonly loss: number;
  /** Share of the curvature of ln L that the oscillation accounts for. */
  readonly fit: number;
}

/**
 * Reads from the loss alone what sharpening is still to come.
 *
 * With x = S/τ − 1 and y the loss of the oscillation, (ln y)' = 2·ln|1 − 2S/τ| ≈ 4x and x' = f −
 * a·x − k·y: f is the sharpening that goes on all the time and a how sharpening itself slows it. So
 * ln y swings about its trend as a damped pendulum, v'' + a·v' + 4f·v = 0. Its period gives f, its
 * damping a. The trend, −1/T, is how f shrinks; the flow alone would be through in 1/(a + 1/T)
 * steps, and bring f/(a + 1/T).
 *
 * @param blocks history since the edge was reached; its last third is used
 * @returns null where the loss does not swing like that
 */
export function pendulum(blocks: readonly Block[]): Pendulum | null {
  const part = blocks.slice(-Math.max(LEAST_BLOCKS, Math.ceil(blocks.length * TAIL)));
  const count = part.length;
  // Loops, since V8 forgets what it has compiled of a function that is made at each call.
  const times = new Float64Array(count);
  const logs = new Float64Array(count);
  const v = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const { loss } = part[i]!;
    // Means over three neighbours each.
    const sum = part[Math.max(0, i - 1)]!.loss + loss + part[Math.min(count - 1, i + 1)]!.loss;
    if (!(sum / 3 > 0)) return null;
    logs[i] = log(sum / 3);
    times[i] = middle(part[i]!);
  }
  const trend = fitLine(times, logs);
  if (!trend || !(trend.slope < 0)) return null;
  const rate = -trend.slope;
  const end = times[count - 1]!;
  // Beyond this a pendulum is no longer a line; below that rounding swings.
  let amplitude = 0;
  for (let i = 0; i < count; i++) {
    v[i] = logs[i]! - trend.intercept - trend.slope * times[i]!;
    amplitude = Math.max(amplitude, Math.abs(v[i]!));
  }
  if (amplitude > 1 || amplitude < STILL) return null;

  let aa = 0;
  let ac = 0;
  let cc = 0;
  let ay = 0;
  let cy = 0;
  let yy = 0;
  // The outermost losses are one-sided.
  for (let i = 2; i + 2 < v.length; i++) {
    const before = times[i]! - times[i - 1]!;
    const after = times[i + 1]! - times[i]!;
    const first = (v[i + 1]! - v[i - 1]!) / (before + after);
    const second =
      (2 * ((v[i + 1]! - v[i]!) / after - (v[i]! - v[i - 1]!) / before)) / (before + after);
    const pull = exp(-rate * (times[i]! - end)) * v[i]!;
    aa += first * first;
    ac += first * pull;
    cc += pull * pull;
    ay -= second * first;
    cy -= second * pull;
    yy += second * second;
  }
  const determinant = aa * cc - ac * ac;
  const damping = (ay * cc - cy * ac) / determinant;
  const stiffness = (aa * cy - ac * ay) / determinant;
  const fit = (damping * ay + stiffness * cy) / yy;
  if (!(fit >= LEAST_FIT && stiffness > 0 && damping + rate > 0)) return null;
  // Anything that bends once fits a part of a swing.
  if (end - times[0]! < (LEAST_SWINGS * (2 * Math.PI)) / Math.sqrt(stiffness)) return null;
  return {
    ahead: stiffness / 4 / (damping + rate),
    decay: 1 / rate,
    loss: exp(trend.intercept + trend.slope * end),
    fit,
  };
}

/**
 * Has the sharpness left the edge by itself: below it for twice as long as it was at it, and not
 * about to come back?
 *
 * @param active index of the last block at the edge
 * @param below x from the effective threshold that is clearly below it
 */
export function leftEdge(
  { blocks, x, at, level }: EdgeHistory,
  active: number,
  below: number,
): Rest | null {
  const from = active + 1;
  const count = blocks.length - from;
  if (count < LEAST_BLOCKS / 4) return null;
  const since = blocks[from]!.firstStep;
  const length = blocks.at(-1)!.lastStep - since;
  if (length < LONGER * (since - blocks[at]!.firstStep)) return null;
  if (length < TAIL * (since - blocks[0]!.firstStep)) return null;
  const half = from + (count >> 1);
  const early = median(x, from, half) - level;
  const late = median(x, half) - level;
  const ahead = late + 3 * Math.max(0, 2 * (late - early));
  return late < below && ahead < 0 ? { since, confidence: 0.9 } : null;
}

/** A history that has been at the edge. */
export interface EdgeHistory {
  readonly blocks: readonly Block[];
  readonly x: readonly number[];
  /** Index of the block with which it came there. */
  readonly at: number;
  /** x of the effective threshold. */
  readonly level: number;
}

/** Means over three neighbours each; of what is unknown, NaN. */
function smoothed(values: readonly number[]): number[] {
  const last = values.length - 1;
  return values.map(
    (value, i) => (values[Math.max(0, i - 1)]! + value + values[Math.min(last, i + 1)]!) / 3,
  );
}

/** Least index from which on `holds` is true to the end; the last index if it is not true there. */
function backWhile(blocks: readonly Block[], holds: (index: number) => boolean): number {
  let at = blocks.length - 1;
  while (at > 0 && holds(at - 1)) at--;
  return at;
}

export function middle(block: Block): number {
  return (block.firstStep + block.lastStep) / 2;
}

/**
 * Probability that a margin is not noise: by Chebyshev's inequality for one side (Cantelli), half
 * at least.
 */
function sure(margin: number, error: number): number {
  if (!(error > 0)) return 1;
  const z = margin / error;
  return Math.max(0.5, (z * z) / (1 + z * z));
}

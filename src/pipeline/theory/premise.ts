import type { Moments } from '../models/minimal/moments.ts';
import { percent, plural } from './check.ts';
import { type Cycle, type RunTable, wholeCycles } from './run-table.ts';

/**
 * What λ₁ ≫ λ₂ means in the checks: λ₁ ≥ 100·λ₂. The picture of a valley floor whose sharpness is λ₁α², with slow motion
 * along it, is right to first order in λ₂/λ₁ only; here that is 1 %.
 */
export const SEPARATION = 100;

/** The same picture takes features that hardly know of each other: of no more correlation than this. */
const CORRELATION = 0.1;

/** Why the moments are not λ₁ ≫ λ₂; undefined where they are. */
export function notSeparated({ lambda1, lambda2, covariance }: Moments): string | undefined {
  const correlation = covariance / Math.sqrt(lambda1 * lambda2);
  if (Math.abs(correlation) > CORRELATION)
    return `it is for features of a correlation up to ${CORRELATION}, and here it is ${Number(correlation.toPrecision(3))}`;
  const ratio = lambda1 / lambda2;
  if (ratio >= SEPARATION) return undefined;
  return `it is for λ₁ ≫ λ₂, at least ${SEPARATION} times, and here λ₁/λ₂ is ${Number(ratio.toPrecision(3))}`;
}

/**
 * Part of the way to 1/α̂ that β₂ may go in one cycle, for a cycle to count as short: 2λ₂/λ₁ times its steps. Averages
 * over a cycle take β₂ to stand still in it, and are off by about this part.
 */
export const SHORT = 0.1;

/**
 * Root mean square of S/(2/η) − 1 over a cycle, for it to count as narrow: no more than this, nor than
 * NARROW_PART of the 1 − αβ₂ that is left at its end. The averages take |α| to be α̂, and are off by the square of its swing, the more
 * the nearer α̂β₂ is to 1.
 */
export const NARROW = 0.07;
const NARROW_PART = 0.4;

/** Whole cycles in a row that are short and narrow: where what holds at the edge on average holds to a few per cent. */
export interface SteadyStretch {
  readonly cycles: readonly Cycle[];
  /** Why no other cycle is among them, or none at all. */
  readonly reason: string;
}

/** The longest such stretch of a run. */
export function steadyStretch(table: RunTable): SteadyStretch {
  const cycles = wholeCycles(table);
  let [first, last] = [0, 0];
  for (let from = 0, k = 0; k <= cycles.length; k++) {
    if (k < cycles.length && isSteady(table, cycles[k]!)) continue;
    if (k - from > last - first) [first, last] = [from, k];
    from = k + 1;
  }
  const stretch = cycles.slice(first, last);
  const narrow = `S stays within ${percent(NARROW)} of 2/η (root mean square)`;
  return {
    cycles: stretch,
    reason: `it is one of averages over cycles in which β₂ goes no more than ${percent(SHORT)} of its way and ${narrow}, or less where αβ₂ is nearly 1; of ${plural(cycles.length, 'whole cycle')} ${stretch.length} in a row are such`,
  };
}

/**
 * Whether the run is in the valley in that row, as far as the columns tell: where sharpening pushes |α| up (0 < αβ₂ < 1)
 * and λ₁α² is the sharpness (|β₁| ≤ ½|α|). There is another edge of stability near α = 0, where λ₁β₁² is the sharpness
 * and α oscillates; nothing here is about that one.
 */
export function inValley(table: RunTable, row: number): boolean {
  if (!table.has('alpha') || !table.has('beta2')) return true;
  const x = product(table, row);
  const beta1 = table.has('beta1') ? table.column('beta1')[row]! : 0;
  return x > 0 && x < 1 && Math.abs(beta1) <= 0.5 * Math.abs(table.column('alpha')[row]!);
}

/** αβ₂ in that row; 0 where the columns do not tell. */
function product(table: RunTable, row: number): number {
  return table.has('alpha') && table.has('beta2')
    ? table.column('alpha')[row]! * table.column('beta2')[row]!
    : 0;
}

/** Whether a cycle is short, narrow and in the valley. */
export function isSteady(table: RunTable, [from, to]: Cycle): boolean {
  const { eta, moments } = table.config;
  const steps = table.step[to]! - table.step[from]!;
  if (!inValley(table, from)) return false;
  if (((2 * moments.lambda2) / moments.lambda1) * steps > SHORT) return false;
  const sharpness = table.column('sharpness');
  let squares = 0;
  for (let i = from; i < to; i++) squares += (0.5 * eta * sharpness[i]! - 1) ** 2;
  const width = Math.min(NARROW, NARROW_PART * (1 - product(table, to)));
  return width > 0 && squares <= width * width * (to - from);
}

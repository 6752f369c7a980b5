import { count } from '../format.ts';
import { onStableSet } from '../models/minimal/flow.ts';
import { solutionAlphaSquared } from '../models/minimal/solution.ts';
import { blockSharpness } from '../models/minimal/theory.ts';
import { log10 } from '../numeric/elementary.ts';
import { notSeparated } from './premise.ts';
import type { RunTable } from './run-table.ts';

/**
 * Why the run can never come back under a sharpness, whatever steps follow; undefined where it
 * still may. It cannot where it has diverged; where β₁ is exactly 0, so that nothing oscillates any
 * more, and gradient flow leads to a minimum over that sharpness; or where it has come to rest over
 * it.
 */
export function stuckOver(table: RunTable, tolerated: number): string | undefined {
  const { config, length, divergedAt } = table;
  if (divergedAt !== null) return `the run diverges at step ${count(divergedAt)}`;
  const last = length - 1;
  const { stability } = table;
  const over = (s: number) => `${stability.ratio(s, config.eta).toFixed(2)} × ${stability.formula}`;
  if (oscillationDead(table) && table.has('gfs_sharpness') && !headsForSaddle(table)) {
    const end = table.column('gfs_sharpness')[last]!;
    // Across the valley, that is: along it, steps over 2/η may still bring it back.
    const valley = config.moments.lambda1 * solutionAlphaSquared(table.column('balance')[last]!);
    if (end > tolerated && valley > tolerated) {
      return (
        'β₁ is exactly 0 at the end, so nothing oscillates any more, and the run heads for a ' +
        `minimum of sharpness ${over(end)}`
      );
    }
  }
  const sharpness = table.column('sharpness')[last]!;
  return sharpness - addedSharpness(table, last) > tolerated && atRest(table)
    ? `the run has come to rest at sharpness ${over(sharpness)}`
    : undefined;
}

/**
 * Why the loss can never come down to ε; undefined where it still may. It cannot on the stable set
 * of the saddle.
 */
export function stuckAbove(table: RunTable, epsilon: number): string | undefined {
  const end = 0.5 * table.config.moments.lambda2;
  if (!(end > epsilon) || !oscillationDead(table) || !headsForSaddle(table)) return undefined;
  return (
    'the run is on the stable set of the saddle α = β₂ = 0 and heads for it, where the loss is ' +
    `½λ₂ = ${end}`
  );
}

/** Whether β₁ is exactly 0 at the end, and stays so. */
function oscillationDead(table: RunTable): boolean {
  if (table.config.moments.covariance !== 0 || !table.has('balance')) return false;
  // A floor lifts it in the first step.
  if (table.config.floor > 0 && table.lastStep === 0) return false;
  const last = table.length - 1;
  if (table.has('log10_abs_beta1'))
    return table.column('log10_abs_beta1')[last] === Number.NEGATIVE_INFINITY;
  // A β₁ that α has multiplied up again, and that is 0 all the same, was lost.
  const size = oscillation(table);
  return size !== undefined && table.column('beta1')[last] === 0 && size[last]! > UNDERFLOW;
}

/** Whether the run is on the stable set of the saddle α = β₂ = 0, as far as the columns tell. */
export function headsForSaddle(table: RunTable): boolean {
  if (!table.has('alpha') || !table.has('beta1') || !table.has('beta2')) return false;
  const last = table.length - 1;
  const [alpha, beta1, beta2] = [
    table.column('alpha')[last]!,
    table.column('beta1')[last]!,
    table.column('beta2')[last]!,
  ];
  return onStableSet({ alpha, beta1, beta2 }, table.config.moments);
}

/** Rows that count as the end of a run, for telling whether it moves. */
const LEAST_END = 100;

/**
 * Whether the run stands still at its end: loss within ε, S the same over its last tenth, no
 * oscillation on the rise.
 */
function atRest(table: RunTable): boolean {
  const { length, config } = table;
  const first = length - Math.max(LEAST_END, Math.floor(length / 10));
  if (first < 0 || !table.has('loss') || !(table.column('loss')[length - 1]! <= config.epsilon))
    return false;
  const sharpness = table.column('sharpness');
  const last = sharpness[length - 1]!;
  for (let i = first; i < length; i++)
    if (!(Math.abs(sharpness[i]! - last) <= 1e-3 * last)) return false;
  // For covariance ≠ 0 the place around which β₁ oscillates moves: only a β₁ that does not move at
  // all is at rest.
  return config.moments.covariance === 0
    ? !oscillationGrows(table, first)
    : !betaMoves(table, first);
}

/** Whether |β₁| is larger at the end than in that row, as far as the columns tell. */
function oscillationGrows(table: RunTable, row: number): boolean {
  const size = oscillation(table);
  return size === undefined || size[table.length - 1]! > size[row]!;
}

/** log₁₀ of the smallest |β₁| that counts: numbers of fewer bits lie below it. */
const UNDERFLOW = -290;

/**
 * log₁₀|β₁| of each row; undefined where the columns do not tell. A file without this column may
 * hold 0 where β₁ is smaller than any float64. How small it is then follows from α, where each row
 * is a step of gradient descent: without covariance β₁ is multiplied by 1 − ηλ₁α².
 */
function oscillation(table: RunTable): Float64Array | undefined {
  if (table.has('log10_abs_beta1')) return table.column('log10_abs_beta1');
  if (!table.has('beta1')) return undefined;
  const size = table.column('beta1').map((beta1) => log10(Math.abs(beta1)));
  const { eta, floor, moments } = table.config;
  const law =
    moments.covariance === 0 &&
    table.stability.optimizer === 'gd' &&
    table.everyStep &&
    table.has('alpha');
  const alpha = law ? table.column('alpha') : undefined;
  for (let i = 1; i < size.length; i++) {
    if (size[i]! > UNDERFLOW) continue;
    if (!alpha) return undefined;
    const factor = 1 - eta * moments.lambda1 * alpha[i - 1]! * alpha[i - 1]!;
    size[i] = Math.max(log10(floor), size[i - 1]! + log10(Math.abs(factor)));
  }
  return size;
}

function betaMoves(table: RunTable, row: number): boolean {
  if (!table.has('beta1')) return true;
  const beta1 = table.column('beta1');
  for (let i = row + 1; i < table.length; i++) if (beta1[i] !== beta1[row]) return true;
  return false;
}

/**
 * Twice what an oscillation of that row's size adds to the sharpness λ₁α² of the valley floor:
 * 4λ₁β₁² for covariance 0.
 */
function addedSharpness(table: RunTable, row: number): number {
  const { lambda1, covariance } = table.config.moments;
  return covariance === 0 && table.has('beta1')
    ? 8 * lambda1 * (table.column('beta1')[row]! * table.column('beta1')[row]!)
    : 0;
}

/**
 * Why an excursion over the threshold that is open at the end will not be brought back; undefined
 * where it may, or where the run says too little. For gradient descent and covariance 0 β₁ is
 * multiplied by 1 − ηλ₁α² in each step, so it must grow in every step in which S is over 2/η by
 * more than the oscillation itself adds, until L₁ pushes |α| down; where neither happens, nothing
 * will.
 */
export function lostReason(table: RunTable, from: number): string | undefined {
  const threshold = table.stability.threshold(table.config.eta);
  const stuck = stuckOver(table, threshold);
  if (stuck) return stuck;
  const { length } = table;
  const { lambda2, covariance } = table.config.moments;
  const size = oscillation(table);
  const law = covariance === 0 && table.stability.optimizer === 'gd';
  if (!law || notSeparated(table.config.moments) || !size) return undefined;
  const [alpha, beta2] = [table.column('alpha'), table.column('beta2')];
  const sharpness = table.column('sharpness');
  const x = alpha[length - 1]! * beta2[length - 1]!;
  if (2 * table.column('l1')[length - 1]! >= lambda2 * x * (1 - x)) return undefined;
  const mustGrow = (i: number) =>
    sharpness[i]! - addedSharpness(table, i) > threshold &&
    blockSharpness(alpha[i]!, beta2[i]!, lambda2) < threshold;
  let first = length;
  while (first > 0 && table.step[first - 1]! >= from && mustGrow(first - 1)) first--;
  if (first >= length - 1 || size[length - 1]! > size[first]!) return undefined;
  return `the excursion from step ${from} is not brought back: the oscillation does not grow in it`;
}

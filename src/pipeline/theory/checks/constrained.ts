import { count } from '../../format.ts';
import { constrainedStep } from '../../models/minimal/constrained.ts';
import { edgeAlpha } from '../../models/minimal/surrogate.ts';
import { agreement, type Check, digits, doesNotApply, type Finding, notReached } from '../check.ts';
import {
  AVERAGE_ERROR,
  type AveragedCycle,
  longestStretch,
  stretchWords,
  tooFew,
} from '../premise.ts';
import { atEdge, type RunTable, wholeCycles } from '../run-table.ts';

/**
 * The constrained trajectory from an upward crossing shadows gradient descent with the oscillation
 * averaged out, over the longest stretch of cycles of which averages can be told (see premise.ts).
 * An error e of the decay of z = 1 − α̂|β₂| moves ln z by e·2λ₂/λ₁ a step, and |β₂| by z/(1 − z) of
 * the sum of that.
 */
export const constrainedShadow: Check = {
  name: 'constrained-trajectory',
  statement:
    'averaged over each cycle, β₂ of gradient descent is that of the constrained trajectory ' +
    'from the first of them (within 1 % and what their swing allows)',
  needs: ['alpha', 'beta2', 'sharpness', 'phase'],
  descent: true,
  everyStep: true,
  noCovariance: true,
  separated: true,
  edge: true,
  recomputes: 'the constrained trajectory',
  run(table): Finding {
    if (wholeCycles(table).length === 0) return notReached('there is no whole cycle yet');
    const stretch = longestStretch(table);
    if (!stretch) return doesNotApply(tooFew(table, 0));
    const shadow = constrainedBeta2(table, stretch.from);
    const fromCrossing = edgeDistance(table, shadow);
    const fromStart = edgeDistance(table, constrainedBeta2(table, 0));
    const { measured, predicted, step, last, allowed } = worstOf(table, stretch.cycles, shadow);
    return agreement(measured, predicted, allowed, {
      steps: [step, last],
      note:
        `${stretchWords(table, stretch)}, the worst from step ${count(step)}; largest |Δβ₂| of ` +
        `a step ${digits(fromCrossing)}, or ${digits(fromStart)} where both start with the run`,
      details: {
        max_distance_from_crossing: fromCrossing,
        max_distance_from_start: fromStart,
      },
    });
  },
};

interface Worst {
  readonly allowed: number;
  readonly measured: number;
  readonly predicted: number;
  readonly step: number;
  readonly last: number;
}

/** The cycle whose mean β₂ comes nearest to what it may be off that of another trajectory. */
function worstOf(table: RunTable, cycles: readonly AveragedCycle[], shadow: Float64Array): Worst {
  const { eta, moments } = table.config;
  const beta2 = table.column('beta2');
  const alphaHat = edgeAlpha(moments.lambda1, eta, table.stability);
  let worst: Worst = { allowed: 0, measured: 0, predicted: 0, step: 0, last: 0 };
  let least = Number.POSITIVE_INFINITY;
  let moved = 0;
  for (const { rows, error } of cycles) {
    const [from, to] = rows;
    const measured = mean(beta2, from, to);
    const predicted = mean(shadow, from, to);
    moved += ((error * 2 * moments.lambda2) / moments.lambda1) * (to - from);
    const x = alphaHat * Math.abs(predicted);
    const allowed = AVERAGE_ERROR + (moved * Math.max(0, 1 - x)) / x;
    const left = allowed - Math.abs(measured / predicted - 1);
    if (left < least)
      worst = {
        ...{ allowed, measured, predicted },
        ...{ step: table.step[from]!, last: table.step[to - 1]! },
      };
    least = Math.min(least, left);
  }
  return worst;
}

/**
 * β₂ of the constrained trajectory that leaves the run at that row, at each row from there on; NaN
 * before.
 */
export function constrainedBeta2(table: RunTable, row: number): Float64Array {
  const { eta, moments } = table.config;
  const alphaHat = edgeAlpha(moments.lambda1, eta, table.stability);
  const path = new Float64Array(table.length).fill(Number.NaN);
  let alpha = Math.max(-alphaHat, Math.min(alphaHat, table.column('alpha')[row]!));
  let beta2 = table.column('beta2')[row]!;
  for (let i = row; i < table.length; i++) {
    path[i] = beta2;
    [alpha, beta2] = constrainedStep(alpha, beta2, moments.lambda2, eta, alphaHat);
  }
  return path;
}

function mean(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i]!;
  return sum / (to - from);
}

/** Largest |Δβ₂| over the rows at the edge of stability. */
export function edgeDistance(table: RunTable, other: Float64Array): number {
  const beta2 = table.column('beta2');
  const phase = table.column('phase');
  let most = 0;
  for (let i = 0; i < table.length; i++) {
    if (atEdge(phase[i]!) && !Number.isNaN(other[i]!))
      most = Math.max(most, Math.abs(beta2[i]! - other[i]!));
  }
  return most;
}

import { count } from '../../format.ts';
import { constrainedStep } from '../../models/minimal/constrained.ts';
import { edgeAlpha } from '../../models/minimal/surrogate.ts';
import { agreement, type Check, digits, doesNotApply, type Finding, notReached } from '../check.ts';
import {
  type AveragedCycle,
  decayOff,
  decayRounding,
  longestStretch,
  stretchWords,
  tooFew,
} from '../premise.ts';
import { atEdge, type RunTable, wholeCycles } from '../run-table.ts';

/**
 * The constrained trajectory from an upward crossing shadows gradient descent with the oscillation
 * averaged out, over the longest stretch of cycles of which averages can be told (see premise.ts).
 * With z = 1 − α̂|β₂| of both, their difference e moves by (2λ₂/λ₁)(g − g' − e) a step, exactly,
 * where g' is that of the constrained trajectory: 0 once it has |α| = α̂.
 */
export const constrainedShadow: Check = {
  name: 'constrained-trajectory',
  statement:
    'averaged over each cycle, β₂ of gradient descent is that of the constrained trajectory ' +
    'from the first of them (within what their swing allows)',
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
    const shadow = constrainedPath(table, stretch.from);
    const fromCrossing = edgeDistance(table, shadow.beta2);
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
function worstOf(table: RunTable, cycles: readonly AveragedCycle[], shadow: Path): Worst {
  const { eta, moments } = table.config;
  const alpha = table.column('alpha');
  const beta2 = table.column('beta2');
  const alphaHat = edgeAlpha(moments.lambda1, eta, table.stability);
  const rate = (2 * moments.lambda2) / moments.lambda1;
  let worst: Worst = { allowed: 0, measured: 0, predicted: 0, step: 0, last: 0 };
  let least = Number.POSITIVE_INFINITY;
  // What of e is first order in the swing, and the size of the rest.
  let [first, rest] = [0, 0];
  for (const { rows } of cycles) {
    const [from, to] = rows;
    const measured = mean(beta2, from, to);
    const predicted = mean(shadow.beta2, from, to);
    let [firsts, rests] = [0, 0];
    for (let i = from; i < to; i++) {
      firsts += first;
      rests += rest;
      const { swing, square } = decayOff(alphaHat, alpha[i]!, beta2[i]!);
      const other = decayOff(alphaHat, shadow.alpha[i]!, shadow.beta2[i]!);
      first += rate * (swing - first);
      rest += rate * (square + Math.abs(other.swing + other.square) - rest);
    }
    const off = (Math.abs(firsts) + rests) / (to - from);
    const allowed = off / (alphaHat * Math.abs(predicted)) + decayRounding(rate);
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

/** α and β₂ at each row. */
interface Path {
  readonly alpha: Float64Array;
  readonly beta2: Float64Array;
}

/** The constrained trajectory that leaves the run at that row, from there on; NaN before. */
function constrainedPath(table: RunTable, row: number): Path {
  const { eta, moments } = table.config;
  const alphaHat = edgeAlpha(moments.lambda1, eta, table.stability);
  const path = {
    alpha: new Float64Array(table.length).fill(Number.NaN),
    beta2: new Float64Array(table.length).fill(Number.NaN),
  };
  let alpha = Math.max(-alphaHat, Math.min(alphaHat, table.column('alpha')[row]!));
  let beta2 = table.column('beta2')[row]!;
  for (let i = row; i < table.length; i++) {
    path.alpha[i] = alpha;
    path.beta2[i] = beta2;
    [alpha, beta2] = constrainedStep(alpha, beta2, moments.lambda2, eta, alphaHat);
  }
  return path;
}

/** β₂ of that. */
export function constrainedBeta2(table: RunTable, row: number): Float64Array {
  return constrainedPath(table, row).beta2;
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

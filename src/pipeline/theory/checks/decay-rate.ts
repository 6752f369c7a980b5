import { edgeAlpha, predictedSlope } from '../../models/minimal/surrogate.ts';
import { log } from '../../numeric/elementary.ts';
import { agreement, type Check } from '../check.ts';
import { averagedStretch, decayOff, decayRounding, stretchWords } from '../premise.ts';
import { atEdge, type RunTable } from '../run-table.ts';

/** At the edge L̂ contracts by (1 − 2λ₂/λ₁)² a step, on average over cycles (see premise.ts). */
export const decayRate: Check = {
  name: 'decay-rate',
  statement:
    'at the edge of stability ln L̂ falls by 2·ln(1 − 2λ₂/λ₁) a step (slope fitted over ten ' +
    'cycles in a row or more, within what their swing allows)',
  needs: ['l_hat', 'phase', 'sharpness', 'alpha', 'beta2'],
  descent: true,
  everyStep: true,
  noCovariance: true,
  separated: true,
  edge: true,
  run(table) {
    const stretch = averagedStretch(table, 'the rate');
    if ('verdict' in stretch) return stretch;
    const { from, to } = stretch;
    const predicted = predictedSlope(table.config.moments, table.stability);
    const weights = fitWeights(table, from, to);
    return agreement(slope(table, weights, from), predicted, slopeError(table, weights, from), {
      steps: [table.step[from]!, table.step[to - 1]!],
      note: stretchWords(table, stretch),
    });
  },
};

/**
 * What the values of rows [from, to) count in a least-squares slope: rows at the edge, those with
 * L̂ = 0 left out.
 */
function fitWeights(table: RunTable, from: number, to: number): Float64Array {
  const surrogate = table.column('l_hat');
  const phase = table.column('phase');
  const fitted = (i: number) => atEdge(phase[from + i]!) && surrogate[from + i]! > 0;
  const weights = new Float64Array(to - from);
  let [rows, sum, squares] = [0, 0, 0];
  for (let i = 0; i < weights.length; i++) {
    if (!fitted(i)) continue;
    rows++;
    sum += i;
  }
  for (let i = 0; i < weights.length; i++) {
    if (!fitted(i)) continue;
    weights[i] = i - sum / rows;
    squares += weights[i]! * weights[i]!;
  }
  return weights.map((weight) => weight / squares);
}

/** The slope of ln L̂. */
function slope(table: RunTable, weights: Float64Array, from: number): number {
  const surrogate = table.column('l_hat');
  const first = log(surrogate[from]!);
  return weights.reduce(
    (sum, weight, i) => (weight === 0 ? sum : sum + weight * (log(surrogate[from + i]!) - first)),
    0,
  );
}

/**
 * What the slope may be off, relative. A step of ln z is ln(1 − s) + ln(1 + s/(1 − s)·g/z) with s =
 * 2λ₂/λ₁ (see AveragedCycle), and the slope is a mean of steps: each counts what the rows behind it
 * do. So it is off by the mean of the second term, at most by the sizes of what in that is first
 * order in the swing, and of the rest of each step.
 */
function slopeError(table: RunTable, weights: Float64Array, from: number): number {
  const { eta, moments } = table.config;
  const edge = edgeAlpha(moments.lambda1, eta, table.stability);
  const rate = (2 * moments.lambda2) / moments.lambda1;
  const alpha = table.column('alpha');
  const beta2 = table.column('beta2');
  let [behind, first, rest, least] = [0, 0, 0, 1];
  for (let i = weights.length - 1; i > 0; i--) {
    behind += weights[i]!;
    const { z, swing, square } = decayOff(edge, alpha[from + i - 1]!, beta2[from + i - 1]!);
    const part = rate / (1 - rate) / z;
    first += behind * part * swing;
    rest += Math.abs(behind * (log(1 + part * (swing + square)) - part * swing));
    least = Math.min(least, z);
  }
  if (!(least > 0)) return Number.POSITIVE_INFINITY;
  return (Math.abs(first) + rest) / -log(1 - rate) + decayRounding(rate, least);
}

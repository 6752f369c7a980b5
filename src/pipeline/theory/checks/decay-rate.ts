import { plural } from '../../format.ts';
import { predictedSlope } from '../../models/minimal/surrogate.ts';
import { log } from '../../numeric/elementary.ts';
import { agreement, type Check, doesNotApply, LEAST_CYCLES, notReached } from '../check.ts';
import { AVERAGE_ERROR, longestStretch, stretchWords, tooFew } from '../premise.ts';
import { atEdge, type RunTable, wholeCycles } from '../run-table.ts';

/** At the edge L̂ contracts by (1 − 2λ₂/λ₁)² a step, on average over cycles (see premise.ts). */
export const decayRate: Check = {
  name: 'decay-rate',
  statement:
    'at the edge of stability ln L̂ falls by 2·ln(1 − 2λ₂/λ₁) a step (slope fitted over ten ' +
    'cycles in a row or more, within 1 % and what their swing allows)',
  needs: ['l_hat', 'phase', 'sharpness', 'alpha', 'beta2'],
  descent: true,
  everyStep: true,
  noCovariance: true,
  separated: true,
  edge: true,
  run(table) {
    const whole = wholeCycles(table).length;
    if (whole < LEAST_CYCLES)
      return notReached(`only ${plural(whole, 'whole cycle')}; the rate is one of averages`);
    const stretch = longestStretch(table);
    if (!stretch || stretch.cycles.length < LEAST_CYCLES)
      return doesNotApply(tooFew(table, stretch?.cycles.length ?? 0));
    const { from, to, error } = stretch;
    const predicted = predictedSlope(table.config.moments, table.stability);
    return agreement(edgeSlope(table, from, to), predicted, AVERAGE_ERROR + error, {
      steps: [table.step[from]!, table.step[to - 1]!],
      note: stretchWords(table, stretch),
    });
  },
};

/**
 * Least-squares slope of ln L̂ over the rows [from, to) at the edge, those with L̂ = 0 left out.
 */
export function edgeSlope(table: RunTable, from = 0, to = table.length): number {
  const surrogate = table.column('l_hat');
  const phase = table.column('phase');
  const xs: number[] = [];
  const ys: number[] = [];
  for (let i = from; i < to; i++) {
    if (!atEdge(phase[i]!) || !(surrogate[i]! > 0)) continue;
    xs.push(table.step[i]!);
    ys.push(log(surrogate[i]!));
  }
  const meanX = xs.reduce((sum, x) => sum + x, 0) / xs.length;
  const meanY = ys.reduce((sum, y) => sum + y, 0) / ys.length;
  let sxy = 0;
  let sxx = 0;
  xs.forEach((x, i) => {
    sxy += (x - meanX) * (ys[i]! - meanY);
    sxx += (x - meanX) * (x - meanX);
  });
  return sxy / sxx;
}

import { predictedSlope } from '../../model/surrogate.ts';
import { agreement, type Check, doesNotApply, LEAST_CYCLES, notReached, plural } from '../check.ts';
import { atEdge, type RunTable, wholeCycles } from '../run-table.ts';

const TOLERANCE = 0.02;

/** At the edge L̂ contracts by (1 − 2λ₂/λ₁)² a step. */
export const decayRate: Check = {
  name: 'decay-rate',
  statement: 'at the edge of stability ln L̂ falls by 2·ln(1 − 2λ₂/λ₁) a step (fitted slope, within 2 %)',
  needs: ['l_hat', 'phase', 'sharpness'],
  noCovariance: true,
  edge: true,
  run(table) {
    const predicted = predictedSlope(table.config.moments);
    if (!(predicted < 0)) return doesNotApply('λ₁ ≤ 2λ₂: there is no such rate');
    const cycles = wholeCycles(table).length;
    if (cycles < LEAST_CYCLES) return notReached(`only ${plural(cycles, 'whole cycle')}; the rate is one of averages`);
    const slope = edgeSlope(table);
    const note = table.everyStep ? {} : { note: 'fitted to the rows that the file has' };
    return agreement(slope, predicted, TOLERANCE, note);
  },
};

/** Least-squares slope of ln L̂ over the rows at the edge, those with L̂ = 0 left out. */
export function edgeSlope(table: RunTable): number {
  const surrogate = table.column('l_hat');
  const phase = table.column('phase');
  const xs: number[] = [];
  const ys: number[] = [];
  for (let i = 0; i < table.length; i++) {
    if (!atEdge(phase[i]!) || !(surrogate[i]! > 0)) continue;
    xs.push(table.step[i]!);
    ys.push(Math.log(surrogate[i]!));
  }
  const meanX = xs.reduce((sum, x) => sum + x, 0) / xs.length;
  const meanY = ys.reduce((sum, y) => sum + y, 0) / ys.length;
  let sxy = 0;
  let sxx = 0;
  xs.forEach((x, i) => {
    sxy += (x - meanX) * (ys[i]! - meanY);
    sxx += (x - meanX) ** 2;
  });
  return sxy / sxx;
}

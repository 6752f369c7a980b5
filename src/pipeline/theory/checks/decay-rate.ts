import { predictedSlope } from '../../models/minimal/surrogate.ts';
import { log } from '../../numeric/elementary.ts';
import {
  agreement,
  type Check,
  digits,
  doesNotApply,
  LEAST_CYCLES,
  notReached,
  percent,
  plural,
} from '../check.ts';
import { steadyStretch } from '../premise.ts';
import { atEdge, type RunTable, wholeCycles } from '../run-table.ts';

const TOLERANCE = 0.02;

/**
 * At the edge L̂ contracts by (1 − 2λ₂/λ₁)² a step, on average over cycles. Where the whole phase is off that, only
 * cycles that are short and narrow can speak against it (see premise.ts): ten of them in a row at least.
 */
export const decayRate: Check = {
  name: 'decay-rate',
  statement:
    'at the edge of stability ln L̂ falls by 2·ln(1 − 2λ₂/λ₁) a step (fitted slope, within 2 %)',
  needs: ['l_hat', 'phase', 'sharpness'],
  noCovariance: true,
  separated: true,
  edge: true,
  run(table) {
    const predicted = predictedSlope(table.config.moments, table.stability);
    const cycles = wholeCycles(table);
    if (cycles.length < LEAST_CYCLES) {
      return notReached(
        `only ${plural(cycles.length, 'whole cycle')}; the rate is one of averages`,
      );
    }
    const thinned = table.everyStep ? [] : ['fitted to the rows that the file has'];
    const whole = edgeSlope(table, cycles[0]![0]);
    const found = agreement(whole, predicted, TOLERANCE, noted(thinned));
    if (found.verdict === 'holds') return found;

    const { cycles: steady, reason } = steadyStretch(table);
    const off = `over the whole phase the slope is ${digits(whole)}, ${percent(Math.abs(whole / predicted - 1))} off`;
    if (steady.length < LEAST_CYCLES) return doesNotApply(`${reason}; ${off}`);
    const [from, to] = [steady[0]![0], steady.at(-1)![1]];
    const where = `over the ${steady.length} cycles from step ${table.step[from]}, short and narrow ones`;
    return agreement(
      edgeSlope(table, from, to),
      predicted,
      TOLERANCE,
      noted([where, off, ...thinned]),
    );
  },
};

function noted(parts: readonly string[]): { note?: string } {
  return parts.length > 0 ? { note: parts.join('; ') } : {};
}

/** Least-squares slope of ln L̂ over the rows [from, to) at the edge, those with L̂ = 0 left out. */
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

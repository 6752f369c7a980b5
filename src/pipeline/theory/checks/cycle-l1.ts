import { count, plural } from '../../format.ts';
import { createCentral } from '../../models/minimal/central.ts';
import { lossSplit } from '../../models/minimal/loss.ts';
import { type Check, digits, doesNotApply, type Finding, notReached, percent } from '../check.ts';
import { averagedCycles, ROUNDING, tooFew } from '../premise.ts';
import { type Cycle, type RunTable, wholeCycles } from '../run-table.ts';
import { predictedColumn } from './mean-l1.ts';

export interface CycleMean {
  readonly first_step: number;
  readonly last_step: number;
  readonly mean_l1: number;
  readonly predicted: number;
  readonly deviation: number;
}

/**
 * The same balance in each cycle of which an average can be told (see premise.ts); how far the
 * central flow from the run's own start is off is told beside it.
 */
export const cycleL1: Check = {
  name: 'mean-l1-per-cycle',
  statement:
    'in each cycle at the edge of stability the mean of L₁ is that of ½·α̂λ₂β₂(1 − α̂β₂), ' +
    'mirrored for α < 0 (within what its swing allows)',
  needs: ['l1', 'alpha', 'beta2', 'sharpness'],
  descent: true,
  everyStep: true,
  noCovariance: true,
  separated: true,
  edge: true,
  recomputes: 'the central flow',
  run(table): Finding {
    const whole = wholeCycles(table);
    if (whole.length === 0) return notReached('there is no whole cycle yet');
    const averaged = averagedCycles(table);
    if (averaged.length === 0) return doesNotApply(tooFew(table, 0));
    const rows = averaged.map((cycle) => cycle.rows);
    const cycles = cycleMeans(table, predictedColumn(table), rows).map((mean, k) => ({
      ...mean,
      allowed: ROUNDING + averaged[k]!.error,
    }));
    const central = table.has('beta1') ? cycleMeans(table, centralL1(table), rows) : [];
    const left = ({ allowed, deviation }: (typeof cycles)[number]) => allowed - Math.abs(deviation);
    const worst = cycles.reduce((a, b) => (left(b) < left(a) ? b : a));
    const { middle } = spreadOf(cycles);
    return {
      verdict: left(worst) >= 0 ? 'holds' : 'fails',
      measured: worst.mean_l1,
      predicted: worst.predicted,
      margin: left(worst),
      steps: [worst.first_step, worst.last_step],
      text: {
        measured:
          `${digits(worst.mean_l1)} in the cycle from step ${count(worst.first_step)}, the ` +
          'nearest to its limit',
        predicted: `${digits(worst.predicted)} there`,
        margin:
          `${percent(Math.abs(worst.deviation))} off, ${percent(worst.allowed)} allowed; median ` +
          `of all ${percent(middle)} off`,
      },
      note: `${cycles.length} of ${plural(whole.length, 'whole cycle')}${centralWords(central)}`,
      details: { median: middle, worst: Math.abs(worst.deviation), cycles, central },
    };
  },
};

/**
 * How far the central flow is off; in cycles in which it is not at the edge it predicts nothing.
 */
function centralWords(central: readonly CycleMean[]): string {
  if (central.length === 0) return '';
  const there = central.filter(({ predicted, mean_l1 }) => predicted > 1e-3 * mean_l1);
  if (there.length === 0)
    return "; the central flow from the run's start is not at the edge in them";
  const { middle, worst } = spreadOf(there);
  const which = there.length < central.length ? `, at the edge in ${there.length} of them,` : '';
  return (
    `; against the central flow from the run's start${which} median ${percent(middle)}, worst ` +
    `${percent(worst)}`
  );
}

/** Median and largest deviation of cycles. */
function spreadOf(cycles: readonly CycleMean[]): { middle: number; worst: number } {
  const sorted = cycles.map(({ deviation }) => Math.abs(deviation)).sort((a, b) => a - b);
  return { middle: sorted[Math.floor((sorted.length - 1) / 2)]!, worst: sorted.at(-1)! };
}

/**
 * L₁ of the central flow that starts where the run does, at each of its rows: it knows nothing of
 * the run after that.
 */
export function centralL1(table: RunTable): Float64Array {
  const { eta, moments } = table.config;
  const [alpha, beta1, beta2] = [
    table.column('alpha')[0]!,
    table.column('beta1')[0]!,
    table.column('beta2')[0]!,
  ];
  const central = createCentral({ alpha, beta1, beta2 }, moments, eta, table.stability);
  return Float64Array.from({ length: table.length }, (_, i) => {
    if (i > 0) central.advance(eta);
    return lossSplit(central.theta, moments).l1;
  });
}

/** Means of L₁ and of a predicted column in each whole cycle, or each of these. */
export function cycleMeans(
  table: RunTable,
  predicted: Float64Array,
  cycles: readonly Cycle[] = wholeCycles(table),
): readonly CycleMean[] {
  const l1 = table.column('l1');
  return cycles.map(([from, to]) => {
    let sum = 0;
    let sumPredicted = 0;
    for (let i = from; i < to; i++) {
      sum += l1[i]!;
      sumPredicted += predicted[i]!;
    }
    return {
      first_step: table.step[from]!,
      last_step: table.step[to - 1]!,
      mean_l1: sum / (to - from),
      predicted: sumPredicted / (to - from),
      deviation: sum / sumPredicted - 1,
    };
  });
}

import { createCentral } from '../../model/central.ts';
import { lossSplit } from '../../model/loss.ts';
import { type Check, digits, type Finding, notReached, percent, plural } from '../check.ts';
import { type RunTable, wholeCycles } from '../run-table.ts';
import { predictedColumn } from './mean-l1.ts';

/** A median within this, and each cycle within the other; wide swings of α make single cycles differ. */
const MEDIAN = 0.05;
const EACH = 0.15;

export interface CycleMean {
  readonly first_step: number;
  readonly last_step: number;
  readonly mean_l1: number;
  readonly predicted: number;
  readonly deviation: number;
}

/** The same balance in each whole cycle; how far the central flow from the run's own start is off is told beside it. */
export const cycleL1: Check = {
  name: 'mean-l1-per-cycle',
  statement:
    'in each whole cycle the mean of L₁ is that of ½·α̂λ₂β₂(1 − α̂β₂) (median deviation within 5 %, each within 15 %)',
  needs: ['l1', 'alpha', 'beta2', 'sharpness'],
  everyStep: true,
  noCovariance: true,
  edge: true,
  recomputes: 'the central flow',
  run(table): Finding {
    const cycles = cycleMeans(table, predictedColumn(table));
    if (cycles.length === 0) return notReached('there is no whole cycle yet');
    const { middle, worst, worstCycle } = spreadOf(cycles);
    const central = table.has('beta1') ? cycleMeans(table, centralL1(table)) : [];
    const beside = central.length === 0 ? undefined : spreadOf(central);
    return {
      verdict: middle <= MEDIAN && worst <= EACH ? 'holds' : 'fails',
      measured: worstCycle.mean_l1,
      predicted: worstCycle.predicted,
      margin: Math.min(EACH - worst, MEDIAN - middle),
      text: {
        measured: `worst ${digits(worstCycle.mean_l1)} (from step ${worstCycle.first_step})`,
        predicted: `${digits(worstCycle.predicted)} there`,
        margin: `${percent(worst)} off, ${percent(EACH)} allowed; median ${percent(middle)}, ${percent(MEDIAN)} allowed`,
      },
      note: `${plural(cycles.length, 'whole cycle')}${beside ? `; against the central flow from the run's start median ${percent(beside.middle)}, worst ${percent(beside.worst)}` : ''}`,
      details: { median: middle, worst, cycles, central },
    };
  },
};

/** Median and largest deviation of cycles. */
function spreadOf(cycles: readonly CycleMean[]): { middle: number; worst: number; worstCycle: CycleMean } {
  const sorted = [...cycles].sort((a, b) => Math.abs(a.deviation) - Math.abs(b.deviation));
  const worstCycle = sorted.at(-1)!;
  const middle = Math.abs(sorted[Math.floor((sorted.length - 1) / 2)]!.deviation);
  return { middle, worst: Math.abs(worstCycle.deviation), worstCycle };
}

/** L₁ of the central flow that starts where the run does, at each of its rows: it knows nothing of the run after that. */
export function centralL1(table: RunTable): Float64Array {
  const { eta, moments } = table.config;
  const [alpha, beta1, beta2] = [table.column('alpha')[0]!, table.column('beta1')[0]!, table.column('beta2')[0]!];
  const central = createCentral({ alpha, beta1, beta2 }, moments, eta);
  return Float64Array.from({ length: table.length }, (_, i) => {
    if (i > 0) central.advance(eta);
    return lossSplit(central.theta, moments).l1;
  });
}

/** Means of L₁ and of a predicted column in each whole cycle. */
export function cycleMeans(table: RunTable, predicted: Float64Array): readonly CycleMean[] {
  const l1 = table.column('l1');
  return wholeCycles(table).map(([from, to]) => {
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

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

/** The same balance in each whole cycle. */
export const cycleL1: Check = {
  name: 'mean-l1-per-cycle',
  statement:
    'in each whole cycle the mean of L₁ is that of ½·α̂λ₂β₂(1 − α̂β₂) (median deviation within 5 %, each within 15 %)',
  needs: ['l1', 'alpha', 'beta2', 'sharpness'],
  everyStep: true,
  noCovariance: true,
  edge: true,
  run: (table) => cycleFinding(table, predictedColumn(table)),
};

/** Holds the mean of L₁ in each whole cycle against that of a predicted column. */
export function cycleFinding(table: RunTable, predicted: Float64Array): Finding {
  const cycles = cycleMeans(table, predicted);
  if (cycles.length === 0) return notReached('there is no whole cycle yet');
  const deviations = cycles.map(({ deviation }) => Math.abs(deviation)).sort((a, b) => a - b);
  const middle = deviations[Math.floor((deviations.length - 1) / 2)]!;
  const worst = deviations.at(-1)!;
  const worstCycle = cycles.find(({ deviation }) => Math.abs(deviation) === worst)!;
  return {
    verdict: middle <= MEDIAN && worst <= EACH ? 'holds' : 'fails',
    measured: worstCycle.mean_l1,
    predicted: worstCycle.predicted,
    margin: Math.min(EACH - worst, MEDIAN - middle),
    text: {
      measured: `median ${percent(middle)} off, worst ${percent(worst)}`,
      predicted: `worst: ${digits(worstCycle.mean_l1)} for ${digits(worstCycle.predicted)}`,
      margin: `${percent(MEDIAN)} and ${percent(EACH)} allowed`,
    },
    note: `${plural(cycles.length, 'whole cycle')}; the worst is that from step ${worstCycle.first_step}`,
    details: { median: middle, worst, cycles },
  };
}

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

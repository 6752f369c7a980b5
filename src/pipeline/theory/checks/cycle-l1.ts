import { createCentral } from '../../models/minimal/central.ts';
import { lossSplit } from '../../models/minimal/loss.ts';
import {
  type Check,
  digits,
  doesNotApply,
  type Finding,
  LEAST_CYCLES,
  notReached,
  percent,
  plural,
} from '../check.ts';
import { isSteady, steadyStretch } from '../premise.ts';
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

/**
 * The same balance in each whole cycle; how far the central flow from the run's own start is off is told beside it. Where
 * some cycle is off, only those that are short and narrow can speak against it (see premise.ts), and their median where
 * there are ten of them.
 */
export const cycleL1: Check = {
  name: 'mean-l1-per-cycle',
  statement:
    'in each whole cycle the mean of L₁ is that of ½·α̂λ₂β₂(1 − α̂β₂), mirrored for α < 0 (median deviation within 5 %, each within 15 %)',
  needs: ['l1', 'alpha', 'beta2', 'sharpness'],
  everyStep: true,
  noCovariance: true,
  separated: true,
  edge: true,
  recomputes: 'the central flow',
  run(table): Finding {
    const whole = wholeCycles(table);
    const cycles = cycleMeans(table, predictedColumn(table));
    if (cycles.length === 0) return notReached('there is no whole cycle yet');
    const central = table.has('beta1') ? cycleMeans(table, centralL1(table)) : [];
    const beside = centralWords(central);
    const all = spreadOf(cycles);
    if (agrees(all)) return finding(all, `${plural(cycles.length, 'whole cycle')}${beside}`);

    const steady = cycles.filter((_, k) => isSteady(table, whole[k]!));
    const off = `of ${plural(cycles.length, 'whole cycle')} the worst is ${percent(all.worst)} off, the median ${percent(all.middle)}`;
    if (steady.length === 0) return doesNotApply(`${steadyStretch(table).reason}; ${off}`);
    const part = spreadOf(steady);
    const few = steady.length < LEAST_CYCLES;
    const note = `the ${plural(steady.length, 'cycle')} that are short and narrow, of ${cycles.length}; ${off}${beside}`;
    return finding(few ? { ...part, middle: Math.min(part.middle, MEDIAN) } : part, note);

    function finding({ middle, worst, worstCycle }: Spread, note: string): Finding {
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
        note,
        details: { median: middle, worst, cycles, central },
      };
    }
  },
};

interface Spread {
  readonly middle: number;
  readonly worst: number;
  readonly worstCycle: CycleMean;
}

const agrees = ({ middle, worst }: Spread) => middle <= MEDIAN && worst <= EACH;

/** How far the central flow is off; in cycles in which it is not at the edge it predicts nothing. */
function centralWords(central: readonly CycleMean[]): string {
  if (central.length === 0) return '';
  const there = central.filter(({ predicted, mean_l1 }) => predicted > 1e-3 * mean_l1);
  if (there.length === 0)
    return "; the central flow from the run's start is not at the edge in them";
  const { middle, worst } = spreadOf(there);
  const which = there.length < central.length ? `, at the edge in ${there.length} of them,` : '';
  return `; against the central flow from the run's start${which} median ${percent(middle)}, worst ${percent(worst)}`;
}

/** Median and largest deviation of cycles. */
function spreadOf(cycles: readonly CycleMean[]): Spread {
  const sorted = [...cycles].sort((a, b) => Math.abs(a.deviation) - Math.abs(b.deviation));
  const worstCycle = sorted.at(-1)!;
  const middle = Math.abs(sorted[Math.floor((sorted.length - 1) / 2)]!.deviation);
  return { middle, worst: Math.abs(worstCycle.deviation), worstCycle };
}

/** L₁ of the central flow that starts where the run does, at each of its rows: it knows nothing of the run after that. */
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

import { edgeAlpha, predictedMeanL1 } from '../../models/minimal/surrogate.ts';
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

const TOLERANCE = 0.03;

/**
 * On average the oscillation cancels sharpening: over all whole cycles, since a part of one may hold any part of its
 * spike. Where that is off, only cycles that are short and narrow can speak against it (see premise.ts): ten of them in
 * a row at least.
 */
export const meanL1: Check = {
  name: 'mean-l1',
  statement:
    'over the whole cycles at the edge of stability the mean of L₁ is that of ½·α̂λ₂β₂(1 − α̂β₂), mirrored for α < 0 (within 3 %)',
  needs: ['l1', 'alpha', 'beta2', 'phase', 'sharpness'],
  everyStep: true,
  noCovariance: true,
  separated: true,
  edge: true,
  run(table) {
    const cycles = wholeCycles(table);
    if (cycles.length < LEAST_CYCLES) {
      return notReached(
        `only ${plural(cycles.length, 'whole cycle')}; the formula is one of averages`,
      );
    }
    const predicted = predictedColumn(table);
    const phase = edgeMeans(table, predicted, 0, table.length);
    const all = edgeMeans(table, predicted, cycles[0]![0], cycles.at(-1)![1]);
    const beside = `over the whole phase, with the parts of cycles at its ends, ${digits(phase.mean)} against ${digits(phase.predicted)}`;
    const details = {
      phase_mean: phase.mean,
      phase_predicted: phase.predicted,
      phase_steps: phase.rows,
    };
    const found = agreement(all.mean, all.predicted, TOLERANCE, {
      note: `over ${plural(all.rows, 'step')}; ${beside}`,
      details,
    });
    if (found.verdict === 'holds') return found;

    const { cycles: steady, reason } = steadyStretch(table);
    const off = `over all cycles the mean is ${percent(Math.abs(all.mean / all.predicted - 1))} off`;
    if (steady.length < LEAST_CYCLES) return doesNotApply(`${reason}; ${off}`);
    const [from, to] = [steady[0]![0], steady.at(-1)![1]];
    const part = edgeMeans(table, predicted, from, to);
    const note = `over the ${steady.length} cycles from step ${table.step[from]}, short and narrow ones; ${off}`;
    return agreement(part.mean, part.predicted, TOLERANCE, { note, details });
  },
};

/** Means of L₁ and of the prediction over the rows [from, to) at the edge. */
function edgeMeans(table: RunTable, predicted: Float64Array, from: number, to: number) {
  const phase = table.column('phase');
  const l1 = table.column('l1');
  let sum = 0;
  let sumPredicted = 0;
  let rows = 0;
  for (let i = from; i < to; i++) {
    if (!atEdge(phase[i]!)) continue;
    sum += l1[i]!;
    sumPredicted += predicted[i]!;
    rows++;
  }
  return { mean: sum / rows, predicted: sumPredicted / rows, rows };
}

/** ½·α̂λ₂β₂(1 − α̂β₂) of each row, mirrored where its α is negative. */
export function predictedColumn(table: RunTable): Float64Array {
  const { eta, moments } = table.config;
  const alphaHat = edgeAlpha(moments.lambda1, eta, table.stability);
  const alpha = table.column('alpha');
  const beta2 = table.column('beta2');
  return alpha.map((a, i) => predictedMeanL1(a, beta2[i]!, moments.lambda2, alphaHat));
}

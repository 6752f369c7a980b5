import { edgeAlpha, predictedMeanL1 } from '../../model/surrogate.ts';
import { agreement, type Check, LEAST_CYCLES, notReached, plural } from '../check.ts';
import { atEdge, type RunTable, wholeCycles } from '../run-table.ts';

const TOLERANCE = 0.03;

/** Over the whole phase: on average the oscillation cancels sharpening. */
export const meanL1: Check = {
  name: 'mean-l1',
  statement: 'over the edge of stability the mean of L₁ is that of ½·α̂λ₂β₂(1 − α̂β₂) (within 3 %)',
  needs: ['l1', 'alpha', 'beta2', 'phase', 'sharpness'],
  everyStep: true,
  noCovariance: true,
  edge: true,
  run(table) {
    const cycles = wholeCycles(table).length;
    if (cycles < LEAST_CYCLES)
      return notReached(`only ${plural(cycles, 'whole cycle')}; the formula is one of averages`);
    const phase = table.column('phase');
    const l1 = table.column('l1');
    const predicted = predictedColumn(table);
    let sum = 0;
    let sumPredicted = 0;
    let rows = 0;
    for (let i = 0; i < table.length; i++) {
      if (!atEdge(phase[i]!)) continue;
      sum += l1[i]!;
      sumPredicted += predicted[i]!;
      rows++;
    }
    return agreement(sum / rows, sumPredicted / rows, TOLERANCE, { note: `over ${plural(rows, 'step')}` });
  },
};

/** ½·α̂λ₂β₂(1 − α̂β₂) of each row. */
export function predictedColumn(table: RunTable): Float64Array {
  const { eta, moments } = table.config;
  const alphaHat = edgeAlpha(moments.lambda1, eta);
  const alpha = table.column('alpha');
  const beta2 = table.column('beta2');
  return alpha.map((a, i) => predictedMeanL1(a, beta2[i]!, moments.lambda2, alphaHat));
}

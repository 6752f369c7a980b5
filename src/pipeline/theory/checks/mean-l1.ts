import { edgeAlpha, predictedMeanL1 } from '../../models/minimal/surrogate.ts';
import { agreement, type Check, digits } from '../check.ts';
import { averagedStretch, averageError, ROUNDING, stretchWords } from '../premise.ts';
import { atEdge, type RunTable } from '../run-table.ts';

/**
 * On average the oscillation cancels sharpening: over whole cycles, since a part of one may hold
 * any part of its spike (see premise.ts).
 */
export const meanL1: Check = {
  name: 'mean-l1',
  statement:
    'at the edge of stability the mean of L₁ is that of ½·α̂λ₂β₂(1 − α̂β₂), mirrored for α < ' +
    '0 (over ten cycles in a row or more, within what their swing allows)',
  needs: ['l1', 'alpha', 'beta2', 'phase', 'sharpness'],
  descent: true,
  everyStep: true,
  noCovariance: true,
  separated: true,
  edge: true,
  run(table) {
    const stretch = averagedStretch(table, 'the formula');
    if ('verdict' in stretch) return stretch;
    const predicted = predictedColumn(table);
    const { from, to } = stretch;
    const part = means(table, predicted, (row) => row >= from && row < to);
    const labels = table.column('phase');
    const phase = means(table, predicted, (row) => atEdge(labels[row]!));
    return agreement(part.mean, part.predicted, ROUNDING + averageError(table, [from, to]), {
      steps: [table.step[from]!, table.step[to - 1]!],
      note:
        `${stretchWords(table, stretch)}; over the whole phase, with the parts of cycles at its ` +
        `ends, ${digits(phase.mean)} against ${digits(phase.predicted)}`,
      details: {
        phase_mean: phase.mean,
        phase_predicted: phase.predicted,
        phase_steps: phase.rows,
      },
    });
  },
};

/** Means of L₁ and of the prediction over some rows. */
function means(table: RunTable, predicted: Float64Array, of: (row: number) => boolean) {
  const l1 = table.column('l1');
  let sum = 0;
  let sumPredicted = 0;
  let rows = 0;
  for (let i = 0; i < table.length; i++) {
    if (!of(i)) continue;
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

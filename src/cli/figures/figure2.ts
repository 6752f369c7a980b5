import { loss } from '../../dash/plots/series/loss.ts';
import { split } from '../../dash/plots/series/split.ts';
import { formatNumber } from '../../pipeline/format.ts';
import { predictedSlope } from '../../pipeline/models/minimal/surrogate.ts';
import { firstCrossing, type RunTable } from '../../pipeline/theory/run-table.ts';
import { type FigureSpec, tooShort } from './figure.ts';
import { plottableRun, seriesPanel } from './run-lines.ts';
import { glued, parameters } from './words.ts';

/**
 * L, L₂ and L̂ in log scale with the predicted slope; L₁ and L₂, of which L₁ is near zero but for
 * spikes.
 */
export const figure2: FigureSpec = {
  number: 2,
  preset: 'paper',
  needs: ['loss', 'l1', 'l2', 'l_hat', 'sharpness'],
  unfit: tooShort,
  draw(table, theme) {
    const slope = predictedSlope(table.config.moments, table.stability);
    const crossing = firstCrossing(table);
    const prediction =
      crossing < 0
        ? `The run never comes to ${table.stability.formula}. `
        : slope < 0
          ? `Theory has ln L̂ fall by 2·ln(1 − 2λ₂/λ₁) = ${formatNumber(slope, 3)} a step at ` +
            'the edge (dashed). '
          : '';
    return {
      title:
        crossing >= 0 && table.divergedAt === null
          ? 'The loss splits into a part that converges and one that oscillates'
          : 'The two parts of the loss',
      caption: glued(
        `${parameters(table)}. Left: the loss L, its convergent part L₂ = ½λ₂(αβ₂ − 1)² and ` +
          `the surrogate L̂ = ½λ₂(${heldAlpha(table)}β₂ − 1)², in which α is held at the edge ` +
          `α̂ = √(2/(ηλ₁)). ${prediction}Right: the oscillatory part L₁ = ` +
          `½λ₁(αβ₁)²${isSpiky(table.column('l1')) ? ' is near zero but for spikes' : ', and L₂'}.`,
      ),
      panels: [
        seriesPanel(loss, plottableRun(table), theme, { title: 'Convergent part, logarithmic' }),
        seriesPanel(split, plottableRun(table), theme, {
          title: 'Oscillatory and convergent part',
        }),
      ],
    };
  },
};

/** α held at the edge, on the run's own side; by the sign of each step where that changes. */
function heldAlpha(table: RunTable): string {
  const alpha = table.has('alpha') ? table.column('alpha') : Float64Array.of(table.config.init[0]);
  if (alpha.every((value) => value >= 0)) return 'α̂';
  return alpha.every((value) => value < 0) ? '−α̂' : 'sign(α)α̂';
}

/** Whether half of the steps lie under a hundredth of the largest. */
function isSpiky(values: Float64Array): boolean {
  const sorted = values.slice().sort();
  return sorted[Math.floor(sorted.length / 2)]! < 0.01 * sorted.at(-1)!;
}

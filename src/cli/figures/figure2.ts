import { predictedSlope } from '../../pipeline/model/surrogate.ts';
import { atEdge, firstCrossing, type RunTable } from '../../pipeline/theory/run-table.ts';
import { curve, grids } from './curves.ts';
import type { FigureSpec } from './figure.ts';
import { glued, parameters, power, powers, powerTick } from './words.ts';

/** L, L₂ and L̂ in log scale with the predicted slope; L₁ and L₂, of which L₁ is near zero but for spikes. */
export const figure2: FigureSpec = {
  number: 2,
  preset: 'paper',
  draw(table, theme, plot) {
    const { step } = table;
    const loss = table.column('loss');
    const l1 = table.column('l1');
    const l2 = table.column('l2');
    const surrogate = table.column('l_hat');
    const slope = predictedSlope(table.config.moments);
    const crossing = firstCrossing(table);
    const sign = table.column('alpha')[0]! < 0 ? '−' : '';
    const values = [loss, l2, surrogate].flatMap((column) => [...column.filter((value) => value > 0)]);
    const high = values.reduce((a, b) => Math.max(a, b), 0);
    // A curve that passes through 0 would drag the axis to the end of the world.
    const low = Math.max(
      values.reduce((a, b) => Math.min(a, b)),
      high * 1e-12,
    );
    const guide = guideLine(table, slope, low);
    const ticks = powers(low, high);
    const shown = (column: Float64Array) => column.map((value) => (value >= low ? value : Number.NaN));
    return {
      title: 'The loss splits into a part that converges and one that oscillates',
      caption: glued(
        `${parameters(table)}. Left: the loss L, its convergent part L₂ = ½λ₂(αβ₂ − 1)² and the surrogate L̂ = ½λ₂(${sign}α̂β₂ − 1)², in which α is held at the edge α̂ = √(2/(ηλ₁)). ${crossing < 0 ? 'The run never comes to 2/η.' : `At the edge ln L̂ falls by 2·ln(1 − 2λ₂/λ₁) = ${power(slope, 3)} a step (dashed, moved up to be seen).`} Right: the oscillatory part L₁ = ½λ₁(αβ₁)² is near zero but for spikes.`,
      ),
      panels: [
        {
          title: 'Convergent part, logarithmic',
          legend: [
            { label: 'L', color: theme.orange, kind: 'line', width: 1.4 },
            { label: 'L₂', color: theme.green, kind: 'line', dash: '2 3' },
            { label: 'L̂', color: theme.blue, kind: 'line', width: 3 },
            ...(guide.length > 0
              ? [{ label: 'predicted slope', color: theme.text, kind: 'line', dash: '7 5', width: 1.8 } as const]
              : []),
          ],
          options: {
            x: { label: 'step t' },
            y: { type: 'log', label: 'loss (log scale)', domain: [low, high], ticks, tickFormat: powerTick },
            marks: [
              ...grids(plot, theme, ticks),
              curve(plot, step, shown(loss), { color: theme.orange, width: 1.1 }),
              curve(plot, step, shown(surrogate), { color: theme.blue, width: 3 }),
              curve(plot, step, shown(l2), { color: theme.green, width: 1.8, dash: '2 3' }),
              plot.line(guide, { x: 'x', y: 'y', stroke: theme.text, strokeWidth: 1.8, strokeDasharray: '7 5' }),
            ],
          },
        },
        {
          title: 'Oscillatory and convergent part',
          legend: [
            { label: 'L₁', color: theme.orange, kind: 'line' },
            { label: 'L₂', color: theme.green, kind: 'line', dash: '2 3' },
          ],
          options: {
            x: { label: 'step t' },
            y: { label: 'loss', zero: true },
            marks: [
              ...grids(plot, theme),
              curve(plot, step, l1, { color: theme.orange, width: 1.2 }),
              curve(plot, step, l2, { color: theme.green, width: 2.2, dash: '2 3' }),
            ],
          },
        },
      ],
    };
  },
};

/** A straight line of the predicted slope through the edge of stability, above L̂ by a third of a decade, down to `low`. */
function guideLine(table: RunTable, slope: number, low: number): readonly { x: number; y: number }[] {
  const crossing = firstCrossing(table);
  if (crossing < 0) return [];
  const { step } = table;
  const from = step[crossing]!;
  const start = 2.2 * table.column('l_hat')[crossing]!;
  const last = table.has('phase') ? table.column('phase').findLastIndex(atEdge) : table.length - 1;
  const to = Math.min(step[last]!, from + Math.log(low / start) / slope);
  return to > from ? [from, to].map((x) => ({ x, y: start * Math.exp(slope * (x - from)) })) : [];
}

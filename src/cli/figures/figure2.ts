import { predictedSlope } from '../../pipeline/models/minimal/surrogate.ts';
import { atEdge, firstCrossing, type RunTable } from '../../pipeline/theory/run-table.ts';
import { curve, grids, stepAxis, valueAxis } from './curves.ts';
import { type FigureSpec, tooShort } from './figure.ts';
import { glued, parameters, power, powers, powerTick } from './words.ts';

/** L, L₂ and L̂ in log scale with the predicted slope; L₁ and L₂, of which L₁ is near zero but for spikes. */
export const figure2: FigureSpec = {
  number: 2,
  preset: 'paper',
  needs: ['loss', 'l1', 'l2', 'l_hat', 'sharpness'],
  unfit: tooShort,
  draw(table, theme, plot) {
    const { step } = table;
    const loss = table.column('loss');
    const l1 = table.column('l1');
    const l2 = table.column('l2');
    const surrogate = table.column('l_hat');
    const slope = predictedSlope(table.config.moments);
    const crossing = firstCrossing(table);
    const parts = valueAxis(plot, 'loss', [l1, l2], theme);
    const values = [loss, l2, surrogate].flatMap((column) => [
      ...column.filter((value) => value > 0),
    ]);
    const high = values.reduce((a, b) => Math.max(a, b), 0);
    const middle = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 1;
    // A curve that passes through 0 would drag the axis to the end of the world.
    const low = Math.max(
      values.reduce((a, b) => Math.min(a, b), high),
      Math.min(high * 1e-12, 1e-6 * middle),
    );
    const guide = guideLine(table, slope, low);
    const ticks = powers(low, high);
    const shown = (column: Float64Array) =>
      column.map((value) => (value >= low ? value : Number.NaN));
    const prediction =
      crossing < 0
        ? 'The run never comes to 2/η. '
        : guide.length > 0
          ? `Theory has ln L̂ fall by 2·ln(1 − 2λ₂/λ₁) = ${power(slope, 3)} a step at the edge (dashed, moved up to be seen). `
          : '';
    return {
      title:
        crossing >= 0 && table.divergedAt === null
          ? 'The loss splits into a part that converges and one that oscillates'
          : 'The two parts of the loss',
      caption: glued(
        `${parameters(table)}. Left: the loss L, its convergent part L₂ = ½λ₂(αβ₂ − 1)² and the surrogate L̂ = ½λ₂(${heldAlpha(table)}β₂ − 1)², in which α is held at the edge α̂ = √(2/(ηλ₁)). ${prediction}Right: the oscillatory part L₁ = ½λ₁(αβ₁)²${isSpiky(l1) ? ' is near zero but for spikes' : ', and L₂'}.`,
      ),
      panels: [
        {
          title: 'Convergent part, logarithmic',
          legend: [
            { label: 'L', color: theme.orange, kind: 'line', width: 1.4 },
            { label: 'L₂', color: theme.green, kind: 'line', dash: '2 3' },
            { label: 'L̂', color: theme.blue, kind: 'line', width: 3 },
            ...(guide.length > 0
              ? [
                  {
                    label: 'predicted slope',
                    color: theme.text,
                    kind: 'line',
                    dash: '7 5',
                    width: 1.8,
                  } as const,
                ]
              : []),
          ],
          options: {
            x: stepAxis(step),
            y: {
              type: 'log',
              label: 'loss (log scale)',
              domain: [low, high],
              ticks,
              tickFormat: powerTick,
            },
            marks: [
              ...grids(plot, theme, ticks),
              curve(plot, step, shown(loss), { color: theme.orange, width: 1.1 }),
              curve(plot, step, shown(surrogate), { color: theme.blue, width: 3 }),
              curve(plot, step, shown(l2), { color: theme.green, width: 1.8, dash: '2 3' }),
              plot.line(guide, {
                x: 'x',
                y: 'y',
                stroke: theme.text,
                strokeWidth: 1.8,
                strokeDasharray: '7 5',
                clip: 'frame',
              }),
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
            x: stepAxis(step),
            y: parts.scale,
            marks: [
              ...parts.grid,
              curve(plot, step, parts.shown(l1), { color: theme.orange, width: 1.2 }),
              curve(plot, step, parts.shown(l2), { color: theme.green, width: 2.2, dash: '2 3' }),
            ],
          },
        },
      ],
    };
  },
};

/** A straight line of the predicted slope through the edge of stability, above L̂ by a third of a decade, down to `low`. */
function guideLine(
  table: RunTable,
  slope: number,
  low: number,
): readonly { x: number; y: number }[] {
  const crossing = firstCrossing(table);
  if (crossing < 0 || !(slope < 0)) return [];
  const { step } = table;
  const from = step[crossing]!;
  const start = 2.2 * table.column('l_hat')[crossing]!;
  const last = table.has('phase') ? table.column('phase').findLastIndex(atEdge) : table.length - 1;
  const to = Math.min(step[last]!, from + Math.log(low / start) / slope);
  return to > from ? [from, to].map((x) => ({ x, y: start * Math.exp(slope * (x - from)) })) : [];
}

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

import { flowEnd } from '../../pipeline/model/flow.ts';
import type { Theta } from '../../pipeline/model/loss.ts';
import { edgeAlpha } from '../../pipeline/model/surrogate.ts';
import { spread } from '../../pipeline/theory/checks/gradient-flow.ts';
import { firstCrossing, type RunTable } from '../../pipeline/theory/run-table.ts';
import { path } from './curves.ts';
import type { FigureSpec } from './figure.ts';
import { hyperbola, planeDomain, zeroLines } from './plane.ts';
import { glued, parameters, plain } from './words.ts';

const FLOWS = 16;

/** Gradient flows from points of the gradient-descent trajectory, and the minimizers they reach. */
export const figure4: FigureSpec = {
  number: 4,
  preset: 'paper',
  draw(table, theme, plot) {
    const flows = flowsFrom(table, FLOWS);
    const starts = flows.map(({ points }) => points[0]!);
    const ends = flows.flatMap(({ end }) => (end ? [end] : []));
    const alpha = table.column('alpha');
    const beta2 = table.column('beta2');
    const alphaHat = edgeAlpha(table.config.moments.lambda1, table.config.eta);
    const edge = alpha[table.length - 1]! < 0 ? -alphaHat : alphaHat;
    const domain = planeDomain([beta2, ends.map((end) => end.beta2)], [alpha, ends.map((end) => end.alpha), [edge]]);
    return {
      title: 'Where gradient flow would go from points of the run',
      caption: glued(
        `${parameters(table)}. Gradient flow from ${starts.length} points of the gradient-descent trajectory, each to its minimizer on the hyperbola αβ₂ = 1 (β₁ = 0). A minimizer with |α| over α̂ = ${plain(alphaHat)} is too sharp to be held at this\u00a0η.${firstCrossing(table) < 0 ? '' : ' The run moves along the edge until the minimizer ahead lies below it.'}`,
      ),
      panels: [
        {
          title: 'Plane of the relevant weights',
          legend: [
            { label: 'gradient descent', color: theme.blue, kind: 'line', width: 3 },
            { label: 'gradient flows', color: theme.orange, kind: 'line', width: 1.6 },
            { label: 'minimizers', color: theme.green, kind: 'dot' },
            { label: 'αβ₂ = 1', color: theme.muted, kind: 'line', dash: '2 3' },
            { label: 'edge |α| = α̂', color: theme.text, kind: 'line', dash: '6 4', width: 1.6 },
          ],
          options: {
            x: { label: 'first-layer weight β₂', domain: domain.x },
            y: { label: 'second-layer weight α', domain: domain.y },
            marks: [
              ...zeroLines(plot, theme),
              hyperbola(plot, domain, theme),
              plot.ruleY([edge], { stroke: theme.text, strokeWidth: 1.4, strokeDasharray: '6 4' }),
              path(plot, beta2, alpha, { color: theme.blue, width: 2.4 }),
              ...flows.map(({ points }) =>
                path(
                  plot,
                  points.map((point) => point.beta2),
                  points.map((point) => point.alpha),
                  { color: theme.orange, width: 1.5 },
                ),
              ),
              plot.dot(starts, { x: 'beta2', y: 'alpha', r: 3, fill: theme.orange }),
              plot.dot(ends, { x: 'beta2', y: 'alpha', r: 5, fill: theme.green, stroke: theme.background }),
            ],
          },
        },
      ],
    };
  },
};

interface DrawnFlow {
  readonly points: readonly Theta[];
  readonly end: Theta | undefined;
}

/**
 * The start, and from the first crossing of 2/η on as many rows as evenly as they go: before it, all points lie on one
 * and the same flow.
 */
function flowRows(table: RunTable, count: number): readonly number[] {
  const crossing = Math.max(1, firstCrossing(table));
  return [0, ...spread(table.length - crossing, count - 1).map((row) => row + crossing)].filter(
    (row) => row < table.length,
  );
}

/** Gradient flows from such rows; without an end where that is the saddle. */
export function flowsFrom(table: RunTable, count: number): readonly DrawnFlow[] {
  const { moments } = table.config;
  return flowRows(table, count).map((row) => {
    const points: Theta[] = [];
    const start = {
      alpha: table.column('alpha')[row]!,
      beta1: table.column('beta1')[row]!,
      beta2: table.column('beta2')[row]!,
    };
    const { outcome, theta } = flowEnd(start, moments, (point) => points.push(point));
    return { points, end: outcome === 'minimum' ? theta : undefined };
  });
}

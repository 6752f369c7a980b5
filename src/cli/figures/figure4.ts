import { flowEnd } from '../../pipeline/models/minimal/flow.ts';
import type { Theta } from '../../pipeline/models/minimal/loss.ts';
import { edgeAlpha } from '../../pipeline/models/minimal/surrogate.ts';
import { spread } from '../../pipeline/theory/checks/gradient-flow.ts';
import { firstCrossing, type RunTable } from '../../pipeline/theory/run-table.ts';
import { path } from './curves.ts';
import type { FigureSpec } from './figure.ts';
import { hyperbola, leaves, planeDomain, planeScales, zeroLines } from './plane.ts';
import { glued, parameters, plain } from './words.ts';

const FLOWS = 16;

/** Gradient flows from points of the gradient-descent trajectory, and the minimizers they reach. */
export const figure4: FigureSpec = {
  number: 4,
  preset: 'paper',
  needs: ['alpha', 'beta1', 'beta2', 'sharpness'],
  draw(table, theme, plot) {
    const flows = flowsFrom(table, FLOWS);
    const starts = flows.map(({ points }) => points[0]!);
    const ends = flows.flatMap(({ end }) => (end ? [end] : []));
    const alpha = table.column('alpha');
    const beta2 = table.column('beta2');
    const alphaHat = edgeAlpha(table.config.moments.lambda1, table.config.eta);
    const side = alpha[table.length - 1]! < 0 ? -alphaHat : alphaHat;
    const domain = planeDomain(
      [beta2, ends.map((end) => end.beta2)],
      [alpha, ends.map((end) => end.alpha), [side]],
    );
    const inside = ({ alpha: a, beta2: b }: Theta) => !leaves(domain, [b], [a]);
    const edges = [alphaHat, -alphaHat].filter(
      (edge) => edge === side || (edge > domain.y[0] && edge < domain.y[1]),
    );
    const many = starts.length > 1;
    const of = many
      ? `${starts.length} points of the gradient-descent trajectory`
      : 'the start of the run';
    const whither =
      ends.length === 0
        ? 'to the saddle α = β₂ = 0, whose stable set it does not leave'
        : `${many ? 'each ' : ''}to its minimizer on the hyperbola αβ₂ = 1 (β₁ = 0)${ends.length < starts.length ? `, but for ${starts.length - ends.length} that end at the saddle α = β₂ = 0` : ''}`;
    const cut = leaves(domain, beta2, alpha) ? ' What lies beyond the frame is cut off.' : '';
    return {
      title: many
        ? 'Where gradient flow would go from points of the run'
        : 'Where gradient flow would go from the start',
      caption: glued(
        `${parameters(table)}. Gradient flow from ${of}, ${whither}. A minimizer with |α| over α̂ = ${plain(alphaHat)} is too sharp to be held at this\u00a0η.${alongEdge(table, alphaHat, ends.at(-1))}${cut}`,
      ),
      panels: [
        {
          title: 'Plane of the relevant weights',
          legend: [
            ...(table.length > 1
              ? [{ label: 'gradient descent', color: theme.blue, kind: 'line', width: 3 } as const]
              : []),
            { label: 'gradient flows', color: theme.orange, kind: 'line', width: 1.6 },
            { label: 'minimizers', color: theme.green, kind: 'dot' },
            { label: 'αβ₂ = 1', color: theme.muted, kind: 'line', dash: '2 3' },
            { label: 'edge |α| = α̂', color: theme.text, kind: 'line', dash: '6 4', width: 1.6 },
          ],
          options: {
            ...planeScales(domain),
            marks: [
              ...zeroLines(plot, theme),
              hyperbola(plot, domain, theme),
              plot.ruleY(edges, {
                stroke: theme.text,
                strokeWidth: 1.4,
                strokeDasharray: '6 4',
                clip: 'frame',
              }),
              path(plot, beta2, alpha, { color: theme.blue, width: 2.4, within: domain }),
              ...flows.map(({ points }) =>
                path(
                  plot,
                  points.map((point) => point.beta2),
                  points.map((point) => point.alpha),
                  { color: theme.orange, width: 1.5, within: domain },
                ),
              ),
              plot.dot(starts.filter(inside), {
                x: 'beta2',
                y: 'alpha',
                r: 3,
                fill: theme.orange,
                clip: 'frame',
              }),
              plot.dot(ends.filter(inside), {
                x: 'beta2',
                y: 'alpha',
                r: 5,
                fill: theme.green,
                stroke: theme.background,
                clip: 'frame',
              }),
            ],
          },
        },
      ],
    };
  },
};

/** What the run does at the edge, so far. */
function alongEdge(table: RunTable, alphaHat: number, ahead: Theta | undefined): string {
  if (table.divergedAt !== null) return ` The run diverges at step ${table.divergedAt}.`;
  if (firstCrossing(table) < 0 || !ahead) return '';
  return Math.abs(ahead.alpha) > alphaHat
    ? ' The run is held at the edge as long as the minimizer ahead lies beyond it.'
    : ' The run is held at the edge until the minimizer ahead lies below it.';
}

interface DrawnFlow {
  readonly points: readonly Theta[];
  readonly end: Theta | undefined;
}

/**
 * The start, and from the first crossing of 2/η on as many rows as evenly as they go: before it, all points lie on one
 * and the same flow.
 */
function flowRows(table: RunTable, count: number): readonly number[] {
  if (table.length === 1) return [0];
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

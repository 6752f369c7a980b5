import { count, formatNumber } from '../../pipeline/format.ts';
import { flowEnd } from '../../pipeline/models/minimal/flow.ts';
import type { Theta } from '../../pipeline/models/minimal/loss.ts';
import { edgeAlpha } from '../../pipeline/models/minimal/surrogate.ts';
import { spread } from '../../pipeline/theory/checks/gradient-flow.ts';
import { firstCrossing, type RunTable } from '../../pipeline/theory/run-table.ts';
import type { FigureSpec } from './figure.ts';
import { planePanel } from './plane-panel.ts';
import { pathPoints } from './run-lines.ts';
import { glued, parameters } from './words.ts';

const FLOWS = 16;

/** Gradient flows from points of the gradient-descent trajectory, and the minimizers they reach. */
export const figure4: FigureSpec = {
  number: 4,
  preset: 'paper',
  needs: ['alpha', 'beta1', 'beta2', 'sharpness'],
  draw(table, theme) {
    const flows = flowsFrom(table, FLOWS);
    const starts = flows.map(({ points }) => points[0]!);
    const ends = flows.flatMap(({ end }) => (end ? [end] : []));
    const alphaHat = edgeAlpha(table.config.moments.lambda1, table.config.eta, table.stability);
    const many = starts.length > 1;
    const of = many
      ? `${starts.length} points of the gradient-descent trajectory`
      : 'the start of the run';
    const atSaddle = starts.length - ends.length;
    const whither =
      ends.length === 0
        ? 'to the saddle α = β₂ = 0, whose stable set it does not leave'
        : `${many ? 'each ' : ''}to its minimizer on the hyperbola αβ₂ = 1 (β₁ = 0)` +
          `${atSaddle > 0 ? `, but for ${atSaddle} that end at the saddle α = β₂ = 0` : ''}`;
    const dot = (r: number, color: string, quiet: boolean) => (theta: Theta) => ({
      x: theta.beta2,
      y: theta.alpha,
      r,
      color,
      quiet,
    });
    const plane = {
      edge: alphaHat,
      paths: [
        {
          points: pathPoints(table.column('beta2'), table.column('alpha')),
          color: theme.sharpness,
        },
        ...flows.map(({ points }) => ({
          points: pathPoints(
            points.map(({ beta2 }) => beta2),
            points.map(({ alpha }) => alpha),
          ),
          color: theme.flow,
          width: 1.2,
          quiet: true,
        })),
      ],
      dots: [
        ...starts.map(dot(2.5, theme.flow, true)),
        ...ends.map(dot(4, theme.convergent, false)),
      ],
    };
    const { leaves, panel } = planePanel(plane, theme, [
      ...(table.length > 1
        ? [{ label: 'gradient descent', color: theme.sharpness, kind: 'line', width: 3 } as const]
        : []),
      { label: 'gradient flows', color: theme.flow, kind: 'line', width: 1.6 },
      { label: 'minimizers', color: theme.convergent, kind: 'dot' },
    ]);
    return {
      title: many
        ? 'Where gradient flow would go from points of the run'
        : 'Where gradient flow would go from the start',
      caption: glued(
        `${parameters(table)}. Gradient flow from ${of}, ${whither}. A minimizer with |α| ` +
          `over α̂ = ${formatNumber(alphaHat, 4)} is too sharp to be held at ` +
          `this\u00a0η.${alongEdge(table, alphaHat, ends.at(-1))}${leaves}`,
      ),
      panels: [panel],
    };
  },
};

/** What the run does at the edge, so far. */
function alongEdge(table: RunTable, alphaHat: number, ahead: Theta | undefined): string {
  if (table.divergedAt !== null) return ` The run diverges at step ${count(table.divergedAt)}.`;
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
 * The start, and from the first crossing of 2/η on as many rows as evenly as they go: before it,
 * all points lie on one and the same flow.
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

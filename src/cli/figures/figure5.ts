import { constrainedStep } from '../../pipeline/models/minimal/constrained.ts';
import { createFlow } from '../../pipeline/models/minimal/flow.ts';
import { edgeAlpha } from '../../pipeline/models/minimal/surrogate.ts';
import { notSeparated } from '../../pipeline/theory/premise.ts';
import { firstCrossing, type RunTable } from '../../pipeline/theory/run-table.ts';
import { curve, grids, path, stepAxis } from './curves.ts';
import { bounded } from './cut.ts';
import { type FigureSpec, type LegendItem, tooShort } from './figure.ts';
import { hyperbola, leaves, planeDomain, planeScales, zeroLines } from './plane.ts';
import type { Theme } from './theme.ts';
import { glued, parameters, plain } from './words.ts';

/** Gradient descent, gradient flow and constrained trajectory from the same start; the stable set shaded. */
export const figure5: FigureSpec = {
  number: 5,
  preset: 'paper',
  needs: ['alpha', 'beta1', 'beta2', 'sharpness'],
  unfit: (table) =>
    table.config.moments.covariance === 0
      ? tooShort(table)
      : `the constrained trajectory is defined for covariance 0 only, and here it is ${table.config.moments.covariance}`,
  draw(table, theme, plot) {
    const { step } = table;
    const alphaHat = edgeAlpha(table.config.moments.lambda1, table.config.eta);
    const alpha = table.column('alpha');
    const beta2 = table.column('beta2');
    const flow = flowBeside(table);
    const constrained = constrainedBeside(table);
    const domain = planeDomain(
      [beta2, flow.beta2, constrained.beta2],
      [alpha, flow.alpha, constrained.alpha, [alpha[table.length - 1]! < 0 ? -alphaHat : alphaHat]],
    );
    const follows = followsConstrained(table, flow, constrained);
    const stable = { y1: Math.max(domain.y[0], -alphaHat), y2: Math.min(domain.y[1], alphaHat) };
    return {
      title: follows
        ? 'Gradient descent follows the flow to the edge, then the constrained trajectory'
        : 'Gradient descent, gradient flow and constrained trajectory',
      caption: glued(
        `${parameters(table)}; all three from the same start. The constrained trajectory is gradient descent with β₁ = 0, projected onto the stable set {S ≤ 2/η, no slope along the top eigenvector}, which in this plane is |α| ≤ α̂ = ${plain(alphaHat)} (shaded).${story(table, flow, constrained, follows)}${leaves(domain, beta2, alpha) ? ' What lies beyond the frame is cut off.' : ''}`,
      ),
      panels: [
        {
          title: 'Plane of the relevant weights',
          legend: legend(theme, true),
          options: {
            ...planeScales(domain),
            marks: [
              plot.rect([stable], {
                x1: domain.x[0],
                x2: domain.x[1],
                y1: 'y1',
                y2: 'y2',
                fill: theme.shade,
                clip: 'frame',
              }),
              ...zeroLines(plot, theme),
              hyperbola(plot, domain, theme),
              path(plot, beta2, alpha, { color: theme.blue, width: 2, within: domain }),
              path(plot, flow.beta2, flow.alpha, {
                color: theme.orange,
                width: 2.6,
                dash: '9 5',
                within: domain,
              }),
              path(plot, constrained.beta2, constrained.alpha, {
                color: theme.text,
                width: 1.8,
                dash: '2 3',
              }),
              plot.dot([{ x: bounded(beta2[0]!, domain.x), y: bounded(alpha[0]!, domain.y) }], {
                x: 'x',
                y: 'y',
                r: 5,
                fill: theme.text,
                clip: 'frame',
              }),
            ],
          },
        },
        {
          title: 'The same over time',
          legend: legend(theme, false),
          options: {
            x: stepAxis(step, 'step t (time ηt)'),
            y: planeScales(domain).y,
            marks: [
              plot.rect([stable], {
                x1: step[0]!,
                x2: step[table.length - 1]!,
                y1: 'y1',
                y2: 'y2',
                fill: theme.shade,
                clip: 'frame',
              }),
              ...grids(plot, theme),
              curve(plot, step, alpha, { color: theme.blue, width: 1.4, within: { y: domain.y } }),
              curve(plot, step, flow.alpha, {
                color: theme.orange,
                width: 2.6,
                dash: '9 5',
                within: { y: domain.y },
              }),
              curve(plot, step, constrained.alpha, { color: theme.text, width: 1.8, dash: '2 3' }),
            ],
          },
        },
      ],
    };
  },
};

/** What the run may be off another trajectory, of its largest |β₂|, to be said to follow it. */
const CLOSE = 0.05;

/** Largest distance in β₂ over the rows [from, to), of the run's largest |β₂|. */
function distance(table: RunTable, { beta2: other }: Way, from: number, to: number): number {
  const beta2 = table.column('beta2');
  let most = 0;
  let scale = 0;
  for (let i = from; i < to; i++) {
    most = Math.max(most, Math.abs(beta2[i]! - other[i]!));
    scale = Math.max(scale, Math.abs(beta2[i]!));
  }
  return most / scale;
}

/** Whether the run follows the flow to its first crossing of 2/η, and from there on the constrained trajectory. */
function followsConstrained(table: RunTable, flow: Way, constrained: Way): boolean {
  const crossing = firstCrossing(table);
  if (crossing < 1 || table.divergedAt !== null) return false;
  return (
    distance(table, flow, 0, crossing) <= CLOSE &&
    distance(table, constrained, crossing, table.length) <= CLOSE
  );
}

/** What the three do in this run, and nothing that they do not. */
function story(table: RunTable, flow: Way, constrained: Way, follows: boolean): string {
  const { moments, eta } = table.config;
  const last = table.length - 1;
  const alphaHat = edgeAlpha(moments.lambda1, eta);
  const atSaddle = (way: Way) =>
    Math.abs(way.alpha[last]!) < 0.05 * alphaHat && Math.abs(way.beta2[last]!) < 0.05 * alphaHat;
  const sharp =
    flow.alpha[last]! * flow.beta2[last]! > 0.99 ? ' for a minimizer that is too sharp' : '';
  return [
    ...(notSeparated(moments) ? [' (That is so where λ₁ ≫ λ₂; here it is not.)'] : []),
    ...(follows ? [' Gradient descent oscillates around it.'] : []),
    ...(atSaddle(constrained) ? [' Here it ends near the saddle α = β₂ = 0.'] : []),
    ...(Math.abs(flow.alpha[last]!) > alphaHat
      ? [` Gradient flow leaves the stable set${sharp}.`]
      : []),
    ...(table.divergedAt === null
      ? []
      : [` Gradient descent diverges at step ${table.divergedAt}.`]),
  ].join('');
}

function legend(theme: Theme, plane: boolean): readonly LegendItem[] {
  const curves: LegendItem[] = [
    { label: 'gradient descent', color: theme.blue, kind: 'line' },
    { label: 'gradient flow', color: theme.orange, kind: 'line', dash: '9 5', width: 2.6 },
    { label: 'constrained', color: theme.text, kind: 'line', dash: '2 3', width: 2 },
    { label: 'stable set', color: theme.shade, kind: 'area' },
  ];
  return plane
    ? [...curves, { label: 'αβ₂ = 1', color: theme.muted, kind: 'line', dash: '2 3' }]
    : curves;
}

interface Way {
  readonly alpha: Float64Array;
  readonly beta2: Float64Array;
}

/** Gradient flow from the run's first row, at the times of its rows. */
function flowBeside(table: RunTable): Way {
  const { config, length, step } = table;
  const start = {
    alpha: table.column('alpha')[0]!,
    beta1: table.column('beta1')[0]!,
    beta2: table.column('beta2')[0]!,
  };
  const flow = createFlow(start, config.moments);
  const way = { alpha: new Float64Array(length), beta2: new Float64Array(length) };
  for (let i = 0; i < length; i++) {
    if (i > 0) flow.advance(config.eta * (step[i]! - step[i - 1]!));
    way.alpha[i] = flow.theta.alpha;
    way.beta2[i] = flow.theta.beta2;
  }
  return way;
}

/** The constrained trajectory from the run's first row, at its rows. */
function constrainedBeside(table: RunTable): Way {
  const { config, length, step } = table;
  const { lambda1, lambda2 } = config.moments;
  const alphaHat = edgeAlpha(lambda1, config.eta);
  let alpha = Math.max(-alphaHat, Math.min(alphaHat, table.column('alpha')[0]!));
  let beta2 = table.column('beta2')[0]!;
  const way = { alpha: new Float64Array(length), beta2: new Float64Array(length) };
  for (let i = 0; i < length; i++) {
    if (i > 0) {
      for (let t = step[i - 1]!; t < step[i]!; t++) {
        [alpha, beta2] = constrainedStep(alpha, beta2, lambda2, config.eta, alphaHat);
      }
    }
    way.alpha[i] = alpha;
    way.beta2[i] = beta2;
  }
  return way;
}

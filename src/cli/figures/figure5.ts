import { extent, type Look, niceDomain } from '../../dash/plots/draw.ts';
import { linesPlot } from '../../dash/plots/lines.ts';
import { near } from '../../dash/plots/plane.ts';
import { count, formatNumber } from '../../pipeline/format.ts';
import { constrainedStep } from '../../pipeline/models/minimal/constrained.ts';
import { createFlow } from '../../pipeline/models/minimal/flow.ts';
import { edgeAlpha } from '../../pipeline/models/minimal/surrogate.ts';
import { notSeparated } from '../../pipeline/theory/premise.ts';
import { firstCrossing, type RunTable } from '../../pipeline/theory/run-table.ts';
import { type FigureSpec, type LegendItem, tooShort } from './figure.ts';
import { planePanel } from './plane-panel.ts';
import { linePoints, pathPoints } from './run-lines.ts';
import { glued, parameters } from './words.ts';

/**
 * Gradient descent, gradient flow and constrained trajectory from the same start; the stable set
 * shaded.
 */
export const figure5: FigureSpec = {
  number: 5,
  preset: 'paper',
  needs: ['alpha', 'beta1', 'beta2', 'sharpness'],
  unfit: (table) =>
    table.config.moments.covariance === 0
      ? tooShort(table)
      : 'the constrained trajectory is defined for covariance 0 only, and here it is ' +
        `${table.config.moments.covariance}`,
  draw(table, theme) {
    const { step, lastStep } = table;
    const alphaHat = edgeAlpha(table.config.moments.lambda1, table.config.eta, table.stability);
    const descent = { alpha: table.column('alpha'), beta2: table.column('beta2') };
    const flow = flowBeside(table);
    const constrained = constrainedBeside(table);
    const follows = followsConstrained(table, flow, constrained);
    const looks = [
      { way: descent, color: theme.sharpness, width: 1.6 },
      { way: flow, color: theme.flow, width: 2, dash: '9 5' },
      { way: constrained, color: theme.constrained, width: 1.5, dash: '2 3' },
    ];
    const names = ['gradient descent', 'gradient flow', 'constrained'];
    const legend = looks.map(
      ({ way: _, ...look }, i): LegendItem => ({ label: names[i]!, kind: 'line', ...look }),
    );
    const { panel: plane, leaves } = planePanel(
      {
        edge: alphaHat,
        stableSet: true,
        paths: looks.map(({ way, ...look }) => ({
          points: pathPoints(way.beta2, way.alpha),
          ...look,
        })),
        dots: [
          { x: descent.beta2[0]!, y: descent.alpha[0]!, r: 4, color: theme.text, quiet: true },
        ],
      },
      theme,
      legend,
    );
    const side = descent.alpha[table.length - 1]! < 0 ? -alphaHat : alphaHat;
    const values = extent([...looks.map(({ way }) => near(way.alpha)), [side]]);
    return {
      title: follows
        ? 'Gradient descent follows the flow to the edge, then the constrained trajectory'
        : 'Gradient descent, gradient flow and constrained trajectory',
      caption: glued(
        `${parameters(table)}; all three from the same start. The constrained trajectory is ` +
          'gradient descent with β₁ = 0, projected onto the stable set {S ≤ ' +
          `${table.stability.formula}, no slope along the top eigenvector}, which in this plane ` +
          `is |α| ≤ α̂ = ${formatNumber(alphaHat, 4)} ` +
          `(shaded).${story(table, flow, constrained, follows)}${leaves}`,
      ),
      panels: [
        plane,
        {
          title: 'The same over time',
          legend,
          draw: (look: Look) =>
            linesPlot(
              {
                label: 'second-layer weight α',
                log: false,
                steps: [step[0]!, lastStep],
                values: niceDomain(values),
                band: [-alphaHat, alphaHat],
                lines: looks.map(({ way, ...style }) => ({
                  points: linePoints(step, way.alpha),
                  ...style,
                })),
              },
              look,
            ).svg,
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

/**
 * Whether the run follows the flow to its first crossing of 2/η, and from there on the constrained
 * trajectory.
 */
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
  const alphaHat = edgeAlpha(moments.lambda1, eta, table.stability);
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
      : [` Gradient descent diverges at step ${count(table.divergedAt)}.`]),
  ].join('');
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
  const alphaHat = edgeAlpha(lambda1, config.eta, table.stability);
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

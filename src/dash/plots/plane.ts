import * as Plot from '@observablehq/plot';
import { linearTicks, valueMarks } from './axes.ts';
import { cut, type Points } from './cut.ts';
import { type Drawing, drawPlot, extent, type Look, niceDomain, type Range } from './draw.ts';
import { phaseColor, type Theme } from './theme.ts';

/** A trajectory through the plane of the relevant weights: β₂ along x, α along y. */
export interface PlanePath {
  readonly points: Points;
  readonly color: string;
  readonly width?: number;
  readonly dash?: string;
  /** Its phases, of which each part takes the colour. */
  readonly phases?: { readonly code: ArrayLike<number>; readonly words: readonly string[] };
  readonly className?: string;
  /** Does not widen what is shown. */
  readonly quiet?: boolean;
}

export interface PlanePlot {
  readonly paths: readonly PlanePath[];
  readonly dots?: readonly {
    readonly x: number;
    readonly y: number;
    readonly color: string;
    readonly r: number;
    readonly hollow?: boolean;
    readonly quiet?: boolean;
  }[];
  /** α̂: where S is at the threshold, for β₁ = 0. */
  readonly edge?: number | undefined;
  /** Shows the stable set |α| ≤ α̂. */
  readonly stableSet?: boolean;
  /** Shows the minima αβ₂ = 1. */
  readonly minima?: boolean;
  /** What is shown of the plane; what there is to see unless given. */
  readonly frame?: PlaneFrame | undefined;
}

export interface PlaneFrame {
  readonly x: Range;
  readonly y: Range;
}

export interface DrawnPlane {
  readonly svg: Drawing;
  /** Pixels of a point. */
  place(beta2: number, alpha: number): readonly [number, number];
  /** The point at a pixel. */
  point(left: number, top: number): readonly [beta2: number, alpha: number];
  readonly frame: PlaneFrame;
}

/** What is shown of the plane, and whether some of a path lies beyond it. */
export function planeFrame({ paths, dots = [], edge }: PlanePlot): {
  readonly x: Range;
  readonly y: Range;
  readonly leaves: boolean;
} {
  const shown = paths.filter(({ quiet }) => !quiet);
  const points = dots.filter(({ quiet }) => !quiet);
  const side = edge && shown[0] && lastOf(shown[0].points.y) < 0 ? -edge : edge;
  const x = niceDomain(
    extent([...shown.map((path) => near(path.points.x)), points.map((dot) => dot.x)]),
  );
  const y = niceDomain(
    extent([
      ...shown.map((path) => near(path.points.y)),
      points.map((dot) => dot.y),
      side === undefined ? [] : [side],
    ]),
  );
  const leaves = paths.some(({ points: { x: px, y: py } }) => beyond(px, x) || beyond(py, y));
  return { x, y, leaves };
}

/** Draws trajectories in the plane of (β₂, α), with what they move along. */
export function planePlot(plot: PlanePlot, look: Look): DrawnPlane {
  const { paths, dots = [], edge, stableSet, minima = true } = plot;
  const { theme } = look;
  const { x, y } = plot.frame ?? planeFrame(plot);
  const across = linearTicks(x, 'first-layer weight β₂');
  const svg = drawPlot(
    {
      marginBottom: 38,
      x: { domain: x, type: 'linear' },
      y: { domain: y, type: 'linear' },
      marks: [
        ...(edge && stableSet ? stableMarks(edge, y, theme) : []),
        Plot.gridX(across.values, { stroke: theme.grid, strokeOpacity: 1 }),
        ...valueMarks(linearTicks(y, 'second-layer weight α'), theme),
        ...(minima ? minimaMarks(x, y, theme) : []),
        ...(edge
          ? [
              Plot.ruleY(
                [edge, -edge].filter((at) => at > y[0] && at < y[1]),
                {
                  stroke: theme.threshold,
                  strokeWidth: 1.4,
                  strokeDasharray: '6 4',
                  clip: true,
                },
              ),
            ]
          : []),
        ...paths.map((path) => pathMark(path, x, y, theme)),
        Plot.dot(
          dots.filter((dot) => dot.x >= x[0] && dot.x <= x[1] && dot.y >= y[0] && dot.y <= y[1]),
          {
            x: 'x',
            y: 'y',
            r: 'r',
            fill: (dot) => (dot.hollow ? theme.background : dot.color),
            stroke: (dot) => (dot.hollow ? dot.color : theme.background),
            clip: true,
          },
        ),
        Plot.axisX(across.values, {
          label: across.label,
          labelAnchor: 'right',
          labelArrow: 'none',
          tickFormat: across.text,
          tickSize: 4,
        }),
      ],
      r: { type: 'identity' },
    },
    look,
  );
  const [sx, sy] = [svg.scale('x')!, svg.scale('y')!];
  return {
    svg,
    place: (beta2, alpha) => [sx.apply(beta2), sy.apply(alpha)],
    point: (left, top) => [sx.invert!(left), sy.invert!(top)],
    frame: { x, y },
  };
}

const lastOf = (values: ArrayLike<number>): number => values[values.length - 1] ?? 0;

const beyond = (values: ArrayLike<number>, [low, high]: Range): boolean =>
  Array.prototype.some.call(values, (value: number) => value < low || value > high);

/**
 * How far beyond 99 of 100 of its values a coordinate is still shown; what runs away beyond that is
 * cut off.
 */
const FAR = 5;

/** Some values without those that run away from the others, as those of a run that diverges do. */
export function near(values: ArrayLike<number>): ArrayLike<number> {
  const sizes = Array.from(values, Math.abs).sort((a, b) => a - b);
  const limit = FAR * (sizes[Math.floor(0.99 * (sizes.length - 1))] ?? 0);
  return limit >= (sizes.at(-1) ?? 0)
    ? values
    : Array.from(values).filter((value) => Math.abs(value) <= limit);
}

function stableMarks(edge: number, [bottom, top]: Range, theme: Theme): Plot.Markish[] {
  const [y1, y2] = [Math.max(bottom, -edge), Math.min(top, edge)];
  return [
    Plot.rect(y1 < y2 ? [0] : [], {
      y1: [y1],
      y2: [y2],
      fill: theme.shade,
      clip: true,
      className: 'stable-set',
    }),
  ];
}

/** Enough that no corner shows in full screen. */
const HYPERBOLA_POINTS = 400;

/** The minima αβ₂ = 1, both branches as far as they are in view. */
function minimaMarks(x: Range, y: Range, theme: Theme): Plot.Markish[] {
  return [1, -1].flatMap((side) => {
    const [inner, outer] = side > 0 ? x : [-x[1], -x[0]];
    const [lower, upper] = side > 0 ? y : [-y[1], -y[0]];
    // Just the part in view, so that all points are spent on it, evenly in its logarithm.
    const from = Math.max(inner, 1 / upper);
    const to = lower > 0 ? Math.min(outer, 1 / lower) : outer;
    if (!(upper > 0 && from > 0 && from < to)) return [];
    const at = Array.from(
      { length: HYPERBOLA_POINTS },
      (_, i) => side * from * (to / from) ** (i / (HYPERBOLA_POINTS - 1)),
    );
    return [
      Plot.line(at, {
        x: at,
        y: at.map((beta2) => 1 / beta2),
        stroke: theme.muted,
        strokeWidth: 1.6,
        strokeDasharray: '2 3',
        clip: true,
        className: 'hyperbola',
      }),
    ];
  });
}

function pathMark(path: PlanePath, x: Range, y: Range, theme: Theme): Plot.Markish {
  const { color, width = 2, dash, phases, className } = path;
  const parts = phases ? phaseParts(path.points, phases) : [{ points: path.points, color }];
  const drawn = parts.map((part) => ({ ...part, points: cut(part.points, x, y) }));
  const flat = <T>(of: (part: (typeof drawn)[number], i: number, k: number) => T): T[] =>
    drawn.flatMap((part, k) => Array.from(part.points.x, (_, i) => of(part, i, k)));
  const xs = flat(({ points }, i) => points.x[i]!);
  return Plot.line(xs, {
    x: xs,
    y: flat(({ points }, i) => points.y[i]!),
    z: flat((_part, _i, k) => k),
    stroke: flat((part) => part.color),
    strokeWidth: width,
    strokeLinejoin: 'round',
    strokeLinecap: 'round',
    clip: true,
    ...(dash ? { strokeDasharray: dash } : {}),
    ...(className ? { className } : {}),
  });

  /** A part ends where the next begins, so that no gap shows between two phases. */
  function phaseParts({ x: px, y: py }: Points, { code, words }: NonNullable<typeof phases>) {
    const found: { points: { x: number[]; y: number[] }; color: string }[] = [];
    for (let i = 0; i < px.length; i++) {
      if (i === 0 || code[i] !== code[i - 1]) {
        found.at(-1)?.points.x.push(px[i]!);
        found.at(-1)?.points.y.push(py[i]!);
        found.push({ points: { x: [], y: [] }, color: phaseColor(theme, words[code[i]!] ?? '') });
      }
      found.at(-1)!.points.x.push(px[i]!);
      found.at(-1)!.points.y.push(py[i]!);
    }
    return found;
  }
}

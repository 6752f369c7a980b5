import * as Plot from '@observablehq/plot';
import { phaseColor } from '../format.ts';
import type { Path } from '../load/protocol.ts';
import { niceDomain } from './draw.ts';

/** What the plane shows besides its axes, and how each looks. */
export const LINES: readonly {
  readonly key: string;
  readonly label: string;
  readonly color: string;
  readonly dash?: string;
}[] = [
  { key: 'path', label: 'gradient descent', color: 'var(--phase-edge)' },
  { key: 'hyperbola', label: 'minima αβ₂ = 1', color: 'var(--text)', dash: '2 3' },
  { key: 'stable', label: 'stable set |α| ≤ α̂', color: 'var(--threshold)', dash: '6 4' },
  { key: 'gradient-flow', label: 'gradient flow', color: 'var(--series-3)', dash: '7 3' },
  { key: 'constrained', label: 'constrained', color: 'var(--series-1)', dash: '4 3' },
  { key: 'central', label: 'central flow', color: 'var(--series-4)', dash: '9 3 2 3' },
];

/** Ends of an axis around all these values. */
export function domain(arrays: readonly Float64Array[]): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const values of arrays) {
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return niceDomain(low, high, false);
}

/** The minimum αβ₂ = 1 above a path's end, where it is near enough to be shown. */
export function nearestMinimum({ x, y }: Path): Float64Array {
  const [alpha, beta] = [x.at(-1), y.at(-1)];
  if (alpha === undefined || beta === undefined) return new Float64Array();
  return Math.abs(1 / alpha) < 2 * Math.abs(beta) && 1 / alpha / beta > 0
    ? Float64Array.of(1 / alpha)
    : new Float64Array();
}

/** Where S ≤ 2/η on β₁ = 0: the strip |α| ≤ α̂. */
export function stableSet(
  edge: number,
  [left, right]: readonly [number, number],
  [bottom, top]: readonly [number, number],
): Plot.Markish[] {
  const [x1, x2] = [Math.max(left, -edge), Math.min(right, edge)];
  const edges = [-edge, edge].filter((x) => x > left && x < right);
  return [
    ...(x1 < x2
      ? [
          Plot.rect([0], {
            x1: [x1],
            x2: [x2],
            y1: [bottom],
            y2: [top],
            fill: 'var(--threshold)',
            fillOpacity: 0.1,
            className: 'stable-set',
          }),
        ]
      : []),
    Plot.ruleX(edges, { stroke: 'var(--threshold)', strokeWidth: 1.2, strokeDasharray: '6 4' }),
  ];
}

/** Enough that no corner shows in full screen. */
const HYPERBOLA_POINTS = 400;

/** The minima αβ₂ = 1, both branches as far as they are in view. */
export function hyperbola(
  [left, right]: readonly [number, number],
  [bottom, top]: readonly [number, number],
): Plot.Markish[] {
  const branch = (sign: 1 | -1): Plot.Markish[] => {
    const [inner, outer] = sign > 0 ? [left, right] : [-right, -left];
    const [lower, upper] = sign > 0 ? [bottom, top] : [-top, -bottom];
    // Just the part in view, so that all points are spent on it.
    const near = Math.max(inner, 1 / upper);
    const far = lower > 0 ? Math.min(outer, 1 / lower) : outer;
    if (!(upper > 0 && near > 0 && near < far)) return [];
    const x = Array.from(
      { length: HYPERBOLA_POINTS },
      (_, i) => sign * near * (far / near) ** (i / (HYPERBOLA_POINTS - 1)),
    );
    return x.length > 1
      ? [
          Plot.line(x, {
            x,
            y: x.map((alpha) => 1 / alpha),
            stroke: 'var(--text)',
            strokeWidth: 1.4,
            strokeDasharray: '2 3',
            clip: true,
            className: 'hyperbola',
          }),
        ]
      : [];
  };
  return [...branch(1), ...branch(-1)];
}

/** A path coloured by its words, or by its run, with its start as a ring and its end as a dot. */
export function trajectory(path: Path, color: string | undefined): Plot.Markish[] {
  const x: number[] = [];
  const y: number[] = [];
  const z: number[] = [];
  const stroke: string[] = [];
  let segment = 0;
  for (let i = 0; i < path.x.length; i++) {
    const changed = i > 0 && path.code[i] !== path.code[i - 1];
    const add = (part: number, code: number) => {
      x.push(path.x[i]!);
      y.push(path.y[i]!);
      z.push(part);
      stroke.push(color ?? phaseColor(path.words[code] ?? ''));
    };
    // A segment ends where the next begins, so that no gap shows between two phases.
    if (changed) add(segment++, path.code[i - 1]!);
    add(segment, path.code[i]!);
  }
  const last = path.x.length - 1;
  return [
    Plot.line(x, {
      x,
      y,
      z,
      stroke,
      strokeWidth: 2.2,
      strokeLinejoin: 'round',
      strokeLinecap: 'round',
      clip: true,
      className: 'trajectory',
    }),
    ...(last < 0
      ? []
      : [
          Plot.dot([0], {
            x: [path.x[0]!],
            y: [path.y[0]!],
            r: 4,
            fill: 'var(--panel)',
            stroke: 'var(--text)',
            strokeWidth: 1.6,
          }),
          Plot.dot([0], { x: [path.x[last]!], y: [path.y[last]!], r: 4, fill: 'var(--text)' }),
        ]),
  ];
}

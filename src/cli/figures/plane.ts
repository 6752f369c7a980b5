import type * as Plot from '@observablehq/plot';
import type { PlotModule } from './figure.ts';
import type { Theme } from './theme.ts';
import { tick } from './words.ts';

/** Ranges of β₂ (x) and α (y). */
export interface PlaneDomain {
  readonly x: [number, number];
  readonly y: [number, number];
}

/** How far beyond 99 of 100 of its values a coordinate is still shown; what runs away beyond that is cut off. */
const FAR = 5;

/**
 * The smallest ranges that show all of these, with a little room, but for what runs away as a diverging run does: of each
 * of them what is over FAR times as far from 0 as 99 of 100 of its values.
 */
export function planeDomain(
  xs: readonly ArrayLike<number>[],
  ys: readonly ArrayLike<number>[],
): PlaneDomain {
  return { x: roomy(range(xs.map(near))), y: roomy(range(ys.map(near))) };
}

/** Whether a point of a path lies outside the ranges. */
export function leaves(
  { x, y }: PlaneDomain,
  xs: ArrayLike<number>,
  ys: ArrayLike<number>,
): boolean {
  for (let i = 0; i < xs.length; i++) {
    if (xs[i]! < x[0] || xs[i]! > x[1] || ys[i]! < y[0] || ys[i]! > y[1]) return true;
  }
  return false;
}

/** Some values without those that run away from the others. */
export function near(values: ArrayLike<number>): ArrayLike<number> {
  const sizes = Array.from(values, Math.abs).sort((a, b) => a - b);
  const limit = FAR * (sizes[Math.floor(0.99 * (sizes.length - 1))] ?? 0);
  return limit >= (sizes.at(-1) ?? 0)
    ? values
    : Array.from(values).filter((value) => Math.abs(value) <= limit);
}

function roomy([low, high]: [number, number]): [number, number] {
  const room = 0.06 * (high - low || 1);
  return [low - room, high + room];
}

/** The least and the largest of some numbers. */
export function range(all: readonly ArrayLike<number>[]): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const values of all) {
    for (let i = 0; i < values.length; i++) {
      low = Math.min(low, values[i]!);
      high = Math.max(high, values[i]!);
    }
  }
  return [low, high];
}

/** The minima αβ₂ = 1 within the ranges. */
export function hyperbola(plot: PlotModule, { x, y }: PlaneDomain, theme: Theme): Plot.Markish {
  const points: { x: number; y: number; branch: number }[] = [];
  for (const branch of [1, -1]) {
    const far = branch > 0 ? x[1] : -x[0];
    const top = branch > 0 ? y[1] : -y[0];
    if (!(far > 0 && top > 0)) continue;
    for (let k = 0; k <= 200; k++) {
      // Evenly in its logarithm, so that it is smooth at both ends.
      const at = (1 / top) * (far * top) ** (k / 200);
      if (far > 1 / top) points.push({ x: branch * at, y: branch / at, branch });
    }
  }
  return plot.line(points, {
    x: 'x',
    y: 'y',
    z: 'branch',
    stroke: theme.muted,
    strokeWidth: 2,
    strokeDasharray: '2 3',
    clip: 'frame',
  });
}

export function zeroLines(plot: PlotModule, theme: Theme): Plot.Markish[] {
  return [
    plot.gridX({ stroke: theme.grid, strokeOpacity: 1 }),
    plot.gridY({ stroke: theme.grid, strokeOpacity: 1 }),
  ];
}

/** The two axes of the plane. */
export function planeScales({ x, y }: PlaneDomain): {
  readonly x: Plot.ScaleOptions;
  readonly y: Plot.ScaleOptions;
} {
  const format = (range: readonly number[]) =>
    Math.max(...range.map(Math.abs)) >= 1e5 ? { ticks: 4, tickFormat: tick } : {};
  return {
    x: { label: 'first-layer weight β₂', domain: x, ...format(x) },
    y: { label: 'second-layer weight α', domain: y, ...format(y) },
  };
}

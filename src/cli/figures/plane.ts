import type * as Plot from '@observablehq/plot';
import type { PlotModule } from './figure.ts';
import type { Theme } from './theme.ts';

/** Ranges of β₂ (x) and α (y). */
export interface PlaneDomain {
  readonly x: [number, number];
  readonly y: [number, number];
}

/** The smallest ranges that show all of these, with a little room. */
export function planeDomain(xs: readonly ArrayLike<number>[], ys: readonly ArrayLike<number>[]): PlaneDomain {
  return { x: range(xs), y: range(ys) };
}

function range(all: readonly ArrayLike<number>[]): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const values of all) {
    for (let i = 0; i < values.length; i++) {
      low = Math.min(low, values[i]!);
      high = Math.max(high, values[i]!);
    }
  }
  const room = 0.06 * (high - low || 1);
  return [low - room, high + room];
}

/** The minima αβ₂ = 1 within the ranges. */
export function hyperbola(plot: PlotModule, { x, y }: PlaneDomain, theme: Theme): Plot.Markish {
  const points: { x: number; y: number; branch: number }[] = [];
  for (const branch of [1, -1]) {
    const far = branch > 0 ? x[1] : -x[0];
    const top = branch > 0 ? y[1] : -y[0];
    if (!(far > 0 && top > 0)) continue;
    for (let k = 0; k <= 200; k++) {
      const at = 1 / top + (k / 200) * (far - 1 / top);
      if (at > 0 && far > 1 / top) points.push({ x: branch * at, y: branch / at, branch });
    }
  }
  return plot.line(points, {
    x: 'x',
    y: 'y',
    z: 'branch',
    stroke: theme.muted,
    strokeWidth: 2,
    strokeDasharray: '2 3',
  });
}

export function zeroLines(plot: PlotModule, theme: Theme): Plot.Markish[] {
  return [plot.gridX({ stroke: theme.grid, strokeOpacity: 1 }), plot.gridY({ stroke: theme.grid, strokeOpacity: 1 })];
}

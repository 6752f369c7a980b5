import type * as Plot from '@observablehq/plot';
import { envelope } from '../../pipeline/envelope.ts';
import { COLUMNS, type PlotModule } from './figure.ts';
import type { Theme } from './theme.ts';

export interface CurveStyle {
  readonly color: string;
  readonly width?: number;
  readonly dash?: string;
  readonly opacity?: number;
}

/** A curve over an increasing x, drawn by an envelope that keeps every extreme. */
export function curve(
  plot: PlotModule,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  { color, width = 1.6, dash, opacity = 1 }: CurveStyle,
): Plot.Markish {
  const rows = envelope(x, y, COLUMNS);
  return plot.line(rows, {
    x: (row: number) => x[row],
    y: (row: number) => y[row],
    stroke: color,
    strokeWidth: width,
    strokeOpacity: opacity,
    strokeLinejoin: 'round',
    ...(dash ? { strokeDasharray: dash } : {}),
  });
}

/**
 * A path through a plane: the rows where either coordinate has an extreme of its pixel column, taken along the path.
 */
export function path(
  plot: PlotModule,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  { color, width = 1.6, dash, opacity = 1 }: CurveStyle,
): Plot.Markish {
  const order = { length: x.length } as { length: number; [row: number]: number };
  for (let i = 0; i < x.length; i++) order[i] = i;
  const rows = [...new Set([...envelope(order, x, COLUMNS), ...envelope(order, y, COLUMNS)])].sort((a, b) => a - b);
  return plot.line(rows, {
    x: (row: number) => x[row],
    y: (row: number) => y[row],
    stroke: color,
    strokeWidth: width,
    strokeOpacity: opacity,
    strokeLinejoin: 'round',
    ...(dash ? { strokeDasharray: dash } : {}),
  });
}

/** A horizontal line with its name over its end. */
export function level(plot: PlotModule, y: number, label: string, theme: Theme): Plot.Markish[] {
  return [
    plot.ruleY([y], { stroke: theme.text, strokeWidth: 1.4, strokeDasharray: '6 4' }),
    plot.text([label], { frameAnchor: 'right', y, dy: -10, textAnchor: 'end', fill: theme.text, fontWeight: 600 }),
  ];
}

/** Grid lines under everything. */
export function grids(plot: PlotModule, theme: Theme, ticks?: readonly number[]): Plot.Markish[] {
  return [plot.gridY({ stroke: theme.grid, strokeOpacity: 1, ...(ticks ? { ticks: [...ticks] } : {}) })];
}

import type * as Plot from '@observablehq/plot';
import { envelope } from '../../pipeline/formats/envelope.ts';
import { cut, type Frame, type Point } from './cut.ts';
import { COLUMNS, type PlotModule } from './figure.ts';
import type { Theme } from './theme.ts';
import { powers, powerTick, tick } from './words.ts';

export interface CurveStyle {
  readonly color: string;
  readonly width?: number;
  readonly dash?: string;
  readonly opacity?: number;
  /** What the panel shows, where a curve may leave it. */
  readonly within?: Frame;
}

/** A curve over an increasing x, drawn by an envelope that keeps every extreme. */
export function curve(
  plot: PlotModule,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  style: CurveStyle,
): Plot.Markish {
  return line(plot, x, y, envelope(x, y, COLUMNS), style);
}

/**
 * A path through a plane: the rows where either coordinate has an extreme of its pixel column, taken along the path.
 */
export function path(
  plot: PlotModule,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  style: CurveStyle,
): Plot.Markish {
  const order = { length: x.length } as { length: number; [row: number]: number };
  for (let i = 0; i < x.length; i++) order[i] = i;
  const rows = [...new Set([...envelope(order, x, COLUMNS), ...envelope(order, y, COLUMNS)])].sort(
    (a, b) => a - b,
  );
  return line(plot, x, y, rows, style);
}

function line(
  plot: PlotModule,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  rows: readonly number[],
  { color, width = 1.6, dash, opacity = 1, within = {} }: CurveStyle,
): Plot.Markish {
  const points = rows.map((row): Point => [x[row]!, y[row]!]);
  const shown = within.x || within.y ? cut(points, within) : points;
  if (shown.length === 0) return null;
  return plot.line(shown, {
    stroke: color,
    strokeWidth: width,
    strokeOpacity: opacity,
    strokeLinejoin: 'round',
    clip: 'frame',
    ...(dash ? { strokeDasharray: dash } : {}),
  });
}

/** A horizontal line with its name over its end. */
export function level(plot: PlotModule, y: number, label: string, theme: Theme): Plot.Markish[] {
  return [
    plot.ruleY([y], {
      stroke: theme.text,
      strokeWidth: 1.4,
      strokeDasharray: '6 4',
      clip: 'frame',
    }),
    plot.text([label], {
      frameAnchor: 'right',
      y,
      dy: -10,
      textAnchor: 'end',
      fill: theme.text,
      fontWeight: 600,
    }),
  ];
}

/** Grid lines under everything. */
export function grids(plot: PlotModule, theme: Theme, ticks?: readonly number[]): Plot.Markish[] {
  return [
    plot.gridY({ stroke: theme.grid, strokeOpacity: 1, ...(ticks ? { ticks: [...ticks] } : {}) }),
  ];
}

/** How much larger than the median a value must be for the axis to be logarithmic: else all but it would lie at 0. */
const OUTLIER = 1e4;

/** A value axis that shows what there is to see, and what of a column can be drawn on it. */
export interface ValueAxis {
  readonly scale: Plot.ScaleOptions;
  readonly grid: readonly Plot.Markish[];
  shown(column: Float64Array): Float64Array;
}

/**
 * A linear axis from 0, or a logarithmic one where the values blow up, as those of a run that diverges do.
 *
 * @param line a value that the axis must show
 */
export function valueAxis(
  plot: PlotModule,
  label: string,
  columns: readonly Float64Array[],
  theme: Theme,
  { nice = false, zero = true, line }: { nice?: boolean; zero?: boolean; line?: number } = {},
): ValueAxis {
  const positive = columns
    .flatMap((column) => [...column.filter((value) => value > 0)])
    .sort((a, b) => a - b);
  const high = positive.at(-1) ?? 1;
  const middle = positive[Math.floor(positive.length / 2)] ?? 1;
  if (!(high > OUTLIER * middle)) {
    const format = high >= 1e5 ? { tickFormat: tick } : {};
    return {
      scale: { label, zero, ...(nice ? { nice } : {}), ...format },
      grid: grids(plot, theme),
      shown: (column) => column,
    };
  }
  const least = Math.max(positive[0]!, Math.min(high * 1e-15, middle * 1e-6));
  const low = line === undefined ? least : Math.min(least, line / 2);
  const ticks = powers(low, high);
  return {
    scale: {
      type: 'log',
      label: `${label} (log scale)`,
      domain: [low, high],
      ticks,
      tickFormat: powerTick,
    },
    grid: grids(plot, theme, ticks),
    shown: (column) => column.map((value) => (value >= low ? value : Number.NaN)),
  };
}

/** The axis of steps. */
export function stepAxis(step: ArrayLike<number>, label = 'step t'): Plot.ScaleOptions {
  return { label, ...(step[step.length - 1]! >= 1e6 ? { ticks: 4, tickFormat: tick } : {}) };
}

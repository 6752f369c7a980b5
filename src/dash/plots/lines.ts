import * as Plot from '@observablehq/plot';
import { linearTicks, logTicks, stepMarks, valueMarks, wholeTicks } from './axes.ts';
import { cut, outline, type Points } from './cut.ts';
import { type Drawing, drawPlot, type Look, MARGIN, niceDomain, type Range } from './draw.ts';
import { robustRange } from './robust.ts';
import type { Theme } from './theme.ts';
import { type XAxis, xAxisOf } from './x-axis.ts';

/** A line over steps. */
export interface Line {
  readonly points: Points;
  readonly color: string;
  readonly width?: number;
  readonly dash?: string;
  /** Thin, and half through: one of many that others are looked at through. */
  readonly faint?: boolean;
  readonly className?: string | undefined;
  /** Rows of a file, which are seen as dots where there are few; not so a line that is computed. */
  readonly rows?: boolean;
}

/**
 * A value that a drawing is looked at for: a line across, named at its end, with a band around it.
 */
export interface Level {
  readonly value: number;
  readonly label: string;
  /** Share of the value by which the band goes over and under it. */
  readonly band?: number;
  /** The line itself is among the lines, since it moves. */
  readonly moves?: boolean;
}

/** From line to line. */
export interface Area {
  readonly x: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly color: string;
  readonly className?: string | undefined;
}

/** Lines over steps, with what stands behind them. */
export interface LinesPlot {
  readonly label: string;
  readonly log: boolean;
  /** What it is drawn over, unless steps. */
  readonly axis?: XAxis | undefined;
  readonly steps: Range;
  readonly lines: readonly Line[];
  readonly level?: Level | undefined;
  /** The band between two lines. */
  readonly between?: { readonly low: Points; readonly high: Points } | undefined;
  /** A band across, from value to value. */
  readonly band?: Range | undefined;
  /** Rows beyond this step have too few true digits: they are shaded. */
  readonly doubtedFrom?: number | undefined;
  /** Steps that are marked at the top. */
  readonly events?: readonly number[];
  /** Areas around lines. */
  readonly areas?: readonly Area[] | undefined;
  /** The values shown, unless those of the lines. */
  readonly values?: Range | undefined;
  /** The values are counts. */
  readonly whole?: boolean | undefined;
  /** A few values far away from all others do not count for what is shown. */
  readonly robust?: boolean;
}

export interface DrawnLines {
  readonly svg: Drawing;
  readonly values: Range;
  /** Values left out of it, and the furthest of them. */
  readonly out: number;
  readonly furthest: number;
}

/** Draws lines over steps. */
export function linesPlot(plot: LinesPlot, look: Look): DrawnLines {
  const { label, log, steps, lines, level, between, band } = plot;
  const { theme, width } = look;
  const { range, out, furthest } = plot.values
    ? { range: plot.values, out: 0, furthest: 0 }
    : valuesOf(plot);
  const values = range;
  const ticksOf = log ? logTicks : plot.whole ? wholeTicks : linearTicks;
  const ticks = ticksOf(values, label);
  const svg = drawPlot(
    {
      x: { domain: steps, type: 'linear' },
      y: { domain: values, type: log ? 'log' : 'linear' },
      marks: [
        ...doubtMarks(plot, values, theme),
        ...(band ? [across(band, values, theme.shade, 1, 'stable-set')] : []),
        ...(between ? [betweenMark(between, values, theme)] : []),
        ...valueMarks(ticks, theme),
        ...(level ? levelMarks(level, values, theme) : []),
        ...(plot.areas ?? []).map((area) => areaMark(area, values)),
        ...lines.map((line) => lineMark(line, plot, values)),
        ...lines.flatMap((line) => dots(line, steps, values, width - MARGIN.left - MARGIN.right)),
        ...(level ? levelName(level, plot, values, theme) : []),
        ...eventMarks(plot, theme),
        ...stepMarks(plot.axis ?? xAxisOf(null), steps, width),
      ],
    },
    look,
  );
  return { svg, values, out, furthest };
}

const FAINT = { width: 0.8, opacity: 0.45 };

/**
 * A line as one path: a channel, a scale and a shape for each of its points would take most of the
 * time of a zoom.
 */
export function lineMark(
  { points, color, width = 1.4, dash, faint, className }: Line,
  { steps, log }: Pick<LinesPlot, 'steps' | 'log'>,
  values: Range,
): Plot.Markish {
  return Plot.line(points.x.length > 0 ? [0] : [], {
    x: [steps[0]],
    y: [values[0]],
    stroke: color,
    strokeWidth: faint ? FAINT.width : width,
    strokeOpacity: faint ? FAINT.opacity : 1,
    strokeLinejoin: 'round',
    clip: true,
    ...(className ? { className } : {}),
    ...(dash ? { strokeDasharray: dash } : {}),
    render(index, scales, channels, dimensions, context, next) {
      const drawn = next!(index, scales, channels, dimensions, context)!;
      const path = linePath(points, steps, values, log, dimensions);
      drawn.querySelector('path')?.setAttribute('d', path);
      return drawn;
    },
  });
}

function linePath(
  points: Points,
  [from, to]: Range,
  values: Range,
  log: boolean,
  { width, height, marginLeft: left, marginTop: top, marginRight, marginBottom }: Plot.Dimensions,
): string {
  const [right, bottom] = [width - marginRight, height - marginBottom];
  const [low, high] = log ? [Math.log10(values[0]), Math.log10(values[1])] : values;
  const [scaleX, scaleY] = [(right - left) / (to - from), (bottom - top) / (high - low)];
  const x = new Float64Array(points.x.length);
  const y = new Float64Array(points.x.length);
  for (let i = 0; i < x.length; i++) {
    x[i] = left + (points.x[i]! - from) * scaleX;
    const value = points.y[i]!;
    // A logarithmic scale has a place for positive values alone.
    const size = log ? (value > 0 ? Math.log10(value) : Number.NaN) : value;
    y[i] = bottom - (size - low) * scaleY;
  }
  return outline(cut({ x, y }, [left, right], [top, bottom]));
}

/** A shade with an edge over the steps whose digits are not true. */
function doubtMarks(
  { doubtedFrom, steps: [from, to] }: LinesPlot,
  [low, high]: Range,
  theme: Theme,
): Plot.Markish[] {
  if (doubtedFrom === undefined || doubtedFrom >= to) return [];
  const start = Math.max(from, doubtedFrom);
  return [
    Plot.rect([0], {
      ...{ x1: [start], x2: [to], y1: [low], y2: [high] },
      ...{ fill: theme.muted, fillOpacity: 0.14, clip: true, className: 'doubt' },
    }),
    Plot.ruleX(start > from ? [start] : [], {
      ...{ stroke: theme.muted, strokeDasharray: '2 3', clip: true },
    }),
  ];
}

/** Small triangles that point down at their steps. */
function eventMarks({ events = [], steps: [from, to] }: LinesPlot, theme: Theme): Plot.Markish[] {
  const seen = events.filter((step) => step >= from && step <= to);
  if (seen.length === 0) return [];
  return [
    Plot.text(seen, {
      x: seen,
      text: () => '▾',
      frameAnchor: 'top',
      dy: -9,
      fontSize: 12,
      fill: theme.oscillating,
      className: 'events',
    }),
  ];
}

const across = (
  [low, high]: Range,
  [bottom, top]: Range,
  fill: string,
  fillOpacity: number,
  className: string,
): Plot.Markish =>
  Plot.rect(low < top && high > bottom ? [0] : [], {
    y1: [Math.max(low, bottom)],
    y2: [Math.min(high, top)],
    fill,
    fillOpacity,
    clip: true,
    className,
  });

function levelMarks({ value, band = 0, moves }: Level, values: Range, theme: Theme) {
  const region: Range = [value * (1 - band), value * (1 + band)];
  return [
    ...(band > 0 ? [across(region, values, theme.threshold, 0.12, 'regime-band')] : []),
    Plot.ruleY(moves || value < values[0] || value > values[1] ? [] : [value], {
      stroke: theme.threshold,
      strokeWidth: 1.6,
      strokeDasharray: '6 4',
      clip: true,
    }),
  ];
}

/** Its name at that end where fewer lines pass, over what is drawn. */
function levelName(
  { value, label }: Level,
  { lines, steps: [from, to] }: LinesPlot,
  values: Range,
  theme: Theme,
): Plot.Markish[] {
  if (label === '' || value < values[0] || value > values[1]) return [];
  const above = value + (values[1] - values[0]) * 0.12;
  const passing = (low: number, high: number) =>
    lines.reduce((sum, { points: { x, y } }) => {
      let within = 0;
      for (let i = 0; i < x.length; i++)
        if (x[i]! >= low && x[i]! <= high && y[i]! > value && y[i]! < above) within++;
      return sum + within;
    }, 0);
  const room = (to - from) * 0.12;
  const left = passing(from, from + room) <= passing(to - room, to);
  return [
    Plot.text([label], {
      y: [value],
      frameAnchor: left ? 'left' : 'right',
      dx: left ? 4 : -4,
      dy: -8,
      fill: theme.threshold,
      stroke: theme.background,
      strokeWidth: 4,
      fontWeight: 600,
      className: 'level-name',
    }),
  ];
}

function areaMark({ x, low, high, color, className }: Area, values: Range): Plot.Markish {
  const room = values[1] - values[0];
  const near = (value: number) =>
    Math.max(values[0] > 0 ? values[0] / 10 : values[0] - room, Math.min(values[1] + room, value));
  return Plot.areaY(x, {
    ...{ x, y1: low.map(near), y2: high.map(near), fill: color, fillOpacity: 0.18, clip: true },
    ...(className ? { className } : {}),
  });
}

function betweenMark(
  { low, high }: { readonly low: Points; readonly high: Points },
  values: Range,
  theme: Theme,
): Plot.Markish {
  const room = values[1] - values[0];
  const near = (value: number) =>
    Math.max(values[0] - room / 2, Math.min(values[1] + room / 2, value));
  return Plot.areaY(Array.from(low.x), {
    x: Array.from(low.x),
    y1: Array.from(low.y, near),
    y2: Array.from(high.y, near),
    fill: theme.shade,
    clip: true,
  });
}

/** Rows further apart than this are seen as dots, as is one that stands alone. */
const DOT_PIXELS = 12;

function dots(
  { points, color, rows }: Line,
  [from, to]: Range,
  [low, high]: Range,
  pixels: number,
) {
  if (!rows) return [];
  const { x, y } = points;
  const most = Math.max(1, pixels / DOT_PIXELS);
  const seen: number[] = [];
  let there = 0;
  for (let i = 0; i < x.length && there <= most; i++) {
    if (!(x[i]! >= from && x[i]! <= to)) continue;
    there++;
    // Nor beyond the frame, over what stands above the drawing.
    if (y[i]! >= low && y[i]! <= high) seen.push(i);
  }
  if (seen.length === 0 || there > most) return [];
  return [
    Plot.dot(seen, {
      x: seen.map((i) => points.x[i]!),
      y: seen.map((i) => points.y[i]!),
      r: seen.length === 1 ? 4 : 2.5,
      fill: color,
    }),
  ];
}

/**
 * Part of the largest value that a logarithmic axis still shows, unless most values are smaller.
 */
const LEAST = 1e-12;

function medianOf(lines: readonly Line[]): number {
  const sizes = lines
    .flatMap(({ points }) => Array.from(points.y))
    .filter((value) => value > 0)
    .sort((a, b) => a - b);
  return sizes[Math.floor(sizes.length / 2)] ?? 1;
}

/** What is visible of the lines, and the level where it is near. */
function valuesOf({ lines, areas = [], steps: [from, to], log, level, robust }: LinesPlot) {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const all: number[] = [];
  const add = (value: number) => {
    if (!Number.isFinite(value) || (log && !(value > 0))) return;
    if (robust) all.push(value);
    if (value < low) low = value;
    if (value > high) high = value;
  };
  for (const area of areas) for (const value of [...area.low, ...area.high]) add(value);
  for (const { points } of lines) {
    const { x, y } = points;
    for (let i = 0; i < x.length; i++) {
      if (x[i]! >= from && x[i]! <= to) add(y[i]!);
      // The line runs on to the next row outside.
      if (x[i]! < from && x[i + 1]! > from) add(valueOnLine(points, i, from, log));
      if (x[i]! < to && x[i + 1]! > to) add(valueOnLine(points, i, to, log));
    }
  }
  const inner = robust ? robustRange(all, log) : undefined;
  if (inner) [low, high] = inner.range;
  // A line that passes through 0 would drag a logarithmic axis to the end of the world.
  if (log && low < high * LEAST)
    low = Math.max(low, Math.min(high * LEAST, medianOf(lines) * 1e-6));
  // The threshold is what sharpness is looked at for, so it stays in view while it is near.
  if (level && high > level.value / 2 && low < level.value * 2) {
    low = Math.min(low, level.value);
    high = Math.max(high, level.value);
  }
  const range = niceDomain(low <= high ? [low, high] : undefined, log);
  return { range, out: inner?.out ?? 0, furthest: inner?.furthest ?? 0 };
}

/** Where the line from point `i` to the next is at `x`, straight as it is drawn. */
function valueOnLine({ x: steps, y }: Points, i: number, x: number, log: boolean): number {
  const part = (x - steps[i]!) / (steps[i + 1]! - steps[i]!);
  const [a, b] = [y[i]!, y[i + 1]!];
  return log ? Math.exp(Math.log(a) + part * (Math.log(b) - Math.log(a))) : a + part * (b - a);
}

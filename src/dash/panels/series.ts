import * as Plot from '@observablehq/plot';
import { hasColumns, type Run, runColor } from '../app.ts';
import type { Points } from '../load/envelope.ts';
import { niceDomain } from './draw.ts';

/** A line of a time series. */
export interface Series {
  readonly key: string;
  readonly label: string;
  readonly color: string;
  /** Its name in this run, where that differs from run to run. */
  readonly name?: (run: Run) => string;
  /** The file's column it shows … */
  readonly column?: string;
  /** … or, without one, what follows from the run's parameters: its value at a step, and over which steps it is drawn. */
  readonly derived?: (run: Run) => DerivedLine | undefined;
  readonly dash?: string;
  readonly width?: number;
}

export interface DerivedLine {
  readonly at: (step: number) => number;
  readonly from?: number;
  readonly to?: number;
}

/** Tells the series of a panel apart where the colour tells the runs apart. */
export const DASHES = ['', '7 3', '2 3', '9 3 2 3', '1 2'];

/** A series of one run, ready to be drawn. */
export interface Drawn {
  readonly run: Run;
  readonly series: Series;
  readonly index: number;
  readonly points: Points;
  readonly at: ((step: number) => number) | undefined;
}

/** The series of a run over [from, to], each as an envelope of `pixels` columns. */
export async function linesOf(
  run: Run,
  all: readonly Series[],
  from: number,
  to: number,
  pixels: number,
): Promise<Drawn[]> {
  const present = all.flatMap(({ column }) =>
    column && hasColumns(run, [column]) ? [column] : [],
  );
  const lines = await run.client.lines(present, from, to, pixels);
  const byColumn = new Map(present.map((column, i) => [column, lines[i]!]));
  return all.flatMap((series, index): Drawn[] => {
    const points = series.column === undefined ? undefined : byColumn.get(series.column);
    if (points) return [{ run, series, index, points, at: undefined }];
    const line = series.derived?.(run);
    return line
      ? [
          {
            run,
            series,
            index,
            points: sample(line, from, to, pixels),
            at: (step) =>
              step >= (line.from ?? step) && step <= (line.to ?? step) ? line.at(step) : Number.NaN,
          },
        ]
      : [];
  });
}

/** The mark that draws a line; where there are many runs, in the run's colour. */
export function lineMark(
  { run, series, index, points }: Drawn,
  log: boolean,
  many: boolean,
): Plot.Markish {
  const dash = many ? DASHES[index % DASHES.length] : series.dash;
  const y = log ? points.y.map((value) => (value > 0 ? value : Number.NaN)) : points.y;
  return Plot.line(points.x, {
    x: points.x,
    y,
    stroke: many ? runColor(run) : series.color,
    strokeWidth: series.width ?? 1.4,
    strokeLinejoin: 'round',
    clip: true,
    ...(dash ? { strokeDasharray: dash } : {}),
  });
}

/** Rows further apart than this are seen as dots, as is one that stands alone. */
const DOT_PIXELS = 12;

/** Dots at the rows, where there are so few that the line alone would not tell where they are. */
export function dotMark(
  { run, series, points, at }: Drawn,
  [from, to]: readonly [number, number],
  pixels: number,
  log: boolean,
  many: boolean,
): Plot.Markish[] {
  if (at) return [];
  const seen = [...points.x.keys()].filter(
    (i) => points.x[i]! >= from && points.x[i]! <= to && (!log || points.y[i]! > 0),
  );
  if (seen.length === 0 || seen.length > Math.max(1, pixels / DOT_PIXELS)) return [];
  return [
    Plot.dot(seen, {
      x: seen.map((i) => points.x[i]!),
      y: seen.map((i) => points.y[i]!),
      r: seen.length === 1 ? 4 : 2.5,
      fill: many ? runColor(run) : series.color,
    }),
  ];
}

function sample(line: DerivedLine, from: number, to: number, pixels: number): Points {
  const start = Math.max(from, line.from ?? from);
  const end = Math.min(to, line.to ?? to);
  if (!(start < end)) return { x: new Float64Array(), y: new Float64Array() };
  const n = Math.min(pixels, 120);
  const x = Float64Array.from({ length: n }, (_, i) => start + ((end - start) * i) / (n - 1));
  return { x, y: x.map(line.at) };
}

/** Where the line from point `i` to the next is at `x`, straight as it is drawn. */
function valueOnLine({ x: steps, y }: Points, i: number, x: number, log: boolean): number {
  const part = (x - steps[i]!) / (steps[i + 1]! - steps[i]!);
  const [a, b] = [y[i]!, y[i + 1]!];
  return log ? Math.exp(Math.log(a) + part * (Math.log(b) - Math.log(a))) : a + part * (b - a);
}

/** Ends of the y axis: what is visible, and the level where it is near. */
export function yDomain(
  lines: readonly Drawn[],
  from: number,
  to: number,
  log: boolean,
  level: number | undefined,
): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const add = (value: number) => {
    if (log && !(value > 0)) return;
    if (value < low) low = value;
    if (value > high) high = value;
  };
  for (const { points } of lines) {
    for (let i = 0; i < points.x.length; i++) {
      if (points.x[i]! >= from && points.x[i]! <= to) add(points.y[i]!);
      // The line runs on to the next row outside.
      for (const end of [from, to])
        if (points.x[i]! < end && points.x[i + 1]! > end) add(valueOnLine(points, i, end, log));
    }
  }
  // The threshold is what sharpness is looked at for, so it stays in view while it is near.
  if (level !== undefined && high > level / 2 && low < level * 2)
    return niceDomain(Math.min(low, level), Math.max(high, level), log);
  return niceDomain(low, high, log);
}

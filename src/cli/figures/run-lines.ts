import type { Points } from '../../dash/plots/cut.ts';
import type { Look } from '../../dash/plots/draw.ts';
import { linesPlot } from '../../dash/plots/lines.ts';
import type { Theme } from '../../dash/plots/theme.ts';
import {
  type RunFigures,
  seriesLines,
  type TimeSeries,
  timeSeriesPlot,
} from '../../dash/plots/time-series.ts';
import { envelope } from '../../pipeline/formats/envelope.ts';
import { TRUSTED_DIGITS } from '../../pipeline/models/minimal/agreement.ts';
import { RUN_COLUMNS, type RunColumn } from '../../pipeline/models/minimal/columns.ts';
import { predictedSlope } from '../../pipeline/models/minimal/surrogate.ts';
import { atEdge, firstCrossing, type RunTable } from '../../pipeline/theory/run-table.ts';
import type { LegendItem, Panel } from './figure.ts';

/** Pixel columns of a panel, and twice as many points as a printed one has. */
const COLUMNS = 900;

/** A line over increasing x, by an envelope that keeps every extreme. */
export const linePoints = (x: ArrayLike<number>, y: ArrayLike<number>): Points =>
  picked(x, y, extremeRows(x, [y]));

/** Two lines at the same rows. */
export function linePair(x: ArrayLike<number>, a: ArrayLike<number>, b: ArrayLike<number>) {
  const rows = extremeRows(x, [a, b]);
  return [picked(x, a, rows), picked(x, b, rows)] as const;
}

/** A path through a plane: the rows where either coordinate has an extreme, in their order. */
export function pathPoints(x: ArrayLike<number>, y: ArrayLike<number>): Points {
  const order = Array.from(x, (_, row) => row);
  return picked(x, y, extremeRows(order, [x, y]));
}

function extremeRows(x: ArrayLike<number>, of: readonly ArrayLike<number>[]): readonly number[] {
  const rows = of.flatMap((y) => envelope(x, y, COLUMNS));
  return [...new Set(rows)].sort((a, b) => a - b);
}

const picked = (x: ArrayLike<number>, y: ArrayLike<number>, rows: readonly number[]): Points => ({
  x: rows.map((row) => x[row]!),
  y: rows.map((row) => y[row]!),
});

/** The largest sharpness at which the run's optimizer is stable. */
export const thresholdOf = ({ config, stability }: RunTable): number =>
  stability.threshold(config.eta);

/** Last step before rows have too few true digits; undefined where none has, or nobody knows. */
function trustedUntil(table: RunTable): number | undefined {
  const row = table.stored('digits')
    ? table.column('digits').findIndex((d) => d < TRUSTED_DIGITS)
    : -1;
  return row < 0 ? undefined : table.step[row]! - 1;
}

/** What plots say of a run besides its columns. */
function runFigures(table: RunTable): RunFigures {
  const { config, step, lastStep } = table;
  const { moments, eta, band } = config;
  const crossing = firstCrossing(table);
  const last = table.has('phase') ? table.column('phase').findLastIndex(atEdge) : table.length - 1;
  const anchor = Math.max(0, crossing);
  return {
    eta,
    ...moments,
    band,
    threshold: thresholdOf(table),
    thresholdName: table.stability.formula,
    slopePredicted: predictedSlope(moments, table.stability),
    edge: crossing < 0 ? undefined : { first: step[crossing]!, last: step[last] ?? lastStep },
    diverged: table.divergedAt !== null,
    trustedUntil: trustedUntil(table),
    anchors: new Map(
      (['l_hat', 'alpha'] as const).flatMap((name) =>
        table.has(name)
          ? [[name, { step: step[anchor]!, value: table.column(name)[anchor]! }] as const]
          : [],
      ),
    ),
  };
}

/** Columns over steps, and what plots say of their run besides. */
export interface Plottable {
  readonly step: ArrayLike<number>;
  readonly lastStep: number;
  readonly figures: RunFigures;
  has(column: string): boolean;
  column(name: string): ArrayLike<number>;
}

/** A run of the minimal model, as panels take it. */
export function plottableRun(table: RunTable): Plottable {
  return {
    step: table.step,
    lastStep: table.lastStep,
    figures: runFigures(table),
    has: (name) => RUN_COLUMNS.some((known) => known.name === name) && table.has(name as RunColumn),
    column: (name) => table.column(name as RunColumn),
  };
}

/** A panel of one of the page's plots of a run: all its series, or `only` some of them. */
export function seriesPanel(
  spec: TimeSeries,
  table: Plottable,
  theme: Theme,
  {
    title = spec.title,
    only,
    scale,
  }: {
    readonly title?: string;
    readonly only?: readonly string[];
    readonly scale?: 'log' | 'linear';
  } = {},
): Panel {
  const { step } = table;
  const wanted = {
    ...spec,
    ...(scale ? { scale } : {}),
    series: spec.series.filter(({ key }) => only?.includes(key) ?? true),
  };
  const points = new Map(
    wanted.series.flatMap(({ column }) =>
      column && table.has(column) ? [[column, linePoints(step, table.column(column))]] : [],
    ),
  );
  const run = table.figures;
  const steps = [step[0]!, table.lastStep] as const;
  const lines = seriesLines(wanted, [{ run, points }], steps, theme);
  return {
    title,
    legend: lines.map(
      ({ series: { label, name }, line: { color, dash, width } }): LegendItem => ({
        label: name?.(run) ?? label,
        color,
        kind: 'line',
        ...(dash ? { dash } : {}),
        ...(width ? { width: width * 1.4 } : {}),
      }),
    ),
    draw: (look: Look) => linesPlot(timeSeriesPlot(wanted, lines, steps), look).svg,
  };
}

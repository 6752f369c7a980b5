import { formatNumber } from '../../pipeline/format.ts';
import type { Points } from './cut.ts';
import type { Range } from './draw.ts';
import type { Level, Line, LinesPlot } from './lines.ts';
import { robustRange } from './robust.ts';
import type { ColorName, Theme } from './theme.ts';
import type { Place, XAxis } from './x-axis.ts';

/**
 * What a run's metadata and phases tell of it; each may be unknown, since a file may be anybody's.
 */
export interface RunFigures {
  readonly eta?: number | undefined;
  readonly lambda1?: number | undefined;
  readonly lambda2?: number | undefined;
  /** Largest sharpness at which the run's optimizer is stable, and its formula. */
  readonly threshold?: number | undefined;
  readonly thresholdName: string;
  /** Share of the threshold within which S counts as at the edge. */
  readonly band: number;
  /** Predicted slope of ln L̂ a step. */
  readonly slopePredicted?: number | undefined;
  /** Steps of the edge of stability. */
  readonly edge?: { readonly first: number; readonly last: number } | undefined;
  /** The first step at or beyond the threshold. */
  readonly crossing?: number | undefined;
  /** It blew up, and its last values are far from all others. */
  readonly diverged?: boolean;
  /** Last step before its rows have too few true digits. */
  readonly trustedUntil?: number | undefined;
  /** Steps of the peaks of the loss. */
  readonly spikes?: readonly number[];
  /** Steps behind which its parameters were changed. */
  readonly changes?: readonly number[];
  /** Values of a few columns where the edge begins, or soon after, or else where the run does. */
  readonly anchors: ReadonlyMap<string, { readonly step: number; readonly value: number }>;
}

/** A line that follows from a run's parameters. */
export interface DerivedLine {
  readonly at: (step: number) => number;
  readonly from?: number;
  readonly to?: number;
}

export interface Series {
  readonly key: string;
  readonly label: string;
  readonly color: ColorName | 'text';
  /** Its name in this run, where that differs from run to run. */
  readonly name?: (run: RunFigures) => string;
  /** The file's column it shows … */
  readonly column?: string;
  /** … or, without one, what follows from the run's parameters. */
  readonly derived?: (run: RunFigures) => DerivedLine | undefined;
  readonly dash?: string;
  readonly width?: number;
  /** What the column's values are multiplied by; undefined where the run has no line. */
  readonly factor?: (run: RunFigures) => number | undefined;
  /** The same of other dynamics from the same start is drawn beside it. */
  readonly dynamics?: boolean;
}

/** A plot of columns over steps: one file each, found by the page and drawn by `eos figures`. */
export interface TimeSeries {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly axis: string;
  readonly description: string;
  readonly scale: 'log' | 'linear';
  /** Its place on the page; the first is the main one, and wide. */
  readonly order: number;
  /** Its values are counts. */
  readonly whole?: boolean;
  /** Few runs have it, so that nobody misses it. */
  readonly optional?: boolean;
  readonly series: readonly Series[];
  readonly level?: (run: RunFigures) => Level | undefined;
  /** The same in another unit, with series of the same keys. */
  readonly other?: Omit<TimeSeries, 'other'> & { readonly button: string };
  /** Steps that are marked above the lines, and what they are. */
  readonly events?: { readonly label: string; steps(run: RunFigures): readonly number[] };
}

/** Tells the series of a plot apart where colours tell the runs apart. */
export const DASHES = ['', '7 3', '2 3', '9 3 2 3', '1 2', '12 3 2 3 2 3', '4 2'];

/** One run in a plot. */
export interface RunLines {
  readonly run: RunFigures;
  /** Where its steps stand, unless the axis is that of steps. */
  readonly place?: Place | undefined;
  /** By column. */
  readonly points: ReadonlyMap<string, Points>;
  /** Its colour, where several runs are told apart by colour. */
  readonly color?: string | undefined;
  /** By which a page finds its lines. */
  readonly className?: string | undefined;
}

/** A series of a run, ready to be drawn. */
export interface SeriesLine<R extends RunLines = RunLines> {
  readonly of: R;
  readonly series: Series;
  readonly line: Line;
  /** Many runs have levels of their own here: each is a tick at the right end of the axis. */
  readonly tick?: boolean;
  readonly at: ((step: number) => number) | undefined;
}

/** The thresholds of more runs than this would cover what they are drawn for. */
const MOST_THRESHOLDS = 4;

/** Part of the axis that a level takes which is drawn at its right end alone. */
const TICK = 0.015;

/** The lines of a plot. */
export function seriesLines<R extends RunLines>(
  { series: all }: TimeSeries,
  runs: readonly R[],
  steps: Range,
  theme: Theme,
): SeriesLine<R>[] {
  const ticks = new Set(all.filter((series) => levelsOf(series, runs).size > MOST_THRESHOLDS));
  return runs.flatMap((of) =>
    all.flatMap((series, index): SeriesLine<R>[] => {
      const points = scaled(of.points.get(series.column ?? ''), series.factor, of.run);
      const derived = points ? undefined : series.derived?.(of.run);
      if (!points && !derived) return [];
      const dash = of.color ? DASHES[index % DASHES.length] : series.dash;
      const tick = derived !== undefined && ticks.has(series);
      const [from, to] = steps;
      return [
        {
          of,
          series,
          at: derived && within(derived),
          tick,
          line: {
            points:
              points ?? sample(derived!, [tick ? to - TICK * (to - from) : from, to], of.place),
            color: of.color ?? theme[series.color],
            rows: points !== undefined,
            className: of.className,
            ...(dash ? { dash } : {}),
            ...(series.width ? { width: series.width } : {}),
            ...(series.key === 'threshold' && !tick && runs.length > MOST_THRESHOLDS
              ? { faint: true }
              : {}),
          },
        },
      ];
    }),
  );
}

/** The levels of runs that follow from their parameters and are the same at all steps. */
function levelsOf(series: Series, runs: readonly RunLines[]): ReadonlySet<number> {
  const levels = runs.flatMap(({ run, points }) => {
    const line = points.has(series.column ?? '') ? undefined : series.derived?.(run);
    const [first, last] = [line?.at(0), line?.at(1)];
    return first !== undefined && first === last ? [first] : [];
  });
  return new Set(levels);
}

/** Points with their values multiplied; none where there is no factor for them. */
function scaled(points: Points | undefined, factor: Series['factor'], run: RunFigures) {
  if (!points || !factor) return points;
  const by = factor(run);
  return by === undefined ? undefined : { x: points.x, y: Array.from(points.y, (y) => y * by) };
}

/** A plot of these lines, on a scale chosen or on that which fits them. */
export function timeSeriesPlot(
  spec: TimeSeries,
  lines: readonly SeriesLine[],
  steps: Range,
  scale: 'log' | 'linear' = fittingScale(spec, lines),
  axis?: XAxis,
): LinesPlot {
  const first = lines[0]?.of.run;
  // Runs with thresholds of their own have no level in common.
  const single = lines.every(({ of }) => of.run === first);
  const level = first && spec.level?.(first);
  const common = lines.every(({ of }) => spec.level?.(of.run)?.value === level?.value);
  const log = scale === 'log';
  const at = (step: number) => lines[0]?.of.place?.at(step) ?? step;
  return {
    label: log ? `${spec.axis} (log scale)` : spec.axis,
    log,
    axis,
    whole: spec.whole,
    steps,
    lines: lines.map(({ line }) => line),
    level: common
      ? (level ?? (single && first ? constantLevel(lines, first) : undefined))
      : undefined,
    doubtedFrom: single && first?.trustedUntil !== undefined ? at(first.trustedUntil) : undefined,
    events: single && first ? (spec.events?.steps(first) ?? []).map(at) : [],
  };
}

/** The threshold of a log, which stands in a column of its own, where it does not move. */
function constantLevel(
  lines: readonly SeriesLine[],
  { thresholdName, band }: RunFigures,
): Level | undefined {
  const found = lines.find(({ series }) => series.key === 'threshold' && series.column);
  const values = Array.from(found?.line.points.y ?? []);
  const [value] = values;
  if (value === undefined || values.some((each) => each !== value)) return undefined;
  return { value, label: `${thresholdName} = ${formatNumber(value, 4)}`, band, moves: true };
}

/** How much larger than the median a value must be for a linear axis to show nothing else. */
const OUTLIER = 1e4;

/**
 * The scale of a plot, or the logarithmic one where a run blows up: else all but its end would lie
 * at 0.
 *
 * @param robust the few values that are far away are not shown
 */
export function fittingScale(
  { scale }: Pick<TimeSeries, 'scale'>,
  lines: readonly SeriesLine[],
  robust = false,
): 'log' | 'linear' {
  if (scale === 'log' || !lines.some(({ of }) => of.run.diverged)) return scale;
  const sizes = lines
    .flatMap(({ line }) => Array.from(line.points.y))
    .filter((value) => value > 0)
    .sort((a, b) => a - b);
  const middle = sizes[Math.floor(sizes.length / 2)] ?? 1;
  const most = (robust ? robustRange(sizes, false)?.range[1] : sizes.at(-1)) ?? middle;
  return most > OUTLIER * middle ? 'log' : 'linear';
}

const SAMPLES = 120;

function sample(line: DerivedLine, [from, to]: Range, place?: Place): Points {
  const at = (step: number) => place?.at(step) ?? step;
  const start = Math.max(from, line.from === undefined ? from : at(line.from));
  const end = Math.min(to, line.to === undefined ? to : at(line.to));
  if (!(start < end)) return { x: [], y: [] };
  const x = Array.from({ length: SAMPLES }, (_, i) => start + ((end - start) * i) / (SAMPLES - 1));
  return { x, y: x.map((position) => line.at(place?.step(position) ?? position)) };
}

const within =
  (line: DerivedLine) =>
  (step: number): number =>
    step >= (line.from ?? step) && step <= (line.to ?? step) ? line.at(step) : Number.NaN;

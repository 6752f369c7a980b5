import { plural } from '../../pipeline/format.ts';
import { addPoints, emptyEnvelope, envelopePoints } from '../../pipeline/formats/envelope.ts';
import { type App, hasColumns, type Run } from '../app.ts';
import type { TableClient } from '../load/client.ts';
import type { TableInfo } from '../load/protocol.ts';
import type { Points } from '../plots/cut.ts';
import type { Area } from '../plots/lines.ts';
import type { RunLines } from '../plots/time-series.ts';
import type { Place } from '../plots/x-axis.ts';
import { readLines } from './read-lines.ts';

/** The lines of a run, or of several as one. */
export interface PageLines extends RunLines {
  readonly key: string;
  readonly name: string;
  /** The run whose own rows these are. */
  readonly page?: Run | undefined;
}

export interface ReadLines {
  readonly lines: readonly PageLines[];
  readonly areas: readonly Area[];
  /** What is drawn in place of the runs, in words. */
  readonly said: string;
}

interface Request {
  readonly columns: readonly string[];
  readonly pixels: number;
  readonly log: boolean;
}

/** Rows of a run that are read to compute with them. */
const MOST_ROWS = 50_000;
/** Pixels between the places at which a mean is taken. */
const STRIDE = 2;

/** The lines of the runs, of their means in groups, or of their differences from another. */
export function readPageLines(
  app: App,
  runs: readonly Run[],
  request: Request,
): Promise<ReadLines> {
  const { group, minus } = app.store.get();
  if (minus !== null) return differences(app, runs, request, minus);
  if (group !== null) return means(app, runs, request, group);
  return plain(app, runs, request);
}

const presentIn = (columns: readonly string[], table: { readonly info: TableInfo }) =>
  columns.filter((column) => hasColumns(table, [column]));

async function plain(app: App, runs: readonly Run[], { columns, pixels }: Request) {
  const lines = await Promise.all(
    runs.map(async (run): Promise<PageLines> => {
      const present = presentIn(columns, run);
      const read = await readLines(app, run, run.client, present, pixels);
      return {
        ...linesOf(app, run),
        page: run,
        points: new Map(present.map((column, i) => [column, read[i]!])),
        color: runs.length > 1 ? app.color(run) : undefined,
      };
    }),
  );
  return { lines, areas: [], said: '' };
}

const linesOf = (app: App, run: Run) => ({
  key: String(run.id),
  name: run.name,
  run: run.figures,
  place: app.place(run),
  className: `of-run-${run.id}`,
});

/** Rows at positions, by column. */
interface Placed {
  readonly x: readonly number[];
  readonly values: readonly ArrayLike<number>[];
  readonly every: number;
}

async function placedRows(
  client: TableClient,
  columns: readonly string[],
  place: Place,
  [from, to]: readonly [number, number],
): Promise<Placed> {
  const read = await client.rows(columns, place.step(from), place.step(to), MOST_ROWS);
  return { x: Array.from(read.step, place.at), values: read.values, every: read.every };
}

/** What a run is compared with: another run, or the file of a dynamics beside it. */
function referenceOf(app: App, run: Run, minus: string) {
  const place = app.place(run);
  const file = run.dynamics.find(({ name }) => name === minus);
  if (file) return place && { client: file.client, info: file.info, place };
  const other = app.runs().find(({ link, name }) => link === minus || name === minus);
  if (!other || other === run) return undefined;
  const there = app.place(other);
  return there && { client: other.client, info: other.info, place: there };
}

async function differences(
  app: App,
  runs: readonly Run[],
  { columns, pixels }: Request,
  minus: string,
): Promise<ReadLines> {
  const range = app.range();
  let most = 1;
  const found = await Promise.all(
    runs.map(async (run): Promise<PageLines | undefined> => {
      const reference = referenceOf(app, run, minus);
      if (!reference) return undefined;
      const both = presentIn(presentIn(columns, run), reference);
      const [own, other] = await Promise.all([
        placedRows(run.client, both, app.place(run)!, range),
        placedRows(reference.client, both, reference.place, range),
      ]);
      most = Math.max(most, own.every, other.every);
      const points = both.map((column, c): [string, Points] => {
        const at = along(other.x, other.values[c]!);
        const y = Float64Array.from(own.x, (x, i) => own.values[c]![i]! - at(x));
        const envelope = emptyEnvelope(...range, pixels);
        addPoints(envelope, own.x, y);
        return [column, envelopePoints(envelope)];
      });
      return {
        ...linesOf(app, run),
        points: new Map(points),
        color: runs.length > 1 ? app.color(run) : undefined,
      };
    }),
  );
  const lines = found.flatMap((each) => each ?? []);
  return { lines, areas: [], said: `minus ${minus.split('/').at(-1)}${thinned(most)}` };
}

/** What a legend says of lines that are made of every so many rows. */
const thinned = (every: number) => (every > 1 ? ` (every ${every}th row)` : '');

async function means(
  app: App,
  runs: readonly Run[],
  { columns, pixels, log }: Request,
  group: string,
): Promise<ReadLines> {
  const range = app.range();
  const [from, to] = range;
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const value = String(run.facts.parameters[group] ?? 'unknown');
    groups.set(value, [...(groups.get(value) ?? []), run]);
  }
  let most = 1;
  const count = Math.max(2, Math.round(pixels / STRIDE));
  const x = Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
  const found = await Promise.all(
    [...groups].map(async ([value, members]) => {
      const present = columns.filter((column) => members.every((run) => hasColumns(run, [column])));
      const read = await Promise.all(
        members.map((run) => placedRows(run.client, present, app.place(run)!, range)),
      );
      most = Math.max(most, ...read.map(({ every }) => every));
      const color = app.color(members[0]!);
      const bands = present.map((_, c) =>
        meanBand(
          read.map((rows) => along(rows.x, rows.values[c]!)),
          x,
          log,
        ),
      );
      const line: PageLines = {
        ...linesOf(app, members[0]!),
        key: `${group}=${value}`,
        name: `${group} = ${value} (${plural(members.length, 'run')})`,
        className: undefined,
        points: new Map(present.map((column, c) => [column, { x, y: bands[c]!.mean }])),
        color,
      };
      const areas = bands.map(
        ({ low, high }): Area => ({ x, low, high, color, className: 'band' }),
      );
      return { line, areas };
    }),
  );
  return {
    lines: found.map(({ line }) => line),
    areas: found.flatMap(({ areas }) => areas),
    said: `mean by ${group} ± standard deviation${log ? ' of logarithms' : ''}${thinned(most)}`,
  };
}

/** Value at a position, straight from row to row; NaN where there are no rows. */
export function along(x: ArrayLike<number>, y: ArrayLike<number>): (at: number) => number {
  return (at) => {
    let [low, high] = [0, x.length - 1];
    if (high < 0 || !(at >= x[low]! && at <= x[high]!)) return Number.NaN;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (x[middle]! <= at) low = middle;
      else high = middle;
    }
    if (at === x[low]) return y[low]!;
    if (at === x[high]) return y[high]!;
    return y[low]! + ((at - x[low]!) / (x[high]! - x[low]!)) * (y[high]! - y[low]!);
  };
}

/** Mean and standard deviation of several lines at each position, of those that are there. */
export function meanBand(
  lines: readonly ((at: number) => number)[],
  x: readonly number[],
  log: boolean,
) {
  const [forth, back] = log ? [Math.log, Math.exp] : [Number, Number];
  const at = x.map((position) => {
    const values = lines.map((line) => forth(line(position))).filter(Number.isFinite);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    return { mean, deviation: Math.sqrt(square) };
  });
  return {
    mean: at.map(({ mean }) => back(mean)),
    low: at.map(({ mean, deviation }) => back(mean - deviation)),
    high: at.map(({ mean, deviation }) => back(mean + deviation)),
  };
}

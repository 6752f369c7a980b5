import { formatNumber } from '../format.ts';
import { log } from '../numeric/elementary.ts';
import { exp } from '../numeric/exponential.ts';
import { MAP_PARAMETERS, type MapParameter } from './map-parameters.ts';
import type { SweptConfig } from './sweep.ts';
import { OUTCOMES } from './sweep-columns.ts';

/** Rows of a sweep's summary, whatever they were read from. Null is NaN among numbers. */
export interface SweepTable {
  readonly length: number;
  /** What its runs are of. */
  readonly model: SweptConfig['model'];
  /** Of a parameter whose values are words, their places among `words`. */
  numbers(column: string): Float64Array;
  /** The words of a parameter; undefined where its values are numbers. */
  words(column: string): readonly string[] | undefined;
  /** Texts of `outcome` and `run_id`. */
  texts(column: string): readonly string[];
}

/** A quantity that a heat map can show. */
export interface Quantity {
  readonly name: string;
  readonly label: string;
  /** What the map is called. */
  readonly title: string;
  /** Shown on a logarithmic colour scale where all values are positive and span decades. */
  readonly log?: boolean;
  /** A count: whole numbers only. */
  readonly whole?: boolean;
  /** It speaks of runs that have diverged too. */
  readonly ofAll?: boolean;
  /** What it means that a run has none. */
  readonly none?: string;
}

const OUTCOME: Quantity = { name: 'outcome', label: 'outcome', title: 'What became of each run' };
const COUNT = { log: true, whole: true } as const;
const CYCLES: Quantity = {
  name: 'cycles',
  label: 'cycles',
  title: 'Cycles of the edge of stability',
  ...COUNT,
};
const LARGEST: Quantity = {
  name: 'max_sharpness_ratio',
  label: 'largest ηS/2',
  title: 'Largest sharpness over 2/η',
  log: true,
};
const FINAL: Quantity = {
  name: 'final_sharpness_ratio',
  label: 'final ηS/2',
  title: 'Final sharpness over 2/η',
};

const OF_NETWORKS: readonly Quantity[] = [
  OUTCOME,
  CYCLES,
  LARGEST,
  FINAL,
  { name: 'spike_count', label: 'spikes', title: 'Spikes of the loss', ...COUNT, ofAll: true },
  {
    name: 'edge_spikes',
    label: 'spikes of the edge',
    title: 'Spikes whose cause is the edge',
    ...COUNT,
    ofAll: true,
  },
  { name: 'final_loss', label: 'final loss', title: 'Loss of the last row', log: true },
];

const OF_MINIMAL: readonly Quantity[] = [
  OUTCOME,
  CYCLES,
  LARGEST,
  {
    name: 'convergence_time',
    label: 'T(δ, ε)',
    title: 'Steps to convergence',
    log: true,
    whole: true,
  },
  FINAL,
  {
    name: 'trusted_until',
    label: 'digits true until',
    title: 'Last step whose digits are true',
    log: true,
    whole: true,
    ofAll: true,
    none: 'to the end',
  },
];

/** What maps of the sweeps of a model can show. */
export const QUANTITIES: Readonly<Record<SweepTable['model'], readonly Quantity[]>> = {
  minimal: OF_MINIMAL,
  mlp: OF_NETWORKS,
};

/** The threshold of the runs of a sweep: of gradient descent 2/η, else that of their optimizer. */
export function thresholdOf(table: SweepTable): string {
  const plain =
    table.words('optimizer')?.every((name) => name === 'gd') ??
    table.numbers('momentum').every(Number.isNaN);
  return plain ? '2/η' : 'threshold';
}

/** The quantities of a sweep, named for the threshold of its runs. */
export function quantitiesOf(table: SweepTable): readonly Quantity[] {
  const threshold = thresholdOf(table);
  const all = QUANTITIES[table.model];
  if (threshold === '2/η') return all;
  return all.map((quantity) => ({
    ...quantity,
    label: quantity.label.replace('ηS/2', `S/${threshold}`),
    title: quantity.title.replace('2/η', `the ${threshold} of the optimizer`),
  }));
}

/** A parameter of the table, by its column. */
export interface TableParameter extends MapParameter {
  readonly values: readonly number[];
}

/**
 * Parameters that take more than one value in the rows left by filters, the learning rate first:
 * what a map can have as its axes.
 */
export function variedParameters(
  table: SweepTable,
  filters?: HeatMapRequest['filters'],
): readonly TableParameter[] {
  const rows = filters && filters.size > 0 ? keptRows(table, filters) : undefined;
  const all = MAP_PARAMETERS[table.model].map((parameter) => ({
    ...parameter,
    values: distinct(table.numbers(parameter.column), rows),
  }));
  const varied = all.filter(({ values }) => values.length > 1);
  return [
    ...varied.filter(({ column }) => column === 'eta'),
    ...varied.filter(({ column }) => column !== 'eta'),
  ];
}

export function parameterSymbol(column: string): string {
  const all = Object.values(MAP_PARAMETERS).flat();
  return all.find((each) => each.column === column)?.symbol ?? column;
}

/** A value of a parameter as people read it. */
export function valueText(
  { words }: Pick<SweepTable, 'words'>,
  column: string,
  value: number,
  digits?: number,
): string {
  return words(column)?.[value] ?? formatNumber(value, digits);
}

/** One place on an axis of a map: from edge to edge, with the value in its middle. */
export interface Place {
  readonly value: number;
  readonly from: number;
  readonly to: number;
}

export interface MapAxis {
  readonly column: string;
  readonly log: boolean;
  /** Its values are names, as seeds are: they stand side by side, whatever they are. */
  readonly named: boolean;
  /** What these names are, where they are words. */
  readonly words?: readonly string[] | undefined;
  readonly places: readonly Place[];
}

export interface Cell {
  readonly x: Place;
  readonly y: Place;
  /**
   * Median of the runs here that have not diverged; the number of the outcome where the map is of
   * outcomes. NaN where there is none.
   */
  readonly value: number;
  /** Most runs here have diverged, so that no value speaks for them. */
  readonly diverged: boolean;
  readonly runs: number;
  /** A run here that has that value. */
  readonly row: number;
  /** All runs here. */
  readonly rows: Int32Array;
  /** What its runs have, as shares of them; one where they have the same, or are one. */
  readonly shares: readonly Share[];
}

/** A share of the runs of a cell. */
export interface Share {
  readonly value: number;
  readonly diverged: boolean;
  readonly share: number;
}

export interface Facet {
  /** Value of the parameter that tells facets apart; null where none does. */
  readonly value: number | null;
  readonly cells: readonly Cell[];
  /**
   * Where S∞(θ₀) = 2/η: on one side gradient flow from the start ends below 2/η, and there is no
   * edge of stability.
   */
  readonly border: readonly { readonly x: number; readonly y: number }[];
}

export interface HeatMap {
  readonly quantity: Quantity;
  /** What the sharpness of the runs is measured against. */
  readonly threshold: string;
  readonly x: MapAxis;
  readonly y: MapAxis;
  readonly facet: string | null;
  /** Names of the facets, where they are words. */
  readonly facetWords: readonly string[] | undefined;
  readonly facets: readonly Facet[];
  /** Values of the facets' parameter that have no map, since there are too many of them. */
  readonly omitted: readonly number[];
}

export interface HeatMapRequest {
  readonly quantity: Quantity;
  readonly x: string;
  readonly y: string;
  readonly facet?: string | null;
  /** Only rows that have one of these values in the column. */
  readonly filters?: ReadonlyMap<string, readonly number[]>;
}

/** Nobody tells more places of an axis apart; neighbours share one from there on. */
const MOST_PLACES = 200;
export const MOST_FACETS = 4;

/** Lays the rows of a sweep out over two of its parameters, a map for each value of a third. */
export function heatMap(
  table: SweepTable,
  { quantity, x, y, facet = null, filters }: HeatMapRequest,
): HeatMap {
  const kept = keptRows(table, filters);
  const xs = table.numbers(x);
  const ys = table.numbers(y);
  const xAxis = mapAxis(x, distinct(xs, kept), table.words(x));
  const yAxis = mapAxis(y, distinct(ys, kept), table.words(y));
  const values = quantityColumn(table, quantity);
  const diverged = divergedRows(table);
  // Of networks it is not known where gradient flow would end.
  const ratio = table.model === 'minimal' ? table.numbers('start_gfs_ratio') : undefined;
  const all = facet === null ? [] : distinct(table.numbers(facet), kept);
  const shown = spread(all, MOST_FACETS);
  const facetValues = facet === null ? [null] : shown;
  const facets = facetValues.map((value): Facet => {
    const rows = value === null ? kept : kept.filter((row) => table.numbers(facet!)[row] === value);
    const cells = cellsOf(rows, xs, ys, values, diverged, xAxis, yAxis, quantity);
    return { value, cells, border: ratio ? border(rows, xs, ys, ratio, xAxis, yAxis) : [] };
  });
  const omitted = all.filter((value) => !shown.includes(value));
  const named = quantitiesOf(table).find(({ name }) => name === quantity.name) ?? quantity;
  const threshold = thresholdOf(table);
  const facetWords = facet === null ? undefined : table.words(facet);
  return { quantity: named, threshold, x: xAxis, y: yAxis, facet, facetWords, facets, omitted };
}

/** A quantity of each row as a number. */
export function quantityColumn(table: SweepTable, { name }: Quantity): Float64Array {
  if (name !== 'outcome') return table.numbers(name);
  return Float64Array.from(table.texts(name), (outcome) =>
    (OUTCOMES as readonly string[]).indexOf(outcome),
  );
}

function keptRows(table: SweepTable, filters: HeatMapRequest['filters'] = new Map()): Int32Array {
  const tests = [...filters].map(([column, values]) => ({
    numbers: table.numbers(column),
    values: new Set(values),
  }));
  const rows = new Int32Array(table.length);
  let count = 0;
  for (let row = 0; row < table.length; row++) {
    if (tests.every(({ numbers, values }) => values.has(numbers[row]!))) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

function distinct(numbers: Float64Array, rows?: Int32Array): number[] {
  const all = new Set<number>();
  if (rows) for (const row of rows) all.add(numbers[row]!);
  else for (const value of numbers) all.add(value);
  return [...all].filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
}

/** So many of them at most, spread over all, both ends among them. */
function spread<T>(values: readonly T[], most: number): T[] {
  if (values.length <= most) return [...values];
  return Array.from(
    { length: most },
    (_, i) => values[Math.round((i * (values.length - 1)) / (most - 1))]!,
  );
}

/** Parameters whose numbers are names. */
const NAMES: readonly string[] = ['seed'];

function mapAxis(
  column: string,
  values: readonly number[],
  words: readonly string[] | undefined,
): MapAxis {
  if ((words || NAMES.includes(column)) && values.length <= MOST_PLACES) {
    const places = values.map((value, i) => ({ value, from: i - 0.5, to: i + 0.5 }));
    return { column, log: false, named: true, words, places };
  }
  const log = isGeometric(values);
  const grouped: number[][] = [];
  const count = Math.min(values.length, MOST_PLACES);
  values.forEach((value, i) => {
    const group = Math.floor((i * count) / values.length);
    grouped[group] ??= [];
    grouped[group].push(value);
  });
  const middle = (a: number, b: number) => (log ? Math.sqrt(a * b) : (a + b) / 2);
  const ends = grouped.map((group) => [group[0]!, group.at(-1)!] as const);
  const outer = (inner: number, edge: number) => (log ? (inner * inner) / edge : 2 * inner - edge);
  const places = ends.map(([first, last], i) => {
    const before = ends[i - 1];
    const after = ends[i + 1];
    const to = after ? middle(last, after[0]) : undefined;
    const from = before ? middle(before[1], first) : undefined;
    const alone = log
      ? [first / 1.1, last * 1.1]
      : [first - 0.5 * (Math.abs(first) || 1), last + 0.5 * (Math.abs(last) || 1)];
    return {
      value: middle(first, last),
      from: from ?? (to === undefined ? alone[0]! : outer(first, to)),
      to: to ?? (from === undefined ? alone[1]! : outer(last, from)),
    };
  });
  return { column, log, named: false, places };
}

/** Whether values are spaced by factors rather than by differences. */
function isGeometric(values: readonly number[]): boolean {
  if (values.length < 3 || !(values[0]! > 0)) return false;
  const spacings = values.slice(1).map((value, i) => value / values[i]!);
  const steps = values.slice(1).map((value, i) => value - values[i]!);
  return unevenness(spacings) < unevenness(steps);
}

function unevenness(spacings: readonly number[]): number {
  return Math.max(...spacings) / Math.min(...spacings);
}

/** Index of the place that a value falls into. */
function placeOf({ places, named }: MapAxis, value: number): number {
  if (named) return places.findIndex((place) => place.value === value);
  let low = 0;
  let high = places.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value > places[middle]!.to) low = middle + 1;
    else high = middle;
  }
  return low;
}

function cellsOf(
  rows: Int32Array,
  xs: Float64Array,
  ys: Float64Array,
  values: Float64Array,
  diverged: Uint8Array,
  x: MapAxis,
  y: MapAxis,
  { name, ofAll = false }: Quantity,
): Cell[] {
  const keys = rows.map((row) => placeOf(x, xs[row]!) * y.places.length + placeOf(y, ys[row]!));
  return groups(rows, keys, x.places.length * y.places.length).map(([key, members]) => {
    const lost = members.filter((row) => diverged[row] === 1);
    const blown = !ofAll && name !== 'outcome' && 2 * lost.length > members.length;
    const row =
      name === 'outcome'
        ? mostFrequent(members, values)
        : blown
          ? lost[0]!
          : median(ofAll ? members : members.filter((each) => diverged[each] === 0), values);
    return {
      x: x.places[Math.floor(key / y.places.length)]!,
      y: y.places[key % y.places.length]!,
      value: blown ? Number.NaN : values[row]!,
      diverged: blown,
      runs: members.length,
      row,
      rows: members,
      shares: sharesOf(members, values, name === 'outcome' || ofAll ? undefined : diverged),
    };
  });
}

/** Nobody tells more shares of a cell apart. */
const MOST_SHARES = 8;

/**
 * What the runs of a cell have, in the order of the values: each value and how many have it, or of
 * many values those in the middle of equal shares. Those that have diverged come last.
 */
function sharesOf(members: Int32Array, values: Float64Array, diverged?: Uint8Array): Share[] {
  const count = members.length;
  if (count === 1) {
    const row = members[0]!;
    return [{ value: values[row]!, diverged: diverged?.[row] === 1, share: 1 }];
  }
  const lost = diverged ? members.filter((row) => diverged[row] === 1).length : 0;
  const kept = members.filter((row) => diverged?.[row] !== 1);
  const sorted = Float64Array.from(kept, (row) => values[row]!).sort();
  const tally = new Map<number, number>();
  for (const value of sorted) tally.set(value, (tally.get(value) ?? 0) + 1);
  const parts = Math.min(MOST_SHARES, sorted.length);
  const shares =
    tally.size <= MOST_SHARES
      ? [...tally].map(([value, runs]) => ({ value, diverged: false, share: runs / count }))
      : Array.from({ length: parts }, (_, i) => ({
          value: sorted[Math.floor(((i + 0.5) * sorted.length) / parts)]!,
          diverged: false,
          share: sorted.length / parts / count,
        }));
  return lost > 0
    ? [...shares, { value: Number.NaN, diverged: true, share: lost / count }]
    : shares;
}

/**
 * Rows by key, those of one key in their order. Parts of one array: half a million rows in lists
 * fill the memory.
 */
function groups(
  rows: Int32Array,
  keys: Int32Array,
  count: number,
): (readonly [number, Int32Array])[] {
  const ends = new Int32Array(count + 1);
  for (const key of keys) ends[key + 1]!++;
  for (let key = 0; key < count; key++) ends[key + 1]! += ends[key]!;
  const starts = ends.slice();
  const sorted = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) sorted[ends[keys[i]!]!++] = rows[i]!;
  const found: (readonly [number, Int32Array])[] = [];
  for (let key = 0; key < count; key++) {
    const [from, to] = [starts[key]!, starts[key + 1]!];
    if (to > from) found.push([key, sorted.subarray(from, to)]);
  }
  return found;
}

function divergedRows(table: SweepTable): Uint8Array {
  return Uint8Array.from(table.texts('outcome'), (outcome) => (outcome === 'diverged' ? 1 : 0));
}

/** The row in the middle by value; one without a value where most have none. */
function median(rows: Int32Array, values: Float64Array): number {
  const known = rows.filter((row) => !Number.isNaN(values[row]!));
  if (2 * known.length < rows.length) return rows.find((row) => Number.isNaN(values[row]!))!;
  return known.sort((a, b) => values[a]! - values[b]!)[(known.length - 1) >> 1]!;
}

function mostFrequent(rows: Int32Array, values: Float64Array): number {
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(values[row]!, (counts.get(values[row]!) ?? 0) + 1);
  const [winner] = [...counts].sort((a, b) => b[1] - a[1])[0]!;
  return rows.find((row) => values[row] === winner)!;
}

/**
 * Points of the line ηS∞(θ₀)/2 = 1: for each y where the ratio goes through 1 between two
 * neighbouring x, or, where there are more of these, for each x. Between neighbours ln ratio is
 * taken as linear in ln x, which is exact for x = η.
 */
function border(
  rows: Int32Array,
  xs: Float64Array,
  ys: Float64Array,
  ratio: Float64Array,
  x: MapAxis,
  y: MapAxis,
): { x: number; y: number }[] {
  // Between names there is nothing for a line to pass through.
  if (x.named || y.named) return [];
  const along = crossings(rows, xs, ys, ratio).map(([at, other]) => ({ x: at, y: other }));
  if (x.column === 'eta') return along;
  const across = crossings(rows, ys, xs, ratio).map(([at, other]) => ({ x: other, y: at }));
  if (y.column === 'eta') return across;
  return along.length >= across.length ? along : across;
}

function crossings(rows: Int32Array, at: Float64Array, other: Float64Array, ratio: Float64Array) {
  const lines = distinct(other, rows);
  const numbers = new Map(lines.map((value, i) => [value, i]));
  const found: [number, number][] = [];
  for (const [key, line] of groups(
    rows,
    rows.map((row) => numbers.get(other[row]!)!),
    lines.length,
  )) {
    line.sort((a, b) => at[a]! - at[b]!);
    for (let i = 1; i < line.length; i++) {
      const [a, b] = [line[i - 1]!, line[i]!];
      const [before, after] = [log(ratio[a]!), log(ratio[b]!)];
      if (at[a] === at[b] || before < 0 === after < 0) continue;
      const share = before / (before - after);
      const [from, to] = [at[a]!, at[b]!];
      found.push([
        from > 0 ? from * exp(share * log(to / from)) : from + (to - from) * share,
        lines[key]!,
      ]);
      break;
    }
  }
  return found;
}

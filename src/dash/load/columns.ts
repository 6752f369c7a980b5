import {
  BUCKET,
  type Extremes,
  envelopePoints,
  makeBuckets,
  type Points,
} from '../../pipeline/formats/envelope.ts';
import { OUTLINE_ROWS, type Outline } from '../../pipeline/formats/parquet/chunk-outline.ts';
import { type ColumnValues, RunFileError, type TableSource } from './table.ts';

/** Bytes of decoded values kept; what is older is read from the file again when it is asked for. */
const KEPT_BYTES = 16 * 1024 * 1024;
/** Groups that are fetched ahead of the one in work. */
const AHEAD = 3;

/** A half-open range of rows. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/** Columns of a run, read lazily and kept as long as memory allows. */
export interface ColumnStore {
  readonly source: TableSource;
  has(column: string): boolean;
  values(column: string, group: number): Promise<ColumnValues>;
  buckets(column: string, group: number): Promise<Extremes>;
  /**
   * Extremes of a column in a group at their steps, as the file keeps them; undefined where it does
   * not.
   */
  outline(column: string, group: number): Points | undefined;
  /** The same of words: from which step on there is another one. */
  wordRuns(column: string, group: number): WordSteps | undefined;
  /** First and last step of a group. */
  steps(group: number): Promise<readonly [number, number]>;
  /** Groups that overlap [from, to], and one at each side. */
  groupsIn(from: number, to: number): Promise<readonly number[]>;
  /** Visits groups in order while the next ones are already on their way. */
  visit<T>(
    groups: readonly number[],
    read: (group: number) => Promise<T>,
    use: (value: T, group: number) => void,
  ): Promise<void>;
  /** Something computed once from the columns of a group, forgotten with the group. */
  once<T>(name: string, group: number, make: () => Promise<T>): Promise<T>;
  /** The same store over the file as it is now: what the unchanged groups gave is kept. */
  replace(source: TableSource): ColumnStore;
}

/** Words, and the first and the last step of each stretch of one of them. */
interface WordSteps {
  readonly words: readonly string[];
  readonly codes: Uint8Array;
  readonly first: Float64Array;
  readonly last: Float64Array;
}

interface Kept {
  readonly values: Promise<ColumnValues>;
  readonly bytes: number;
}

/**
 * A store over a source.
 *
 * @param carried what an earlier store computed from the same groups
 * @param kept values that an earlier store read from them, by column and group, oldest first
 */
export function columnStore(
  source: TableSource,
  carried: Map<string, Map<string, Promise<unknown>>> = new Map(),
  kept: Map<string, Kept> = new Map(),
): ColumnStore {
  const names = new Set(source.columns.map(({ name }) => name));
  let bytes = [...kept.values()].reduce((sum, entry) => sum + entry.bytes, 0);

  const outlines = new Map<string, unknown>();
  function known<T>(column: string, group: number, make: () => T): T {
    const key = `${column}:${group}`;
    if (!outlines.has(key)) outlines.set(key, make());
    return outlines.get(key) as T;
  }
  const outlinesOf = (column: string, group: number) => {
    const { outline } = source.groups[group]!;
    return { outline: outline?.(column), steps: outline?.('step') };
  };

  const store: ColumnStore = {
    source,
    has: (column) => names.has(column),
    values(column, group) {
      const key = `${column}:${group}`;
      const hit = kept.get(key);
      if (hit) {
        kept.delete(key);
        kept.set(key, hit);
        return hit.values;
      }
      if (!names.has(column))
        return Promise.reject(new RunFileError(`the file has no column ${column}`));
      const values = source
        .read(column, group)
        .then((array) => (column === 'step' ? ascending(array, group) : array));
      const entry = { values, bytes: source.groups[group]!.rows * 8 };
      values.catch(() => {
        if (kept.get(key) === entry && kept.delete(key)) bytes -= entry.bytes;
      });
      kept.set(key, entry);
      bytes += entry.bytes;
      for (const [oldest, { bytes: freed }] of kept) {
        if (bytes <= KEPT_BYTES || oldest === key) break;
        kept.delete(oldest);
        bytes -= freed;
      }
      return values;
    },
    buckets: (column, group) =>
      store.once(`buckets:${column}`, group, async () => {
        const [x, y] = await Promise.all([
          store.values('step', group),
          store.values(column, group),
        ]);
        return makeBuckets(x as Float64Array, y);
      }),
    outline: (column, group) =>
      known(column, group, () => {
        const { outline, steps } = outlinesOf(column, group);
        return outline && steps && outlinePoints(outline, steps);
      }),
    wordRuns: (column, group) =>
      known(column, group, () => {
        const { rows, runs } = source.groups[group]!;
        const found = runs?.(column);
        const { steps } = outlinesOf('step', group);
        if (!found || !steps) return undefined;
        const at = stepOfRow(steps, rows);
        return {
          words: found.words,
          codes: found.codes,
          first: found.rows.map(at),
          last: found.rows.map((_, i) => at((found.rows[i + 1] ?? rows) - 1)),
        };
      }),
    async steps(group) {
      const known = source.groups[group]!.steps;
      if (known) return known;
      return store.once('steps', group, async () => {
        const step = await store.values('step', group);
        return [step[0] ?? Number.NaN, step.at(-1) ?? Number.NaN] as const;
      });
    },
    async groupsIn(from, to) {
      const inside: number[] = [];
      const all = source.groups.length;
      for (let group = 0; group < all; group++) {
        const [first, last] = await store.steps(group);
        if (first <= to && last >= from) inside.push(group);
      }
      const before = (inside[0] ?? 0) - 1;
      const after = (inside.at(-1) ?? all) + 1;
      return [...(before >= 0 ? [before] : []), ...inside, ...(after < all ? [after] : [])];
    },
    async visit(groups, read, use) {
      const started: Promise<Awaited<ReturnType<typeof read>>>[] = [];
      for (let i = 0; i < groups.length; i++) {
        for (let ahead = started.length; ahead <= Math.min(i + AHEAD, groups.length - 1); ahead++) {
          const promise = read(groups[ahead]!) as Promise<Awaited<ReturnType<typeof read>>>;
          // It is awaited below in its turn; until then a failure must not count as unhandled.
          promise.catch(() => {});
          started.push(promise);
        }
        use(await started[i]!, groups[i]!);
      }
    },
    once<T>(name: string, group: number, make: () => Promise<T>): Promise<T> {
      const id = groupId(source, group);
      const known = carried.get(id) ?? new Map<string, Promise<unknown>>();
      carried.set(id, known);
      const hit = known.get(name) as Promise<T> | undefined;
      if (hit) return hit;
      const made = make();
      made.catch(() => known.delete(name));
      known.set(name, made);
      return made;
    },
    replace(next) {
      const ids = new Set(next.groups.map((_, group) => groupId(next, group)));
      // Codes stand for the words of the source that gave them; numbers are the same in both.
      const same = new Set(
        next.columns.flatMap(({ name, kind }) =>
          kind === 'number' || next.words(name) === source.words(name) ? [name] : [],
        ),
      );
      const still = [...kept].filter(([key]) => {
        const [column = '', group = ''] = key.split(/:(?=\d+$)/);
        return (
          same.has(column) &&
          source.groups[Number(group)] &&
          ids.has(groupId(source, Number(group)))
        );
      });
      const made = columnStore(
        next,
        new Map([...carried].filter(([id]) => ids.has(id))),
        new Map(still),
      );
      // What is drawn of the last group is asked for at once, in one go, rather than by one drawing
      // after the other.
      const last = next.groups.length - 1;
      const wanted = [...kept.keys()].filter((key) => key.endsWith(`:${source.groups.length - 1}`));
      for (const column of wanted.map((key) => key.replace(/:\d+$/, '')))
        if (made.has(column) && last >= 0) made.values(column, last).catch(() => {});
      return made;
    },
  };
  return store;
}

/** The step of a row, between those of the first and the last row of its block. */
function stepOfRow({ low, high }: Outline, rows: number): (row: number) => number {
  return (row) => {
    const block = Math.floor(row / OUTLINE_ROWS);
    const first = block * OUTLINE_ROWS;
    const length = Math.min(OUTLINE_ROWS, rows - first);
    const [from, to] = [low[block]!, high[block]!];
    return length < 2 ? from : from + ((row - first) / (length - 1)) * (to - from);
  };
}

function outlinePoints({ low, lowRow, high, highRow }: Outline, steps: Outline): Points {
  const at = stepOfRow(steps, steps.highRow.at(-1)! + 1);
  return envelopePoints({ low, lowX: lowRow.map(at), high, highX: highRow.map(at) });
}

const groupId = (source: TableSource, group: number): string =>
  `${group}:${source.groups[group]!.key}`;

/** Rows of a step column that lie in [from, to], with one more at each side. */
export function rowsIn(step: ColumnValues, from: number, to: number): RowRange {
  return {
    start: Math.max(0, lowerBound(step, from) - 1),
    end: Math.min(step.length, lowerBound(step, to, true) + 1),
  };
}

/** First index whose value is ≥ x, or > x where `after` is set. */
export function lowerBound(values: ColumnValues, x: number, after = false): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < x || (after && values[middle] === x)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function ascending(step: ColumnValues, group: number): ColumnValues {
  for (let i = 0; i < step.length; i++) {
    if (!(step[i]! >= (step[i - 1] ?? Number.NEGATIVE_INFINITY))) {
      throw new RunFileError(
        `its steps are not in ascending order (block ${group}, row ${i}: ${step[i]} after ` +
          `${step[i - 1]})`,
      );
    }
  }
  return step;
}

/** Buckets that a row range of a group touches. */
export const bucketRange = ({ start, end }: RowRange): RowRange => ({
  start: Math.floor(start / BUCKET),
  end: Math.ceil(end / BUCKET),
});

/** @throws RunFileError where a group begins before the one before it ends */
export async function checkOrder(store: ColumnStore): Promise<void> {
  let before = Number.NEGATIVE_INFINITY;
  for (const group of allGroups(store)) {
    if (store.source.groups[group]!.rows === 0) continue;
    const [first, last] = await store.steps(group);
    if (!(first >= before && last >= first)) {
      throw new RunFileError(
        `its steps are not in ascending order (block ${group} begins at ${first}, after ${before})`,
      );
    }
    before = last;
  }
}

/** First step of the first of these groups, and last of the last. */
export async function span(
  store: ColumnStore,
  groups: readonly number[],
): Promise<readonly [number, number]> {
  if (groups.length === 0) return [0, 0];
  const [first] = await store.steps(groups[0]!);
  const [, last] = await store.steps(groups.at(-1)!);
  return [first, last];
}

export const allGroups = (store: ColumnStore): number[] =>
  store.source.groups.map((_, group) => group);

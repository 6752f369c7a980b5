import type { Schema } from '../../pipeline/core/schema.ts';
import type { ColumnValues, TableSource } from '../load/table.ts';

/** Rows of a group. */
const GROUP = 16_384;
/** Rows that are kept: with more, every second one goes. */
const MOST_ROWS = 262_144;

/** Columns of a block of rows; only the first `length` values count. */
export type Block = Readonly<Record<string, ArrayLike<number>>>;

/** The rows of a run that goes on without end, in memory that does not. */
export interface History {
  readonly rows: number;
  /** How many steps stand between two rows, about. */
  readonly stride: number;
  append(block: Block, length: number): void;
  /** Forgets all rows behind this step. */
  cut(step: number): void;
  /** Value of a column in the last row; NaN where there is none. */
  last(column: string): number;
  /** The rows as they are now, as a table of the page. */
  table(metadata: Readonly<Record<string, string>>): TableSource;
}

/**
 * Keeps rows of these columns. Once there are too many, of every two blocks of rows one row goes;
 * of each block the first row stays, and the one whose `peak` is largest, so that spikes are seen
 * at any length.
 *
 * @param most rows that are kept
 */
export function history(schema: Schema, peak: string, most = MOST_ROWS): History {
  const names = schema.map(({ name }) => name);
  const makeGroup = () =>
    schema.map(({ words }) => (words ? new Uint16Array(GROUP) : new Float64Array(GROUP)));
  let groups: (Float64Array | Uint16Array)[][] = [];
  let rows = 0;
  let stride = 1;
  /** Grows where rows change that were there before. */
  let generation = 0;
  /**
   * Rows seen of the block of 2·stride rows under way, and its row with the largest peak so far.
   */
  let seen = 0;
  let highest = Number.NEGATIVE_INFINITY;
  let pending: number[] | undefined;
  const at = names.indexOf(peak);

  const push = (values: readonly number[]): void => {
    if (rows === groups.length * GROUP) groups.push(makeGroup());
    const group = groups.at(-1)!;
    const row = rows % GROUP;
    for (let c = 0; c < values.length; c++) group[c]![row] = values[c]!;
    rows++;
  };

  const offer = (read: (column: number) => number): void => {
    const take = () => names.map((_, c) => read(c));
    if (stride === 1) {
      push(take());
      return;
    }
    if (seen === 0) push(take());
    else if (read(at) > highest || pending === undefined) {
      highest = read(at);
      pending = take();
    }
    seen++;
    if (seen < 2 * stride) return;
    if (pending) push(pending);
    seen = 0;
    pending = undefined;
    highest = Number.NEGATIVE_INFINITY;
  };

  const halve = (): void => {
    const old = groups;
    const count = rows;
    groups = [];
    rows = 0;
    generation++;
    stride *= 2;
    const value = (row: number, column: number) =>
      old[Math.floor(row / GROUP)]![column]![row % GROUP]!;
    for (let first = 0; first < count; first += 4) {
      const end = Math.min(first + 4, count);
      push(names.map((_, c) => value(first, c)));
      let best = first + 1;
      for (let row = first + 2; row < end; row++) if (value(row, at) > value(best, at)) best = row;
      if (best < end) push(names.map((_, c) => value(best, c)));
    }
  };

  return {
    get rows() {
      return rows;
    },
    get stride() {
      return stride;
    },
    append(block, length) {
      const columns = names.map((name) => block[name]!);
      for (let i = 0; i < length; i++) offer((column) => columns[column]![i]!);
      if (rows > most) halve();
    },
    cut(step) {
      const place = names.indexOf('step');
      while (rows > 0 && groups.at(-1)![place]![(rows - 1) % GROUP]! > step) {
        rows--;
        if (rows % GROUP === 0) groups.pop();
      }
      generation++;
      seen = 0;
      pending = undefined;
      highest = Number.NEGATIVE_INFINITY;
    },
    last(column) {
      const place = names.indexOf(column);
      return rows === 0 ? Number.NaN : groups.at(-1)![place]![(rows - 1) % GROUP]!;
    },
    table(metadata) {
      const now = groups;
      const count = rows;
      const sizes = now.map((_, i) => Math.min(GROUP, count - i * GROUP));
      const words = new Map(schema.map(({ name, words: all }) => [name, all ?? []]));
      return {
        rows: count,
        bytes: 0,
        columns: schema.map(({ name, words: all }) => ({ name, kind: all ? 'string' : 'number' })),
        groups: sizes.map((size, i) => ({
          start: i * GROUP,
          rows: size,
          key: `${generation}:${i}:${size}`,
        })),
        metadata,
        words: (column) => words.get(column) ?? [],
        read: async (column, group): Promise<ColumnValues> =>
          now[group]![names.indexOf(column)]!.subarray(0, sizes[group]),
      };
    },
  };
}

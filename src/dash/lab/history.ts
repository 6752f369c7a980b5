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
  /** Forgets all rows, whose memory the next histories take: nothing may be read of it any more. */
  release(): void;
  /** Value of a column in the last row; NaN where there is none. */
  last(column: string): number;
  /** The rows as they are now, as a table of the page. */
  table(metadata: Readonly<Record<string, string>>): TableSource;
}

/**
 * Memory of histories that nobody reads any more: memory that is new comes page by page, which
 * takes as long as the rows of a short run.
 */
const spare: Float64Array[] = [];
/** Eight megabytes. */
const MOST_SPARE = 64;

/** The only row of columns of one. */
const ONLY = Int32Array.of(0);

/** Of which there have been so many: rows of one are never taken for those of another. */
let made = 0;

/**
 * Keeps rows of these columns. Once there are too many, of every two blocks of rows one row goes;
 * of each block the first row stays, and the one whose `peak` is largest, so that spikes are seen
 * at any length.
 *
 * @param most rows that are kept
 */
export function history(schema: Schema, peak: string, most = MOST_ROWS): History {
  const id = ++made;
  const names = schema.map(({ name }) => name);
  const makeGroup = () =>
    schema.map(({ words }) =>
      words ? new Uint16Array(GROUP) : (spare.pop() ?? new Float64Array(GROUP)),
    );
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
  const pending = names.map(() => new Float64Array(1));
  let waiting = false;
  /** Rows that are kept of those that come. */
  let chosen = new Int32Array(0);
  const at = names.indexOf(peak);

  /** Takes over all rows, column by column. */
  const pushAll = (columns: readonly ArrayLike<number>[], length: number): void => {
    for (let from = 0; from < length; ) {
      if (rows === groups.length * GROUP) groups.push(makeGroup());
      const row = rows % GROUP;
      const count = Math.min(GROUP - row, length - from);
      for (const [c, values] of groups.at(-1)!.entries()) {
        values.set(part(columns[c]!, from, from + count), row);
      }
      rows += count;
      from += count;
    }
  };

  /** Takes over these rows of columns, in order, column by column. */
  const pushSome = (columns: readonly ArrayLike<number>[], which: Int32Array): void => {
    for (let from = 0; from < which.length; ) {
      if (rows === groups.length * GROUP) groups.push(makeGroup());
      const row = rows % GROUP;
      const count = Math.min(GROUP - row, which.length - from);
      for (const [c, values] of groups.at(-1)!.entries())
        gather(values, row, columns[c]!, which, from, count);
      rows += count;
      from += count;
    }
  };

  /** Keeps of each block of 2·stride rows the first, and the one with the largest peak. */
  const thinned = (columns: readonly ArrayLike<number>[], length: number): void => {
    const peaks = columns[at]!;
    const whole = 2 * stride;
    if (chosen.length < length) chosen = new Int32Array(length);
    let count = 0;
    let high = highest;
    /** The row of the block under way with the largest peak; −1 where that is pending. */
    let best = -1;
    for (let i = 0; i < length; ) {
      if (seen === 0) {
        chosen[count++] = i++;
        seen = 1;
        continue;
      }
      const end = Math.min(length, i + whole - seen);
      if (!waiting) {
        waiting = true;
        high = peaks[i]!;
        best = i;
      }
      for (let row = i; row < end; row++) {
        if (!(peaks[row]! > high)) continue;
        high = peaks[row]!;
        best = row;
      }
      seen += end - i;
      i = end;
      if (seen < whole) continue;
      if (best >= 0) chosen[count++] = best;
      // It is of an earlier block of rows, so that none of these stands before it.
      else pushSome(pending, ONLY);
      forgetBlock();
      best = -1;
    }
    pushSome(columns, chosen.subarray(0, count));
    if (best >= 0) for (let c = 0; c < columns.length; c++) pending[c]![0] = columns[c]![best]!;
    highest = high;
  };

  const forgetBlock = (): void => {
    seen = 0;
    waiting = false;
    highest = Number.NEGATIVE_INFINITY;
  };

  const halve = (): void => {
    const old = groups;
    const count = rows;
    groups = [];
    rows = 0;
    generation++;
    stride *= 2;
    const which: number[] = [];
    for (const [g, columns] of old.entries()) {
      const [peaks, end] = [columns[at]!, Math.min(GROUP, count - g * GROUP)];
      which.length = 0;
      for (let first = 0; first < end; first += 4) {
        which.push(first);
        let best = first + 1;
        for (let row = first + 2; row < Math.min(first + 4, end); row++)
          if (peaks[row]! > peaks[best]!) best = row;
        if (best < end) which.push(best);
      }
      pushSome(columns, Int32Array.from(which));
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
      if (stride > 1) thinned(columns, length);
      else pushAll(columns, length);
      if (rows > most) halve();
    },
    cut(step) {
      const place = names.indexOf('step');
      while (rows > 0 && groups.at(-1)![place]![(rows - 1) % GROUP]! > step) {
        rows--;
        if (rows % GROUP === 0) groups.pop();
      }
      generation++;
      forgetBlock();
    },
    release() {
      for (const values of groups.flat())
        if (values instanceof Float64Array && spare.length < MOST_SPARE) spare.push(values);
      groups = [];
      rows = 0;
      generation++;
      forgetBlock();
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
          key: `${id}:${generation}:${i}:${size}`,
        })),
        metadata,
        words: (column) => words.get(column) ?? [],
        read: async (column, group): Promise<ColumnValues> =>
          now[group]![names.indexOf(column)]!.subarray(0, sizes[group]),
      };
    },
  };
}

/** Some values of a column: typed arrays are copied at once, much faster than value by value. */
function part(column: ArrayLike<number>, from: number, to: number): ArrayLike<number> {
  if (
    column instanceof Float64Array ||
    column instanceof Int32Array ||
    column instanceof Uint8Array
  )
    return column.subarray(from, to);
  return Array.prototype.slice.call(column, from, to);
}

function gather(
  into: Float64Array | Uint16Array,
  at: number,
  column: ArrayLike<number>,
  which: Int32Array,
  from: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) into[at + i] = column[which[from + i]!]!;
}

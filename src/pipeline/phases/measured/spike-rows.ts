import { CAPACITY } from './constants.ts';
import type { SpikeRow } from './spike-cause.ts';

/** Columns of rows as they were logged, of which NaN was not measured. */
export interface SpikeColumns {
  readonly step: ArrayLike<number>;
  readonly eta: ArrayLike<number>;
  readonly loss: ArrayLike<number>;
  readonly sharpness: ArrayLike<number>;
  readonly sharpness_ratio: ArrayLike<number>;
  readonly l1?: ArrayLike<number> | undefined;
  readonly edge_work?: ArrayLike<number> | undefined;
  readonly edge_directions?: ArrayLike<number> | undefined;
  readonly l1_leading?: ArrayLike<number> | undefined;
}

/** The last rows of a series, at least 2187 and at most twice as many. */
export interface SpikeRows {
  /** Takes in a part of some rows. */
  push(columns: SpikeColumns, from: number, to: number): void;
  /** The ratio last measured; 0 before the first. */
  ratio(): number;
  /** The rows from so many before the first of a step on, to the one behind the last step. */
  around(step: number, before: number, last: number): SpikeRow[];
  /** All of them as they are now; made only where it is asked for. */
  state(): () => SpikeRow[];
}

/** Rows of a page: numbers in a row, which need no objects, and are never written again. */
const PAGE = 256;
const FIELDS = 10;

/** @param saved rows of an earlier store */
export function createSpikeRows(saved: readonly SpikeRow[] = []): SpikeRows {
  let pages: Float64Array[] = [];
  /** Places of the first row that is kept and behind the last one, counted from the first page. */
  let first = 0;
  let end = 0;
  const last = { sharpness: 0, ratio: 0, directions: 0 };

  function dropOld(): void {
    if (end - first <= 2 * CAPACITY) return;
    first += CAPACITY;
    const whole = Math.floor(first / PAGE);
    pages = pages.slice(whole);
    first -= whole * PAGE;
    end -= whole * PAGE;
  }

  /** Takes in rows for which there is room on a page. */
  function fill(columns: SpikeColumns, from: number, to: number): void {
    if (end % PAGE === 0) pages.push(new Float64Array(PAGE * FIELDS));
    const page = pages.at(-1)!;
    const { step, eta, loss, sharpness, sharpness_ratio: ratios } = columns;
    const { l1, edge_work: work, edge_directions: counts, l1_leading: leading } = columns;
    let at = (end % PAGE) * FIELDS;
    for (let i = from; i < to; i++, at += FIELDS) {
      const ratio = ratios[i]!;
      const measured = !Number.isNaN(ratio);
      if (measured) last.ratio = ratio;
      if (!Number.isNaN(sharpness[i]!)) last.sharpness = sharpness[i]!;
      const directions = counts ? counts[i]! : Number.NaN;
      if (!Number.isNaN(directions)) last.directions = directions;
      page[at] = step[i]!;
      page[at + 1] = eta[i]!;
      page[at + 2] = loss[i]!;
      page[at + 3] = last.sharpness;
      page[at + 4] = last.ratio;
      page[at + 5] = l1 ? l1[i]! : Number.NaN;
      page[at + 6] = work ? work[i]! : Number.NaN;
      page[at + 7] = last.directions;
      page[at + 8] = leading ? leading[i]! : Number.NaN;
      page[at + 9] = measured ? 1 : 0;
    }
    end += to - from;
  }

  function push(columns: SpikeColumns, from: number, to: number): void {
    let at = from;
    while (at < to) {
      const until = Math.min(to, at + PAGE - (end % PAGE));
      fill(columns, at, until);
      at = until;
      dropOld();
    }
  }

  /** Place of the first row from a step on. */
  function firstFrom(step: number): number {
    let low = first;
    let high = end;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pages[Math.floor(middle / PAGE)]![(middle % PAGE) * FIELDS]! >= step) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  if (saved[0]) {
    const { sharpness, ratio, directions } = saved[0];
    Object.assign(last, { sharpness, ratio, directions });
    // JSON holds no NaN.
    const column = (of: (row: SpikeRow) => number | null | undefined) =>
      Float64Array.from(saved, (row) => of(row) ?? Number.NaN);
    const columns: SpikeColumns = {
      step: column((row) => row.step),
      eta: column((row) => row.eta),
      loss: column((row) => row.loss),
      sharpness: column((row) => row.sharpness),
      sharpness_ratio: column((row) => (row.measured ? row.ratio : null)),
      l1: column((row) => row.l1),
      edge_work: column((row) => row.work),
      edge_directions: column((row) => row.directions),
      l1_leading: column((row) => row.leading),
    };
    push(columns, 0, saved.length);
  }

  return {
    push,
    ratio: () => last.ratio,
    around(step, before, lastStep) {
      const from = Math.max(first, firstFrom(step) - before);
      return rowsOf(pages, from, Math.min(end, firstFrom(lastStep) + 2));
    },
    state() {
      const [kept, from, to] = [[...pages], first, end];
      return () => rowsOf(kept, from, to);
    },
  };
}

function rowsOf(pages: readonly Float64Array[], from: number, to: number): SpikeRow[] {
  const rows: SpikeRow[] = [];
  for (let i = from; i < to; i++) {
    const page = pages[Math.floor(i / PAGE)]!;
    const at = (i % PAGE) * FIELDS;
    rows.push({
      step: page[at]!,
      eta: page[at + 1]!,
      loss: page[at + 2]!,
      sharpness: page[at + 3]!,
      ratio: page[at + 4]!,
      l1: numberOrNull(page[at + 5]!),
      work: numberOrNull(page[at + 6]!),
      directions: page[at + 7]!,
      leading: numberOrNull(page[at + 8]!),
      measured: page[at + 9] === 1,
    });
  }
  return rows;
}

const numberOrNull = (value: number) => (Number.isNaN(value) ? null : value);

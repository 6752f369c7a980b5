import { CAPACITY } from './constants.ts';
import type { SpikeRow } from './spike-cause.ts';

/** A row as it was logged. */
export type MeasuredRow = Omit<SpikeRow, 'l1' | 'work' | 'leading' | 'measured'> & {
  readonly l1: number;
  readonly work?: number;
  readonly leading?: number;
};

/** The last rows of a series, at least 2187 and at most twice as many. */
export interface SpikeRows {
  /**
   * Takes in a row, of which NaN was not measured; answers with the ratio last measured, 0 before
   * the first.
   */
  push(row: MeasuredRow): number;
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

  /** The numbers of the next row. */
  function place(): readonly [page: Float64Array, at: number] {
    const inPage = end++ % PAGE;
    if (inPage === 0) pages.push(new Float64Array(PAGE * FIELDS));
    return [pages.at(-1)!, inPage * FIELDS];
  }

  function dropOld(): void {
    if (end - first <= 2 * CAPACITY) return;
    first += CAPACITY;
    const whole = Math.floor(first / PAGE);
    pages = pages.slice(whole);
    first -= whole * PAGE;
    end -= whole * PAGE;
  }

  function push(row: MeasuredRow): number {
    const { step, eta, loss, l1, work = Number.NaN, leading = Number.NaN } = row;
    const measured = !Number.isNaN(row.ratio);
    if (measured) last.ratio = row.ratio;
    if (!Number.isNaN(row.sharpness)) last.sharpness = row.sharpness;
    if (!Number.isNaN(row.directions)) last.directions = row.directions;
    const [page, at] = place();
    page[at] = step;
    page[at + 1] = eta;
    page[at + 2] = loss;
    page[at + 3] = last.sharpness;
    page[at + 4] = last.ratio;
    page[at + 5] = l1;
    page[at + 6] = work;
    page[at + 7] = last.directions;
    page[at + 8] = leading;
    page[at + 9] = measured ? 1 : 0;
    dropOld();
    return last.ratio;
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
  }
  const none = Number.NaN;
  for (const { l1, work, leading, measured, ratio, eta, loss, ...row } of saved) {
    // JSON holds no NaN.
    const numbers = { eta: eta ?? none, loss: loss ?? none, l1: l1 ?? none };
    const further = { work: work ?? none, leading: leading ?? none };
    push({ ...row, ...numbers, ...further, ratio: measured ? ratio : none });
  }

  return {
    push,
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

import { LogError } from './log-error.ts';
import type { RowTaker } from './row-block.ts';

/** Steps that may be joined on. */
const MOST_JOINED = 1e7;

/** Rows that are put together by their step, whatever order they come in; of two values for one the first stays. */
export interface Join extends RowTaker {
  /** Hands on all rows, in the order of their steps. */
  flush(rows: RowTaker): void;
}

export function createJoin(): Join {
  const table = new Map<number, [line: number, loss: number, sharpness: number, eta: number]>();
  const first = (have: number, given: number) => (Number.isNaN(have) ? given : have);
  return {
    row(line, step, loss, sharpness, eta) {
      if (Number.isNaN(step))
        throw new LogError(
          'files are joined on the step, and this one has none (--step-col)',
          line,
        );
      const row = table.get(step) ?? [line, Number.NaN, Number.NaN, Number.NaN];
      if (table.size > MOST_JOINED) throw new LogError('too long to be joined; join it beforehand');
      table.set(step, [row[0], first(row[1], loss), first(row[2], sharpness), first(row[3], eta)]);
    },
    flush(rows) {
      for (const step of [...table.keys()].sort((a, b) => a - b)) {
        const [line, loss, sharpness, eta] = table.get(step)!;
        rows.row(line, step, loss, sharpness, eta);
      }
    },
  };
}

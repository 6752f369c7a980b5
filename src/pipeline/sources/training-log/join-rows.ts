import { LogError } from './log-error.ts';
import { AT, type RowTaker } from './row-block.ts';

/** Steps that may be joined on. */
const MOST_JOINED = 1e7;

/**
 * Rows that are put together by their step, whatever order they come in; of two values for one the
 * first stays.
 */
export interface Join extends RowTaker {
  /** Hands on all rows, in the order of their steps. */
  flush(rows: RowTaker): void;
}

export function createJoin(): Join {
  const table = new Map<number, { readonly line: number; readonly values: number[] }>();
  return {
    row(line, values) {
      const step = values[AT.step]!;
      if (Number.isNaN(step))
        throw new LogError(
          'files are joined on the step, and this one has none (--step-col)',
          line,
        );
      const known = table.get(step)?.values;
      if (table.size > MOST_JOINED) throw new LogError('too long to be joined; join it beforehand');
      if (!known) table.set(step, { line, values: Array.from(values) });
      else for (let f = 0; f < known.length; f++) if (Number.isNaN(known[f])) known[f] = values[f]!;
    },
    flush(rows) {
      for (const step of [...table.keys()].sort((a, b) => a - b)) {
        const { line, values } = table.get(step)!;
        // The steps are in order already, whatever the epochs of the files say.
        values[AT.epoch] = Number.NaN;
        rows.row(line, values);
      }
    },
  };
}

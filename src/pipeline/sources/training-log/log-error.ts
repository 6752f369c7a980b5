import type { Skipped } from '../../phases/measured/summary.ts';
import type { RowField } from './row-block.ts';
/** A log that cannot be used: says in one line where it is wrong and what to do. */
export class LogError extends Error {
  override readonly name = 'LogError';
  /** Line (or row, in a table without lines) of the log, from 1; null where it is not about one. */
  readonly line: number | null;

  constructor(problem: string, line: number | null = null) {
    super(line === null ? problem : `line ${line}: ${problem}`);
    this.line = line;
  }
}

/** A second run begins in the log. */
export class SecondRunError extends LogError {}

/** Counts what is not used, by reason. */
export interface Tally {
  /** A line is left out. */
  add(reason: string, line: number): void;
  /** A value of a line is not used. */
  value(reason: string, line: number): void;
  /** A row is used, and it should be known how. */
  note(what: string, line: number): void;
  readonly entries: readonly Skipped[];
  /** A column is taken as a field. */
  column(field: RowField, name: string): void;
  readonly columns: Readonly<Partial<Record<RowField, string>>>;
}

export function createTally(): Tally {
  const counts = new Map<string, { what: Skipped['what']; count: number; first: number }>();

  function count(what: Skipped['what'], reason: string, line: number): void {
    const known = counts.get(reason);
    if (known) known.count++;
    else counts.set(reason, { what, count: 1, first: line });
  }

  const columns: Partial<Record<RowField, string>> = {};

  return {
    column(field, name) {
      columns[field] = name;
    },
    columns,
    add: (reason, line) => count('line', reason, line),
    value: (reason, line) => count('value', reason, line),
    note: (reason, line) => count('row', reason, line),
    get entries() {
      return [...counts].map(([reason, { what, count, first }]) => ({
        what,
        reason,
        count,
        first_line: first,
      }));
    },
  };
}

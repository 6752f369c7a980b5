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

/** Why a line or a value was not used, how often, and where first. */
export interface Skipped {
  readonly reason: string;
  readonly count: number;
  readonly first_line: number;
}

/** Counts what is not used, by reason. */
export interface Tally {
  add(reason: string, line: number): void;
  readonly entries: readonly Skipped[];
}

export function createTally(): Tally {
  const counts = new Map<string, { count: number; first: number }>();
  return {
    add(reason, line) {
      const known = counts.get(reason);
      if (known) known.count++;
      else counts.set(reason, { count: 1, first: line });
    },
    get entries() {
      return [...counts].map(([reason, { count, first }]) => ({ reason, count, first_line: first }));
    },
  };
}

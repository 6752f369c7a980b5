import type { CheckResult } from '../../pipeline/theory/check.ts';
import type { WholeColumn } from '../load/protocol.ts';

/** A run, read. */
export interface ReadRun {
  readonly rows: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** Names of all columns of its file, and those that the checks take. */
  readonly names: readonly string[];
  readonly columns: Readonly<Record<string, WholeColumn>>;
}

/** What the page asks of the worker that checks runs. */
export interface CheckApi {
  /** The checks of `eos verify`, but for making the run once more. */
  check(run: ReadRun): Promise<readonly CheckResult[]>;
}

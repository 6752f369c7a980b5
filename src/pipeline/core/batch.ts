import type { ColumnArray } from '../models/minimal/columns.ts';
import type { Snapshot } from './checkpoint.ts';

/**
 * What all batches of one subscription share: the run's parameters, what happened to it, and the brake.
 *
 * RxJS has no back-pressure. A sink that needs time calls `hold(promise)` while it is handed a batch; the source makes
 * no further batch until all held promises are settled, so memory stays flat however long the run.
 */
export interface Run<Config = unknown, Summary = unknown> {
  readonly config: Config;
  hold(work: Promise<unknown>): void;
  /** Settles when everything held so far has; rejects as the first failed one. */
  ready(): Promise<void>;
  /** What became of the run; set by `summarize` before it completes. */
  summary?: Summary;
  /** State of each stage from which this run goes on, where it continues an earlier one. */
  resumed?: Readonly<Record<string, unknown>>;
}

/**
 * A block of consecutive rows, one typed array a column. Its arrays belong to whoever receives it: nobody writes to
 * them again.
 */
export interface StepBatch<Columns = Readonly<Record<string, ColumnArray>>, R extends Run = Run> {
  readonly run: R;
  readonly length: number;
  readonly columns: Columns;
  /** Where each stage stands behind this batch; absent where the rows are not those of the run to its end. */
  readonly after?: Snapshot;
}

/** A new `Run` around a config. */
export function startRun<Config, Summary>(config: Config): Run<Config, Summary> {
  let held: Promise<unknown>[] = [];
  return {
    config,
    hold(work) {
      // A rejection is reported by ready(); until somebody asks, it must not count as unhandled.
      work.catch(() => {});
      held.push(work);
    },
    async ready() {
      while (held.length > 0) {
        const pending = held;
        held = [];
        await Promise.all(pending);
      }
    },
  };
}

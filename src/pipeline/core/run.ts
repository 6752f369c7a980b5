import type { arraysOf } from './schema.ts';
import type { StateReader } from './stored-state.ts';

/** When an optimizer is stable on a quadratic: the largest sharpness that it bears. */
export interface Stability {
  /** Name of the optimizer. */
  readonly optimizer: string;
  /** The formula of the threshold, as text: `2/η`. */
  readonly formula: string;
  /**
   * The threshold at learning rate `eta`, raised by a relative tolerance `excess` (0 unless given).
   */
  threshold(eta: number, excess?: number): number;
  /** Sharpness over threshold. */
  ratio(sharpness: number, eta: number): number;
  /**
   * ln of what a step leaves of the distance along a flat direction of curvature `etaCurvature`/η.
   */
  decay(etaCurvature: number): number;
}

/**
 * Computes the columns of an operator for the first `length` rows of a batch into the arrays of the
 * run. @returns whether these rows are where it looks for them; else it has done nothing
 */
export type CompiledOperator = (columns: unknown, length: number) => boolean;

/** How a run ended, or stands. */
export interface RunEnd {
  /** Whether the run was stopped from outside before its last step. */
  readonly interrupted: boolean;
  /** First step whose loss is over the limit or not finite; it has no row. */
  readonly divergedAt: number | null;
}

/**
 * What all batches of one subscription share: the run's parameters, what happened to it, and the
 * brake.
 *
 * RxJS has no back-pressure. A sink that needs time calls `hold(promise)` while it is handed a
 * batch; the source makes no further batch until all held promises are settled, so memory stays
 * flat however long the run.
 */
export interface Run<Config = unknown, Summary = unknown> extends RunEnd {
  /**
   * Every parameter as used; operators that were told otherwise replace it before the first row.
   */
  config: Config;
  readonly stability: Stability;
  /** Further metadata of its files; `ended` where nothing more comes. */
  metadata?(ended: boolean): Readonly<Record<string, string>>;
  /** Names of columns in the order in which they stand in a file. */
  readonly order: readonly string[];
  hold(work: Promise<unknown>): void;
  /** Settles when everything held so far has; rejects as the first failed one. */
  ready(): Promise<void>;
  /** What became of the run: the parts of all operators, there when the source has completed. */
  summary?: Summary;
  /**
   * State of a stage from which this run goes on, where it continues an earlier one; undefined for
   * a stage about which nothing is stored.
   * @throws CheckpointError for such a stage where its state is needed
   */
  resumed?: (stage: string, needed?: boolean) => StateReader | undefined;
  /**
   * Whether its source can be read again from the start, so that nothing is stored to go on from.
   */
  readonly rereadable?: boolean;
  /** The arrays of a batch, where they are used again for the next one. */
  arrays?: typeof arraysOf;
  /** A quicker way to the columns of the operator of this name, where its source knows one. */
  compiled?(operator: string): CompiledOperator | undefined;
  /** Whether an operator gives a part of the summary. */
  summarized: boolean;
  interrupted: boolean;
  divergedAt: number | null;
}

/** A new `Run` around a config. */
export function startRun<Config, Summary>(
  config: Config,
  stability: Stability,
  order: readonly string[],
): Run<Config, Summary> {
  let held: Promise<unknown>[] = [];
  return {
    config,
    stability,
    order,
    summarized: false,
    interrupted: false,
    divergedAt: null,
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

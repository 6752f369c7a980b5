import type { Checkpoint } from './checkpoint.ts';
import type { Clock } from './clock.ts';
import { checkOptions } from './options.ts';
import { show } from './show.ts';

export interface SourceOptions {
  /** Rows a batch; has no influence on any digit. */
  readonly batchSize?: number;
  /** Steps per second of wall time, to watch it happen; unlimited unless given. */
  readonly pace?: number;
  /** Ends the run early: it completes after the batch under way, marked `interrupted`. */
  readonly signal?: AbortSignal;
  /** Ends the run early behind this step, as the signal does. */
  readonly until?: number;
  /** Continue the run of this checkpoint, all stages of its pipeline included. */
  readonly resume?: Checkpoint;
  readonly clock?: Clock;
}

const SOURCE_OPTIONS = ['batchSize', 'pace', 'signal', 'until', 'resume', 'clock', 'from', 'data'];

/**
 * @throws TypeError for what are no options of a source, RangeError where `batchSize`, `pace` or
 * `until` cannot be used
 */
export function checkSourceOptions(options: SourceOptions): void {
  checkOptions('source', options, SOURCE_OPTIONS);
  const { batchSize, pace, signal, until } = options;
  if (batchSize !== undefined && !(Number.isSafeInteger(batchSize) && batchSize >= 1)) {
    throw new RangeError(`source: batchSize: ${show(batchSize)} is not a whole number from 1 up`);
  }
  // A bigint is over 0 too, and cannot be reckoned with.
  if (pace !== undefined && !(typeof pace === 'number' && pace > 0)) {
    throw new RangeError(`source: pace: ${show(pace)} is not a positive number`);
  }
  if (signal !== undefined && typeof signal?.aborted !== 'boolean') {
    throw new TypeError(`source: signal: ${show(signal)} is not an AbortSignal`);
  }
  if (until !== undefined && (typeof until !== 'number' || Number.isNaN(until))) {
    throw new RangeError(`source: until: ${show(until)} is not a number`);
  }
}

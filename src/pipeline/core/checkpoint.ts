import type { Batch } from './batch.ts';
import type { Run, RunEnd } from './run.ts';
import type { ReadState, StateReader } from './stored-state.ts';

/** What a checkpoint holds of one stage: numbers, words, flags, and lists or records of them. */
export type StageState = Readonly<Record<string, unknown>>;

/** A stage of the pipeline as it stood behind a batch; asked for only where it is written. */
export interface StageSnapshot {
  readonly state: () => StageState;
  /** Its part of the summary of a run that ended here. */
  readonly part?: (end: RunEnd, read: ReadState) => object;
}

/** Each stage of the pipeline behind a batch, by its name. */
export type Snapshot = Readonly<Record<string, StageSnapshot>>;

/**
 * All that is needed to continue a run to the last digit behind the first `rows` rows of its file.
 */
export interface Checkpoint {
  readonly rows: number;
  readonly stages: Readonly<Record<string, unknown>>;
}

/** Key of the checkpoint in the metadata of a file from whose last rows the run can go on. */
export const CHECKPOINT_KEY = 'eos.checkpoint';

/** A checkpoint that cannot be used: says what is wrong in it. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

/**
 * The name of a stage among those before it, of which some may have the same: the second one is
 * numbered.
 */
export function stageName({ after = {} }: Batch<unknown>, name: string): string {
  let free = name;
  for (let n = 2; Object.hasOwn(after, free); n++) free = `${name} ${n}`;
  return free;
}

/** The batch, with the state of one more stage behind it. */
export function withState<B extends Batch<unknown>>(
  batch: B,
  stage: string,
  state: () => StageState,
): B {
  return batch.after ? { ...batch, after: { ...batch.after, [stage]: { state } } } : batch;
}

/**
 * The state from which a stage of a resumed run goes on; undefined where the run begins at its
 * start.
 */
export const resumedState = (run: Run, stage: string): StateReader | undefined =>
  run.resumed?.(stage, true);

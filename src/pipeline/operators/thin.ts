import { type MonoTypeOperatorFunction, Observable } from 'rxjs';
import { type Batch, checkBatches } from '../core/batch.ts';
import {
  type Checkpoint,
  resumedState,
  type StageState,
  stageName,
  withState,
} from '../core/checkpoint.ts';
import type { Run } from '../core/run.ts';
import type { ColumnArray } from '../core/schema.ts';
import { show } from '../core/show.ts';
import type { Link } from '../core/stored-pipeline.ts';
import { stateReader } from '../core/stored-state.ts';

/** Relative rise and fall that tells a peak of L₁ from the rounding of a constant. */
const PROMINENCE = 1e-12;

const STAGE = 'thin';

interface Waiting<B> {
  readonly batch: B;
  readonly first: number;
  readonly keep: Uint8Array;
  /** State behind this batch, whose rows are decided by the time it is let go. */
  state?: StageState;
}

export type Thinnable = { readonly phase?: ArrayLike<number>; readonly l1?: ArrayLike<number> };

/**
 * Keeps the first and the last row, every `every`-th row counted from the first, and all rows
 * within `every` of a change of the `phase` column or of a local maximum of `l1` (where the batch
 * has them). Rows are held back no longer than that takes.
 *
 * @param every K ≥ 1; 1 keeps everything
 */
export function thin<B extends Batch<Thinnable, Run>>(every: number): MonoTypeOperatorFunction<B> {
  if (!(Number.isSafeInteger(every) && every >= 1))
    throw new RangeError(`thin: every: ${show(every)} is not a whole number from 1 up`);
  if (every === 1) return (source) => source;

  return (source) =>
    new Observable((subscriber) => {
      const waiting: Waiting<B>[] = [];
      let stage: string | undefined;
      let seen = 0;
      let marked = -1;
      let keepUntil = -1;
      let lastPhase: number | undefined;
      let lastL1 = Number.NaN;
      let beforeLastL1 = Number.NaN;

      /** Keeps rows `from` … `to`, as far as they have come. */
      const mark = (from: number, to: number) => {
        const start = Math.max(from, marked + 1);
        for (let w = waiting.length - 1; w >= 0; w--) {
          const { first, keep } = waiting[w]!;
          keep.fill(1, Math.max(0, start - first), Math.max(0, to + 1 - first));
          if (first <= start) break;
        }
        marked = Math.max(marked, to);
      };

      /** `final`: whether the rows are kept in any case, however the run goes on. */
      const release = (decided: number, final: boolean) => {
        while (waiting.length > 0 && waiting[0]!.first + waiting[0]!.batch.length <= decided) {
          const { batch, keep, state } = waiting.shift()!;
          const kept = filterBatch(batch, keep);
          if (kept)
            subscriber.next(final ? withState(kept, stage!, () => state!) : withoutState(kept));
        }
      };

      return source.pipe(checkBatches(STAGE)).subscribe({
        next(given) {
          const batch = given.run.arrays ? ownCopy(given) : given;
          const { phase, l1 } = batch.columns;
          if (stage === undefined) {
            stage = stageName(batch, STAGE);
            // What is left out is a part of what the run's files say of it.
            if ((batch.run.config as { readonly every?: number }).every !== every)
              batch.run.config = { ...(batch.run.config as object), every };
            try {
              const saved = resumedState(batch.run, stage);
              if (saved) {
                seen = saved.number('seen');
                marked = saved.number('marked');
                keepUntil = saved.number('keepUntil');
                lastPhase = saved.numberOrNull('lastPhase') ?? undefined;
                lastL1 = saved.number('lastL1');
                beforeLastL1 = saved.number('beforeLastL1');
              }
            } catch (error) {
              subscriber.error(error);
              return;
            }
          }
          const keep = new Uint8Array(batch.length);
          const item: Waiting<B> = { batch, first: seen, keep };
          waiting.push(item);
          for (let i = 0; i < batch.length; i++) {
            const row = seen + i;
            if (row % every === 0 || row <= keepUntil) keep[i] = 1;
            let event = -1;
            if (phase) {
              const now = phase[i]!;
              if (lastPhase !== undefined && now !== lastPhase) event = row;
              lastPhase = now;
            }
            if (l1) {
              const now = l1[i]!;
              const least = lastL1 * (1 - PROMINENCE);
              if (beforeLastL1 < least && now < least) {
                mark(row - 1 - every, row);
                keepUntil = Math.max(keepUntil, row - 1 + every);
              }
              beforeLastL1 = lastL1;
              lastL1 = now;
            }
            if (event >= 0) {
              mark(event - every, event);
              keepUntil = Math.max(keepUntil, event + every);
            }
          }
          seen += batch.length;
          item.state = {
            every,
            seen,
            marked,
            keepUntil,
            lastPhase: lastPhase ?? null,
            lastL1,
            beforeLastL1,
          };
          // A peak of the last row is known with the next one only.
          release(seen - every - 1, true);
        },
        error: (error: unknown) => subscriber.error(error),
        complete() {
          if (seen > 0) mark(seen - 1, seen - 1);
          release(seen, false);
          subscriber.complete();
        },
      });
    });
}

/** The thinnings whose state is stored: each saw peaks of L₁ where `splitLoss` stood before it. */
export function thinLinks(stages: Checkpoint['stages']): readonly Link[] {
  return Object.entries(stages)
    .filter(([name]) => /^thin( \d+)?$/.test(name))
    .map(([name, stored]) => {
      const state = stateReader(name, stored);
      const needs = Number.isNaN(state.number('lastL1')) ? [] : ['l1'];
      return { name, needs, adds: [], apply: thin(state.number('every')) };
    });
}

/** The batch with arrays of its own, where the source uses its arrays again. */
function ownCopy<B extends Batch<Thinnable, Run>>(batch: B): B {
  const columns = Object.fromEntries(
    Object.entries(batch.columns as Readonly<Record<string, ColumnArray>>).map(([name, values]) => [
      name,
      values.slice(0, batch.length),
    ]),
  );
  return { ...batch, columns };
}

/** The rows whose flag is set, as a batch of its own; undefined where none is. */
function filterBatch<B extends Batch<Thinnable, Run>>(batch: B, keep: Uint8Array): B | undefined {
  let length = 0;
  for (const flag of keep) length += flag;
  if (length === 0) return undefined;
  if (length === batch.length) return batch;
  const columns: Record<string, ColumnArray> = {};
  for (const [name, values] of Object.entries(
    batch.columns as Readonly<Record<string, ColumnArray>>,
  )) {
    const kept = new (values.constructor as new (n: number) => ColumnArray)(length);
    let at = 0;
    for (let i = 0; i < batch.length; i++) if (keep[i]) kept[at++] = values[i]!;
    columns[name] = kept;
  }
  return { ...batch, length, columns };
}

/**
 * The last rows of a run that was stopped are kept only because it was: nothing can go on behind
 * them.
 */
function withoutState<B extends Batch<Thinnable, Run>>(batch: B): B {
  const { after: _, ...rest } = batch;
  return rest as B;
}

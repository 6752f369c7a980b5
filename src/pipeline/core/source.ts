import { Observable } from 'rxjs';
import type { Batch } from './batch.ts';
import { realClock } from './clock.ts';
import type { BlockSource } from './operator.ts';
import type { Run } from './run.ts';
import type { SourceOptions } from './source-options.ts';

/** A run that makes its own rows: blocks of them, and the step of the next one. */
export interface RowSource<C, R extends Run> extends BlockSource<R> {
  readonly step: number;
  next(size: number, into?: object): Batch<C, R>;
}

const DEFAULT_BATCH = 4096;
const FRAMES_PER_SECOND = 20;
/** How long the source may keep the event loop to itself, in milliseconds. */
const SLICE = 10;

/**
 * A cold Observable of the batches of a run: each subscription starts a run of its own, waits for
 * what its sinks hold, keeps to the pace, and lets other work have its turn. The options are looked
 * at by whoever takes them from outside (`checkSourceOptions`).
 */
export function source<C, R extends Run>(
  start: () => RowSource<C, R> | Promise<RowSource<C, R>>,
  options: SourceOptions = {},
): Observable<Batch<C, R>> {
  const { pace, signal, until = Number.POSITIVE_INFINITY, clock = realClock } = options;
  const batchSize =
    options.batchSize ??
    (pace
      ? Math.max(1, Math.min(DEFAULT_BATCH, Math.ceil(pace / FRAMES_PER_SECOND)))
      : DEFAULT_BATCH);

  return new Observable((subscriber) => {
    const emit = async () => {
      // Only what must be loaded is waited for: another start gives its first batch at once.
      const started = start();
      const rows = started instanceof Promise ? await started : started;
      if (subscriber.closed) return;
      const { run } = rows;
      const begun = clock.now();
      const firstStep = rows.step;
      let sliceStart = begun;
      for (;;) {
        const batch = rows.next(Math.min(batchSize, until + 1 - rows.step));
        run.interrupted = !rows.ended && (signal?.aborted === true || rows.step > until);
        subscriber.next(batch);
        await run.ready();
        if (subscriber.closed) return;
        if (rows.ended || run.interrupted) {
          subscriber.complete();
          return;
        }
        if (pace) {
          const due = begun + ((rows.step - firstStep) / pace) * 1000;
          await clock.sleep(due - clock.now(), signal);
        } else if (clock.now() - sliceStart > SLICE) {
          await clock.yield();
          sliceStart = clock.now();
        }
        if (subscriber.closed) return;
      }
    };
    emit().catch((error: unknown) => subscriber.error(error));
  });
}

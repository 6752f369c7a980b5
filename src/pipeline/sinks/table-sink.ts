import { type MonoTypeOperatorFunction, Observable } from 'rxjs';
import { type ColumnArray, type ColumnSpec, columnArray } from '../columns.ts';
import type { Run, StepBatch } from '../step-batch.ts';
import type { ByteTarget } from './byte-target.ts';
import type { TableFormat } from './table-format.ts';

export interface TableSinkOptions<R extends Run> {
  /** Columns to write, in this order. */
  readonly columns: readonly ColumnSpec[];
  /** Key-value metadata of the file, asked for once the last row is there. */
  readonly metadata: (run: R) => Readonly<Record<string, string>>;
  /** Rows a row group. */
  readonly rowGroupSize?: number;
}

/** Readers skip and load whole row groups; this many rows make a few megabytes. */
export const ROW_GROUP_SIZE = 65_536;

/**
 * Writes every batch that passes to a file, and completes only when the file is closed. While a row group is being
 * written the source waits (`run.hold`), so memory stays flat. On an error, or when the subscriber leaves early, nothing
 * remains under the target's final name.
 */
export function tableSink<R extends Run, B extends StepBatch<object, R>>(
  target: ByteTarget,
  format: TableFormat,
  { columns, metadata, rowGroupSize = ROW_GROUP_SIZE }: TableSinkOptions<R>,
): MonoTypeOperatorFunction<B> {
  return (source) =>
    new Observable((subscriber) => {
      const writer = format(target, columns);
      let group = columns.map(({ type }) => columnArray(type, rowGroupSize));
      let filled = 0;
      let run: R | undefined;
      let work: Promise<void> = Promise.resolve();
      let settled = false;

      const enqueue = (task: () => Promise<void>) => {
        work = work.then(task);
        return work;
      };
      const fail = (error: unknown) => {
        if (settled) return;
        settled = true;
        subscription.unsubscribe();
        target.abort().then(
          () => subscriber.error(error),
          () => subscriber.error(error),
        );
      };
      const writeGroup = () => {
        const length = filled;
        const rows = {
          length,
          columns: length === rowGroupSize ? group : group.map((values) => values.slice(0, length)),
        };
        group = columns.map(({ type }) => columnArray(type, rowGroupSize));
        filled = 0;
        return enqueue(() => writer.write(rows));
      };
      const take = (batch: B) => {
        run = batch.run;
        let taken = 0;
        while (taken < batch.length) {
          const count = Math.min(rowGroupSize - filled, batch.length - taken);
          columns.forEach(({ name }, c) => {
            const values = (batch.columns as Readonly<Record<string, ColumnArray | undefined>>)[name];
            if (!values) throw new TypeError(`column ${name} is to be written, but no operator has computed it`);
            group[c]!.set(values.subarray(taken, taken + count), filled);
          });
          filled += count;
          taken += count;
          if (filled === rowGroupSize) {
            const written = writeGroup();
            written.catch(fail);
            batch.run.hold(written);
          }
        }
      };

      const subscription = source.subscribe({
        next(batch) {
          try {
            take(batch);
          } catch (error) {
            fail(error);
            return;
          }
          subscriber.next(batch);
        },
        error: fail,
        complete() {
          if (filled > 0) writeGroup();
          enqueue(async () => {
            await writer.finish(run ? metadata(run) : {});
            await target.commit();
          }).then(() => {
            if (settled) return;
            settled = true;
            subscriber.complete();
          }, fail);
        },
      });
      return () => {
        subscription.unsubscribe();
        if (settled) return;
        settled = true;
        // Nobody listens any more: let the write under way end, then clear away.
        work
          .then(
            () => target.abort(),
            () => target.abort(),
          )
          .catch(() => {});
      };
    });
}

import { type MonoTypeOperatorFunction, Observable, Subscription } from 'rxjs';
import type { Batch } from '../core/batch.ts';
import type { Snapshot } from '../core/checkpoint.ts';
import { aFunction, aSwitch, being, type Check, choosing, isNumber } from '../core/guard.ts';
import { isPlain } from '../core/is-plain.ts';
import type { Run } from '../core/run.ts';
import { type ColumnArray, columnArray, orderSchema, type Schema } from '../core/schema.ts';
import { type ByteTarget, openTarget, type SinkTarget } from '../formats/byte-target.ts';
import type {
  Metadata,
  Rows,
  TableFormat,
  TableState,
  TableWriter,
} from '../formats/table-format.ts';

/**
 * Where a run can be continued: the state of its stages behind the first `rows` rows of the file.
 */
export interface Progress {
  readonly rows: number;
  readonly after: Snapshot;
}

/** The rows that a file holds already and that the sink goes on behind. */
export interface TableStart {
  /** Its full row groups. */
  readonly state: TableState;
  /** Rows in them. */
  readonly rows: number;
  /** Rows behind them, which do not fill a group yet. */
  readonly tail: Rows;
  /**
   * Metadata of the file so far; undefined where it need not be made safe, since another one holds
   * its rows.
   */
  readonly metadata: Metadata | undefined;
  /**
   * Rows of the run before the first one that will come; where the file holds more, those are not
   * written again.
   */
  readonly resumedAt: number;
}

/** How much of a file outlives a crash, and from where it is continued after one. */
export interface DurabilityOptions {
  /**
   * Milliseconds after which rows are flushed; 0 flushes behind every batch. Never unless given.
   */
  readonly flushEvery?: number;
  /** Told once the first `rows` rows of the file, the last of them of this step, are safe. */
  readonly onFlush?: (flushed: { readonly rows: number; readonly step: number }) => void;
  /** Continue a file instead of beginning one. */
  readonly from?: TableStart;
  /** Replace whatever stands under the name of the file; else only what eos has written. */
  readonly force?: boolean;
}

export interface TableSinkOptions<R extends Run> extends DurabilityOptions {
  /** Names of the columns to write; all that are there unless given. */
  readonly columns?: readonly string[] | null;
  /** Key-value metadata of the file if it ended where the run is now; `ended` where it does. */
  readonly metadata: (run: R, progress: Progress | undefined, ended: boolean) => Metadata;
  /** Rows a row group. */
  readonly rowGroupSize?: number;
}

const SINK_OPTIONS = {
  columns: being(
    'a list of names, each once',
    (names) =>
      names === null ||
      (Array.isArray(names) &&
        names.length > 0 &&
        names.every((name) => typeof name === 'string') &&
        new Set(names).size === names.length),
  ),
  flushEvery: being('a number from 0 up', (value) => isNumber(value) && value >= 0),
  onFlush: aFunction,
  from: being('what a file holds already', isPlain),
  force: aSwitch,
};

/**
 * Refuses what a sink cannot be told. @param further options of its own @throws TypeError
 */
export function checkSinkOptions(
  of: string,
  options: unknown,
  further: Readonly<Record<string, Check>> = {},
): void {
  choosing({ ...SINK_OPTIONS, ...further })(`${of}: options`, options);
}

/** Readers skip and load whole row groups; this many rows make a few megabytes. */
export const ROW_GROUP_SIZE = 65_536;

/**
 * To encode the footer of very many row groups takes a while; it shall take no more than this part
 * of the time.
 */
const ENCODING_SHARE = 0.2;

/** The columns to write, in the order of the file. */
export function columnsToWrite(
  { run, schema }: Batch<unknown>,
  names: readonly string[] | null | undefined,
): Schema {
  const present = orderSchema(schema, run.order);
  if (!names) return present;
  for (const name of names) {
    if (present.some((column) => column.name === name)) continue;
    throw new TypeError(`column ${name} is to be written, but no operator has computed it`);
  }
  return present.filter(({ name }) => names.includes(name));
}

/**
 * Writes every batch that passes to a file, and completes only when the file is closed. Each
 * subscription opens a target of its own. The source may be one row group ahead of the disk; then
 * it waits (`run.hold`), so memory stays flat. On an error, or when the subscriber leaves early,
 * nothing remains under the target's final name.
 */
export function tableSink<C, R extends Run>(
  to: SinkTarget,
  format: TableFormat,
  options: TableSinkOptions<R>,
): MonoTypeOperatorFunction<Batch<C, R>> {
  const {
    metadata,
    rowGroupSize = ROW_GROUP_SIZE,
    flushEvery,
    onFlush,
    from,
    force = false,
  } = options;
  return (source) =>
    new Observable((subscriber) => {
      let target: ByteTarget;
      try {
        target = openTarget(to, { force });
      } catch (error) {
        subscriber.error(error);
        return;
      }
      let columns: Schema = [];
      let writer: TableWriter | undefined;
      let group: readonly ColumnArray[] = [];
      /** Groups that are on the disk: to make one anew takes as long as to fill it. */
      const spare: (readonly ColumnArray[])[] = [];
      let filled = 0;
      let run: R | undefined;
      let work: Promise<void> = Promise.resolve();
      let settled = false;
      let completed = false;
      /** Rows of the run that have come, and that the file holds. */
      let seen = from?.resumedAt ?? 0;
      let stored = from?.rows ?? 0;
      let lastStep = -1;
      let final = true;
      let progress: Progress | undefined;
      let flushing: Promise<void> | undefined;
      let flushed = seen;
      let timer: ReturnType<typeof setTimeout> | undefined;
      let due = performance.now() + (flushEvery ?? 0);
      // A source may emit, and the first batch fail, before `subscribe` has returned.
      const subscription = new Subscription();

      const enqueue = (task: () => Promise<void>) => {
        work = work.then(task);
        return work;
      };
      const fail = (error: unknown) => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        subscription.unsubscribe();
        const report = () => subscriber.error(error);
        // What is being written comes to its end first: a file cannot be closed under it.
        Promise.allSettled([work, flushing])
          .then(() => target.abort())
          .then(report, report);
      };
      const newGroup = () =>
        spare.pop() ??
        writer?.arrays?.(rowGroupSize) ??
        columns.map(({ type }) => columnArray(type, rowGroupSize));
      const filledRows = (): Rows => ({
        length: filled,
        columns:
          filled === rowGroupSize ? group : group.map((values) => values.subarray(0, filled)),
      });
      /**
       * A group is noted for a recovery unless some of its rows stand there only because the run
       * was stopped.
       */
      const writeGroup = (current: R) => {
        const rows = filledRows();
        const written = group;
        const described = final ? metadata(current, progress, false) : undefined;
        group = completed ? [] : newGroup();
        filled = 0;
        return enqueue(async () => {
          await writer!.write(rows, described);
          spare.push(written);
        });
      };
      const append = (values: readonly ColumnArray[], length: number, begin: number) => {
        let taken = begin;
        while (taken < length) {
          const count = Math.min(rowGroupSize - filled, length - taken);
          for (let c = 0; c < columns.length; c++)
            group[c]!.set(values[c]!.subarray(taken, taken + count), filled);
          filled += count;
          taken += count;
          stored += count;
          if (filled === rowGroupSize && run) {
            if (taken === length && pending) progress = pending;
            // One group may still be on its way to the disk while the next one is computed.
            run.hold(work);
            writeGroup(run).catch(fail);
          }
        }
      };
      /** What may be said of the progress once all rows of the batch under way are there. */
      let pending: Progress | undefined;
      const take = (batch: Batch<C, R>) => {
        if (!run) {
          run = batch.run;
          columns = columnsToWrite(batch, options.columns);
          writer = format(target, columns, from?.state);
          group = newGroup();
          begin(run);
        }
        const arrays = columns.map(
          ({ name }) => (batch.columns as Readonly<Record<string, ColumnArray>>)[name]!,
        );
        const known = Math.min(batch.length, Math.max(0, stored - seen));
        seen += batch.length;
        final = batch.after !== undefined;
        pending = batch.after ? { rows: seen, after: batch.after } : undefined;
        append(arrays, batch.length, known);
        if (pending) progress = pending;
        lastStep = lastStepOf(batch) ?? lastStep;
        planFlush();
      };
      /** A file that is continued is made safe as it is before anything is added. */
      const begin = (current: R) => {
        if (!from) return;
        append(from.tail.columns, from.tail.length, 0);
        const before = from.metadata;
        if (!target.flush || !before) return;
        const rows = filledRows();
        const safe = enqueue(async () => target.flush!(await writer!.closing(rows, before)));
        safe.catch(fail);
        current.hold(safe);
      };
      const planFlush = () => {
        if (
          flushEvery === undefined ||
          !target.flush ||
          flushing ||
          timer !== undefined ||
          settled ||
          completed
        )
          return;
        const wait = due - performance.now();
        if (wait <= 0) flush();
        else {
          timer = setTimeout(() => {
            timer = undefined;
            flush();
          }, wait);
        }
      };
      const flush = () => {
        if (!run || !progress || settled || flushing || progress.rows === flushed) return;
        const start = performance.now();
        const rows = filledRows();
        const described = metadata(run, progress, false);
        const reached = { rows: stored, step: lastStep };
        flushed = progress.rows;
        let safe: Promise<void> = Promise.resolve();
        const encoded = enqueue(async () => {
          const begun = performance.now();
          const closing = await writer!.closing(rows, described);
          due = Math.max(start + flushEvery!, start + (performance.now() - begun) / ENCODING_SHARE);
          safe = target.flush!(closing);
          safe.catch(() => {});
        });
        flushing = encoded
          .then(() => safe)
          .then(() => {
            flushing = undefined;
            if (settled) return;
            onFlush?.(reached);
            if (seen > flushed) planFlush();
          }, fail);
      };

      const upstream = source.subscribe({
        next(batch) {
          if (settled) return;
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
          if (settled) return;
          completed = true;
          clearTimeout(timer);
          if (filled > 0 && run) writeGroup(run).catch(fail);
          enqueue(async () => {
            await flushing;
            if (settled) return;
            if (!run || !writer) throw new Error('no rows came, so there is nothing to write');
            // The last rows of a thinned run stand there only because it ended: nothing goes on
            // behind them.
            const end = run.interrupted || progress?.rows === seen ? progress : undefined;
            await writer.finish(metadata(run, end, true));
            await target.commit();
          }).then(() => {
            if (settled) return;
            settled = true;
            subscriber.complete();
          }, fail);
        },
      });
      subscription.add(upstream);
      return () => {
        clearTimeout(timer);
        subscription.unsubscribe();
        if (settled) return;
        settled = true;
        // Nobody listens any more: let the write under way end, then clear away.
        const abort = () => target.abort();
        work
          .then(() => flushing)
          .then(abort, abort)
          .catch(() => {});
      };
    });
}

function lastStepOf({ length, columns }: Batch<unknown>): number | undefined {
  return length > 0
    ? (columns as { readonly step?: ArrayLike<number> }).step?.[length - 1]
    : undefined;
}

import { Observable } from 'rxjs';
import { type Batch, checkBatch } from './batch.ts';
import type { Snapshot, StageState } from './checkpoint.ts';
import type { Run, RunEnd } from './run.ts';
import { type ArraysOf, arraysOf, type ColumnArray, extendSchema, type Schema } from './schema.ts';
import type { ReadState, StateReader } from './stored-state.ts';

/** Columns as an operator reads them. */
export type Readable<Names extends string> = Readonly<Record<Names, ArrayLike<number>>>;

/** One run of an operator: what it does with each block of rows, and what it has seen so far. */
export interface Stage<Needs extends string, Uses extends string, Adds extends Schema> {
  /** Computes the added columns of the next `length` rows into arrays of at least that length. */
  next(
    columns: Readable<Needs> & Partial<Readable<Uses>>,
    length: number,
    into: ArraysOf<Adds>,
  ): void;
  /** What `start` needs to go on from here, as it is now; made only where it is written. */
  state?(): () => StageState;
  /** Its part of the run's summary, once the last row has passed. */
  finish?(end: RunEnd): object;
}

/**
 * An operator of the pipeline: pure column arithmetic over a run's rows. From this one definition
 * come the pipeable RxJS operator, the plain loop over blocks, and checkpoints.
 */
export interface OperatorDefinition<
  Needs extends string = string,
  Adds extends Schema = Schema,
  R extends Run = Run,
  Uses extends string = string,
> {
  readonly name: string;
  /** The columns that it reads, each with the source or operator that adds it. */
  readonly needs: Readonly<Record<Needs, string>>;
  /** Columns that it reads where they are there, and computes for itself where not. */
  readonly uses?: readonly Uses[];
  readonly adds: Adds;
  /**
   * What it was told otherwise than the run: it becomes part of the run's config, and of its files.
   */
  readonly params?: Readonly<Record<string, unknown>>;
  /** @param saved state of an earlier stage, to go on from there */
  start(run: R, saved?: StateReader): Stage<Needs, Uses, Adds>;
}

/** A pipeable operator that keeps the columns of its source and adds its own. */
export interface Operator<Needs extends string, Adds extends Schema, R extends Run> {
  <C extends Readable<Needs>, Q extends R>(
    source: Observable<Batch<C, Q>>,
  ): Observable<Batch<C & ArraysOf<Adds>, Q>>;
  readonly definition: OperatorDefinition<Needs, Adds, R, never>;
}

/** Any operator over runs of one kind, its columns unknown to the types. */
export interface AnyOperator<R extends Run> {
  readonly definition: OperatorDefinition<never, Schema, R, never>;
}

/** A column that an operator needs is not there: names the operator that would add it. */
export class MissingColumnError extends TypeError {
  override readonly name = 'MissingColumnError';
}

/** Makes an operator of its definition. Each subscription has a state of its own. */
export function operator<
  const Needs extends string,
  const Adds extends Schema,
  R extends Run,
  const Uses extends string = never,
>(definition: OperatorDefinition<Needs, Adds, R, Uses>): Operator<Needs, Adds, R> {
  const pipeable = <C extends Readable<Needs>, Q extends R>(source: Observable<Batch<C, Q>>) =>
    new Observable<Batch<C & ArraysOf<Adds>, Q>>((subscriber) => {
      let run: Q | undefined;
      let advance: Advance | undefined;
      return source.subscribe({
        next(batch) {
          let added: Batch<C & ArraysOf<Adds>, Q>;
          try {
            if (!advance) checkBatch(definition.name, batch);
            run = batch.run;
            advance ??= begin(definition, batch);
            added = advance(batch) as Batch<C & ArraysOf<Adds>, Q>;
          } catch (error) {
            subscriber.error(error);
            return;
          }
          subscriber.next(added);
        },
        error: (error: unknown) => subscriber.error(error),
        complete() {
          try {
            if (run) advance?.finish(run);
          } catch (error) {
            subscriber.error(error);
            return;
          }
          subscriber.complete();
        },
      });
    });
  return Object.assign(pipeable, { definition }) as Operator<Needs, Adds, R>;
}

interface Advance {
  (batch: Batch<unknown>, into?: object): Batch<unknown>;
  finish(end: Run): void;
}

/** Starts an operator on the run of its first batch. */
function begin<N extends string, A extends Schema, R extends Run, U extends string>(
  definition: OperatorDefinition<N, A, R, U>,
  first: Batch<unknown, R>,
): Advance {
  const { name, needs, adds, params } = definition;
  const { run, schema, columns } = first;
  for (const [column, by] of Object.entries(needs)) {
    if (Object.hasOwn(columns as object, column)) continue;
    throw new MissingColumnError(`${name}() needs the column ${column}; put ${by}() before it`);
  }
  const told = Object.entries(params ?? {}).filter(([, value]) => value !== undefined);
  if (told.length > 0) run.config = { ...(run.config as object), ...Object.fromEntries(told) };
  const saved = run.resumed?.(name);
  const stage = definition.start(run, saved);
  if (stage.state && Object.hasOwn(first.after ?? {}, name))
    throw new TypeError(`${name}() stands twice in one pipeline; leave one out`);
  if (stage.state && !saved) run.resumed?.(name, true);
  if (stage.finish) run.summarized = true;
  const compiled = run.compiled?.(name);
  const extended = adds.length > 0 ? extendSchema(schema, adds) : schema;

  const advance = (batch: Batch<unknown>, into?: object): Batch<unknown> => {
    const { length } = batch;
    const added = (into ?? (run.arrays ?? arraysOf)(adds, length)) as ArraysOf<A>;
    if (!compiled?.(batch.columns, length))
      stage.next(batch.columns as Readable<N> & Partial<Readable<U>>, length, added);
    return {
      run: batch.run,
      length,
      schema: extended,
      columns: adds.length > 0 ? { ...(batch.columns as object), ...added } : batch.columns,
      ...(batch.after
        ? { after: run.rereadable ? batch.after : withStage(batch.after, definition, run, stage) }
        : {}),
    };
  };
  return Object.assign(advance, {
    finish(end: Run) {
      if (stage.finish) end.summary = { ...(end.summary as object), ...stage.finish(end) };
    },
  });
}

/** The snapshot with one more stage: its state, and what it would tell of a run that ended here. */
export function withStage<N extends string, A extends Schema, R extends Run, U extends string>(
  after: Snapshot,
  definition: OperatorDefinition<N, A, R, U>,
  run: R,
  stage: Stage<N, U, A>,
): Snapshot {
  const state = stage.state?.();
  if (!state) return after;
  const { name } = definition;
  const part = (end: RunEnd, read: ReadState) =>
    definition.start(run, read(name, state())).finish!(end);
  return { ...after, [name]: stage.finish ? { state, part } : { state } };
}

/** An operator at work on a run, and the arrays that it fills. */
export interface StageAt {
  readonly advance: Advance;
  readonly into: object;
}

/** Rows of a run in blocks, for a loop without RxJS: fills `into` where it is given. */
export interface BlockSource<R extends Run> {
  readonly run: R;
  readonly ended: boolean;
  next(size: number, into?: object): Batch<unknown, R>;
}

/**
 * A run through operators, block after block, in the digits of the stream, without RxJS: for loops
 * that look at each block and keep nothing of it, since its arrays are used again for the next (of
 * them the first `length` values count). Behind the last block `run.summary` is there.
 *
 * @param rows rows of a block, unless `next` is given fewer for the block that it asks for
 * @param first the same of the first block
 * @param stages where what the operators are at in this run is put
 */
export function* blocks<R extends Run>(
  source: BlockSource<R>,
  operators: readonly AnyOperator<R>[],
  rows: number,
  first = rows,
  stages: StageAt[] = [],
): Generator<Batch<Readonly<Record<string, ArrayLike<number>>>, R>, void, number | undefined> {
  const { run } = source;
  let columns: object | undefined;
  let size = first;
  do {
    let batch: Batch<unknown, R> = source.next(size, columns);
    columns ??=
      batch.length === rows || source.ended
        ? (batch.columns as object)
        : (run.arrays ?? arraysOf)(batch.schema, rows);
    for (let i = 0; i < operators.length; i++) {
      const { definition } = operators[i]!;
      stages[i] ??= {
        advance: begin(definition, batch),
        into: (run.arrays ?? arraysOf)(definition.adds, rows),
      };
      batch = stages[i]!.advance(batch, stages[i]!.into) as Batch<unknown, R>;
    }
    size = (yield batch as Batch<Readonly<Record<string, ArrayLike<number>>>, R>) ?? rows;
  } while (!source.ended);
  for (const { advance } of stages) advance.finish(run);
}

/** Names of the columns that operators read, whether they need them or not. */
export function readBy<R extends Run>(operators: readonly AnyOperator<R>[]): ReadonlySet<string> {
  return new Set(
    operators.flatMap(({ definition: { needs, uses = [] } }) => [...Object.keys(needs), ...uses]),
  );
}

/** The columns that an operator adds to these rows of a run, all at once. */
export function addedColumns<R extends Run>(
  { definition }: AnyOperator<R>,
  run: R,
  columns: object,
  length: number,
): Readonly<Record<string, ColumnArray>> {
  const { adds } = definition;
  const into = arraysOf(adds, length);
  definition.start(run).next(columns as never, length, into);
  return into;
}

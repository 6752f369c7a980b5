import { from, lastValueFrom, type Observable, tap } from 'rxjs';
import type { Batch } from '../../pipeline/core/batch.ts';
import type { Snapshot } from '../../pipeline/core/checkpoint.ts';
import { type Run, startRun } from '../../pipeline/core/run.ts';
import type { ColumnArray, Schema } from '../../pipeline/core/schema.ts';
import { show } from '../../pipeline/core/show.ts';
import { sealedMetadata } from '../../pipeline/formats/run-metadata.ts';
import { jsonObject } from '../../pipeline/formats/table-file.ts';
import type { Metadata, TableColumn } from '../../pipeline/formats/table-format.ts';
import { detectMeasuredPhases } from '../../pipeline/operators/detect-measured-phases.ts';
import { relateToThreshold } from '../../pipeline/operators/relate-to-threshold.ts';
import { thin } from '../../pipeline/operators/thin.ts';
import { stabilityOf } from '../../pipeline/optimizers/index.ts';
import { MEASURED_COLUMNS, measuredColumns } from '../../pipeline/phases/measured/columns.ts';
import type { MeasuredSummary } from '../../pipeline/phases/measured/summary.ts';
import { SOURCE_KEY } from '../../pipeline/sources/descent/stepper.ts';
import { createTally } from '../../pipeline/sources/training-log/log-error.ts';
import {
  type LogBatch,
  type LogConfig,
  startLogRun,
} from '../../pipeline/sources/training-log/training-log.ts';
import { findTraining } from '../../pipeline/sources/trainings/index.ts';
import type {
  TrainingBatch,
  TrainingConfig,
  TrainingRows,
  WeightsAt,
} from '../../pipeline/sources/trainings/training.ts';
import { loadDataOf } from '../data-file.ts';
import { dynamicsBatches, dynamicsColumns, dynamicsMetadata } from '../dynamics-files.ts';
import { UsageError } from '../errors.ts';
import type { TableReader } from '../inspect/table-reader.ts';
import { isLogConfig, recoveredLogSummary, tallyOf } from '../recover-log.ts';
import { weightsColumns, weightsMetadata } from '../weights-file.ts';

export type AnyBatch = Batch<Readonly<Record<string, ColumnArray>>, Run>;

/** How the rows of a file come about once more. */
export interface Remake {
  /** The columns that such a file has. */
  readonly schema: readonly TableColumn[];
  /** Names of those that it would have with other `--columns`. */
  readonly possible: readonly string[];
  /** The last step that the run was to take; null where nobody said. */
  readonly steps: number | null;
  readonly every: number;
  /** How long it takes, in steps of the minimal model. */
  work(steps: number): number;
  /** The rows up to that step, those that `--every` leaves out left out. */
  batches(until: number): Observable<AnyBatch>;
  /** What a file says of such a run, once it has ended. */
  metadata(run: Run, lastStep: number): Metadata;
  /**
   * Its stages before that step, from which an interrupted run goes on; where no file goes on,
   * null.
   */
  readonly snapshotAt: ((step: number) => Promise<Snapshot | undefined>) | null;
  /**
   * The summary that a recovery gives a run whose last known step is that one; undefined where it
   * gives none.
   */
  recovered(lastStep: number, run: Run): Promise<object | undefined>;
  /** Columns that stand in the file alone. */
  readonly taken: readonly string[];
}

/**
 * How a file with this `eos.config` was made.
 * @throws UsageError where eos writes no such files, or its parameters cannot be used
 */
export async function remakeOf(path: string, table: TableReader, said: object): Promise<Remake> {
  try {
    await loadDataOf(said);
    if (isLogConfig(said)) return ofLog(table, said);
    if ('dynamics' in said) return await ofDynamics(said);
    if ('weights' in said) return await ofWeights(said);
    return await ofTraining(said, jsonObject(table.metadata[SOURCE_KEY]) ?? {});
  } catch (error) {
    throw new UsageError(`${path}: its eos.config cannot be used: ${(error as Error).message}`);
  }
}

/** @param source what the source was told otherwise than the operators */
async function ofTraining(said: object, source: object): Promise<Remake> {
  const training = findTraining({ model: 'minimal', ...said });
  const runs = await training.open();
  const config = runs.resolve(said);
  const begun = runs.resolve({ ...said, ...source });
  const { endAt, recoveredSummary } = await import('../recover-file.ts');
  const stream = (until: number, each: (batch: TrainingBatch) => void = () => {}) =>
    runs.rows(begun, { until }).pipe(
      tap((batch) => {
        batch.run.config = config;
        each(batch);
      }),
      runs.pipeline(config, () => {}),
    );
  const all = runs.schema(config);
  return {
    schema: all.filter(({ name }) => config.columns?.includes(name) ?? true),
    possible: all.map(({ name }) => name),
    steps: config.steps,
    every: config.every,
    work: (steps) => steps * runs.work(config),
    batches: (until) => stream(until).pipe(thin(config.every)) as unknown as Observable<AnyBatch>,
    metadata: (run) => sealedMetadata(run),
    snapshotAt: async (step) => (await lastValueFrom(stream(step - 1))).after,
    async recovered(lastStep) {
      const { run } = await lastValueFrom(stream(lastStep, (batch) => endAt(batch, lastStep)));
      return run.summary ? recoveredSummary(run.summary as never, config) : undefined;
    },
    taken: [],
  };
}

async function ofDynamics(said: { readonly dynamics?: unknown }): Promise<Remake> {
  const { dynamics, ...options } = said as { dynamics: string } & Partial<TrainingConfig>;
  const { findDynamics } = await import('../../pipeline/dynamics/index.ts');
  const found = findDynamics(dynamics);
  if (!found) throw new Error(`there are no dynamics '${dynamics}'`);
  const runs = await findTraining({ model: 'minimal', ...options }).open();
  const config = runs.resolve(options);
  const schema = runs.schema(config);
  const names = dynamicsColumns(runs, config);
  return {
    schema: schema.filter(({ name }) => names.includes(name)),
    possible: dynamicsColumns(runs, { ...config, columns: null }),
    steps: config.steps,
    every: config.every,
    // An integrator takes a few steps of its own in each.
    work: (steps) => 20 * steps * runs.work(config),
    batches: (until) =>
      dynamicsBatches(found, runs, config, { until }) as unknown as Observable<AnyBatch>,
    metadata: (run, lastStep) => dynamicsMetadata(run as TrainingBatch['run'], lastStep),
    snapshotAt: null,
    recovered: async () => undefined,
    taken: [],
  };
}

async function ofWeights(said: { readonly weights?: unknown }): Promise<Remake> {
  const { weights, ...options } = said as { weights: unknown } & Partial<TrainingConfig>;
  const every = Number(weights);
  const runs = await findTraining({ model: 'minimal', ...options }).open();
  const config = runs.resolve(options);
  if (!runs.weights || !Number.isSafeInteger(every) || every < 1)
    throw new Error(`there are no weights of ${config.model} at every ${show(weights)} steps`);
  const [first] = runs.weights(config, every);
  const schema = weightsColumns(first?.theta.length ?? 0);
  const run = startRun(config, stabilityOf(config), ['step', 'weights']);
  return {
    schema,
    possible: schema.map(({ name }) => name),
    steps: config.steps,
    every,
    work: (steps) => steps * runs.work(config),
    batches: (until) => from(weightsBatches(run, schema, runs.weights!(config, every), until)),
    metadata: (_, lastStep) => weightsMetadata(config, every, lastStep),
    snapshotAt: null,
    recovered: async () => undefined,
    taken: [],
  };
}

function* weightsBatches(
  run: Run,
  schema: Remake['schema'],
  rows: Iterable<WeightsAt>,
  until: number,
): Generator<AnyBatch> {
  for (const { step, theta } of rows) {
    if (step > until) {
      Object.assign(run, { interrupted: true });
      return;
    }
    const columns = { step: Float64Array.of(step), weights: theta.slice() };
    yield { run, length: 1, schema: schema as Schema, columns };
  }
}

/** What a detection takes from the log; the rest of its file follows. */
const OF_THE_LOG = measuredColumns('step', 'eta', 'loss', 'sharpness');

function ofLog(table: TableReader, config: LogConfig): Remake {
  const summary = JSON.parse(table.metadata['eos.summary'] ?? '{}') as Partial<MeasuredSummary>;
  const run = startLogRun(config, {
    ...tallyOf(summary.skipped && JSON.stringify(summary.skipped)),
    columns: summary.columns ?? createTally().columns,
  });
  // What was found in the log itself stands in no row.
  run.warnings.push(...(summary.warnings ?? []).filter(({ kind }) => kind === 'second-run'));
  run.interrupted = summary.interrupted === true && summary.recovered !== true;
  return {
    schema: MEASURED_COLUMNS,
    possible: MEASURED_COLUMNS.map(({ name }) => name),
    steps: null,
    every: 1,
    work: (steps) => steps,
    batches: () =>
      from(storedRows(table, OF_THE_LOG, run)).pipe(
        (rows) => rows as unknown as Observable<LogBatch>,
        relateToThreshold(),
        detectMeasuredPhases(),
      ) as unknown as Observable<AnyBatch>,
    metadata: (made) => sealedMetadata(made),
    snapshotAt: null,
    recovered: async (_, { summary: made }) => recoveredLogSummary(made as MeasuredSummary),
    taken: OF_THE_LOG.map(({ name }) => name),
  };
}

/** The values of these columns of a file, as rows of a run. */
async function* storedRows(
  table: TableReader,
  schema: Schema,
  run: Run,
): AsyncGenerator<Batch<{ readonly step: Float64Array }, Run>> {
  const names = schema.map(({ name }) => name);
  for await (const block of table.read(names)) {
    const columns = Object.fromEntries(
      names.map((name) => [
        name,
        Float64Array.from(block[name] as ArrayLike<number | null>, (value) => value ?? Number.NaN),
      ]),
    ) as unknown as { readonly step: Float64Array };
    yield { run, length: columns.step.length, schema, columns };
  }
}

/**
 * What follows from the measured rows of a file, made once more from those: for models whose phases
 * are found from loss and sharpness. Undefined for others, and where rows or columns are left out
 * that it takes.
 */
export async function derivedOf(
  path: string,
  table: TableReader,
  said: object,
): Promise<Remake | undefined> {
  const training = findTraining({ model: 'minimal', ...said });
  if (training.phases !== 'measured' || 'dynamics' in said || 'weights' in said) return undefined;
  const whole = await remakeOf(path, table, said);
  const runs = await training.open();
  const config = runs.resolve(said);
  // No step is made: it tells the run and the columns of its source.
  const { run, schema } = await lastValueFrom(runs.rows(config, { until: -1 }));
  const there = (name: string) => table.fields.some((field) => field.name === name);
  if (config.every !== 1 || !schema.every(({ name }) => there(name))) return undefined;
  const summary = JSON.parse(table.metadata['eos.summary'] ?? '{}') as Partial<MeasuredSummary>;
  run.interrupted = summary.interrupted === true;
  const { recoveredSummary } = await import('../recover-file.ts');
  return {
    ...whole,
    work: (steps) => steps,
    batches: () =>
      from(storedRows(table, schema, run)).pipe(
        (rows) => rows as unknown as TrainingRows,
        runs.pipeline(config, () => {}),
      ) as unknown as Observable<AnyBatch>,
    snapshotAt: null,
    recovered: async (_, made) => recoveredSummary(made.summary as never, config),
    taken: schema.map(({ name }) => name),
  };
}

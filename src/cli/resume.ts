import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { CHECKPOINT_KEY, type Checkpoint, CheckpointError } from '../pipeline/core/checkpoint.ts';
import type { StoredPipeline } from '../pipeline/core/stored-pipeline.ts';
import { decodeCheckpoint, stepOf } from '../pipeline/core/stored-state.ts';
import { dynamics } from '../pipeline/dynamics/index.ts';
import { count } from '../pipeline/format.ts';
import { DamagedFileError } from '../pipeline/formats/file-errors.ts';
import { jsonObject } from '../pipeline/formats/table-file.ts';
import type { Compression, Rows, TableState } from '../pipeline/formats/table-format.ts';
import { runColumns } from '../pipeline/models/minimal/columns.ts';
import { type FileTargetOptions, PARTIAL } from '../pipeline/node/file-target.ts';
import { removeJournals } from '../pipeline/node/journal.ts';
import { type FileLock, lockFile } from '../pipeline/node/lock.ts';
import { openStored, type StoredFile } from '../pipeline/node/stored-file.ts';
import { summarize } from '../pipeline/operators/summarize.ts';
import { ROW_GROUP_SIZE, type TableStart } from '../pipeline/sinks/table-sink.ts';
import { findTraining } from '../pipeline/sources/trainings/index.ts';
import type { Runs, TrainingConfig } from '../pipeline/sources/trainings/training.ts';
import { loadDataOf } from './data-file.ts';
import { dynamicsPath } from './dynamics-files.ts';
import { UsageError } from './errors.ts';
import type { OnRead } from './reader/job.ts';
import { reading } from './reader/reading.ts';
import { ALSO_KEY } from './run-file.ts';
import { withSummary } from './stored-summary.ts';
import { resumedWeights, type SaidWeights, type WeightsRequest } from './weights-file.ts';

/** A run that is to be continued, and the files in which it is. */
export interface ResumePlan {
  readonly options: TrainingConfig;
  /**
   * Where the run goes on; from its start where the files hold no such point: rows that are there
   * are not written again.
   */
  readonly checkpoint: Checkpoint | undefined;
  readonly pipeline: StoredPipeline | undefined;
  readonly files: readonly ResumedFile[];
  /** Names of the dynamics that are to be written beside the run. */
  readonly also: readonly string[];
  /** Where its weights go; undefined where they are not kept. */
  readonly weights: WeightsRequest | undefined;
  /** The run, where it is whole, and only dynamics beside it are not. */
  readonly whole?: WholeRun;
}

/** A run that has come to its end. */
export interface WholeRun {
  readonly path: string;
  readonly writer: ResumedFile['writer'];
  readonly compression: Compression | undefined;
}

export interface ResumedFile {
  readonly kind: 'parquet' | 'arrow';
  /** Name of the file once it is whole. */
  readonly path: string;
  /** Names of its columns. */
  readonly columns: readonly string[];
  readonly start: TableStart;
  readonly target: FileTargetOptions;
  /** Program that wrote it. */
  readonly writer: 'hyparquet' | 'parquetjs-lite';
}

const STEP = runColumns('step');

/**
 * A file, how many of its rows a longer run has too, and the point from which its run can go on.
 */
interface Found {
  readonly file: StoredFile;
  readonly path: string;
  readonly in: 'partial' | 'whole';
  readonly rows: number;
  readonly checkpoint: Checkpoint | undefined;
  readonly config: TrainingConfig;
  readonly runs: Runs;
  /** Whether its run has come to its end. */
  readonly ended: boolean;
}

/**
 * Finds out where the run in these files stands. A file may be named itself or by its `.partial`;
 * where there are both, the one that is further on counts.
 *
 * @param steps the step to go to, where it is another than the run was asked for
 * @param weights what was said of them
 * @throws UsageError where there is nothing to continue
 */
export async function planResume(
  names: readonly string[],
  steps: number | undefined,
  weights: SaidWeights,
): Promise<ResumePlan> {
  const locks = new Map<string, FileLock>();
  try {
    // First of all: a file that is being written looks like any other that has been left.
    for (const name of names) locks.set(pathOf(name), await lockRun(name));
    const plan = await reading().job(`--resume: ${names[0]}`, findRunsJob, names, steps, weights);
    for (const path of plan.ended) await clearLeftover(path);
    const files = plan.files.map((file) => ({
      ...file,
      target: { ...file.target, lock: locks.get(file.path) },
    }));
    for (const { path } of files) locks.delete(path);
    return { ...plan, files };
  } finally {
    for (const lock of locks.values()) await lock.release();
  }
}

const pathOf = (name: string): string =>
  name.endsWith(PARTIAL) ? name.slice(0, -PARTIAL.length) : name;

async function lockRun(name: string): Promise<FileLock> {
  const path = pathOf(name);
  if (!(await stat(dirname(resolve(path))).catch(() => undefined)))
    throw new UsageError(`--resume: there is no ${name}`);
  return lockFile(path);
}

/**
 * A program that died right after it had given a file its name could not remove the journal any
 * more.
 */
async function clearLeftover(path: string): Promise<void> {
  if (await stat(path + PARTIAL).catch(() => undefined)) return;
  await removeJournals(path + PARTIAL);
}

/** A plan, and the files whose run has ended. */
export type FoundRuns = ResumePlan & { readonly ended: readonly string[] };

/** The plan of `planResume` from what stands in the files, which are only read. */
export async function findRuns(
  read: OnRead,
  names: readonly string[],
  steps: number | undefined,
  said: SaidWeights,
): Promise<FoundRuns> {
  const found: Found[] = [];
  try {
    for (const name of names) found.push(await findFile(read, name, steps !== undefined));
    // One of two files may have been finished when the program died.
    const going = steps === undefined ? found.filter(({ ended }) => !ended) : found;
    const [main] = going;
    if (!main) {
      const unfinished = await planAlongside(found[0]!, said);
      if (unfinished) return unfinished;
      const { path } = found[0]!;
      throw new UsageError(
        `--resume: the run in ${path} is whole; to go on with it, give a later step with --steps`,
      );
    }
    const { config, runs } = main;
    const other = going.find((each) => !isDeepStrictEqual(each.config, config));
    if (other) {
      throw new UsageError(
        `--resume: ${other.path} and ${main.path} are of different runs; name files of one run`,
      );
    }
    if (steps !== undefined && main.ended && steps <= config.steps) {
      throw new UsageError(
        `--steps: the run stands at step ${count(config.steps)} already; there is nothing ` +
          `left to compute up to ${count(steps)}`,
      );
    }
    const options = steps === undefined ? config : runs.resolve({ ...config, steps });
    const { schedule } = config as { readonly schedule?: string | null };
    if (options.steps !== config.steps && schedule?.includes('cosine')) {
      throw new UsageError(
        `--steps: the learning rate of this run falls to 0 at step ${count(config.steps)}; a ` +
          'longer one is another run',
      );
    }
    // Where one file is behind the other, the run goes on from there; the other has some of its
    // rows already.
    const behind = going.reduce((a, b) => (resumedAt(b) < resumedAt(a) ? b : a));
    const checkpoint = await summarizedCheckpoint(behind);
    const files: ResumedFile[] = [];
    for (const item of going) files.push(await resumedFile(item, resumedAt(behind)));
    const columns = [...new Set(files.flatMap((file) => file.columns))];
    const pipeline = checkpoint && { columns, stages: checkpoint.stages };
    const ended = found.flatMap((each) => (each.ended && !going.includes(each) ? each.path : []));
    const weights = weightsOf(going.find(({ file }) => file.kind === 'parquet') ?? main, said);
    return { options, checkpoint, pipeline, files, also: dynamicsIn(going), weights, ended };
  } finally {
    for (const { file } of found) await file.close();
  }
}

const weightsOf = ({ file, path }: Found, said: SaidWeights): WeightsRequest | undefined =>
  resumedWeights(said, file.metadata, path);

/** What is to be done for a run that is whole: what beside it is not; undefined for none. */
async function planAlongside(found: Found, said: SaidWeights): Promise<FoundRuns | undefined> {
  const { file, path, config, checkpoint } = found;
  const state = file.state(0);
  if (state.kind !== 'parquet') return undefined;
  const also: string[] = [];
  const isWhole = async (beside: string, own: object) => {
    const there = await metadataOf(beside);
    const ended = jsonObject(there?.['eos.summary'])?.interrupted === false;
    const expected: unknown = JSON.parse(JSON.stringify({ ...config, ...own }));
    return ended && isDeepStrictEqual(jsonObject(there?.['eos.config']), expected);
  };
  for (const name of dynamicsIn([found]))
    if (!(await isWhole(dynamicsPath(path, name), { dynamics: name }))) also.push(name);
  const asked = weightsOf(found, said);
  const weights =
    asked && (await isWhole(asked.file, { weights: asked.every })) ? undefined : asked;
  if (also.length === 0 && !weights) return undefined;
  const whole = { path, writer: writerOf(state), compression: state.compression };
  return {
    ...{ options: config, checkpoint, pipeline: undefined, files: [], also, weights, whole },
    ended: [path],
  };
}

async function metadataOf(path: string): Promise<StoredFile['metadata'] | undefined> {
  const file = await openStored(path).catch(() => undefined);
  await file?.close();
  return file?.metadata;
}

export const findRunsJob = { name: 'resume', work: findRuns } as const;

/** Rows of the run before the first one that comes. */
const resumedAt = ({ checkpoint }: Found): number => checkpoint?.rows ?? 0;

/** The metadata of a file is somebody's word: what is no name of dynamics is passed over. */
function dynamicsIn(found: readonly Found[]): string[] {
  const names = found.flatMap(({ file }): unknown[] => {
    try {
      const value: unknown = JSON.parse(file.metadata[ALSO_KEY] ?? '[]');
      return Array.isArray(value) ? value : [];
    } catch {
      return [];
    }
  });
  return dynamics.flatMap(({ name }) => (names.includes(name) ? [name] : []));
}

async function findFile(read: OnRead, name: string, longer: boolean): Promise<Found> {
  const path = pathOf(name);
  const candidates = name === path ? [path, path + PARTIAL] : [name];
  const found: Found[] = [];
  let problem: UsageError | undefined;
  for (const candidate of candidates) {
    const there = await stat(candidate).catch(() => undefined);
    if (!there?.isFile()) continue;
    read(there.size);
    try {
      found.push(await openRun(candidate, path, longer));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      problem ??= error;
    }
  }
  const best = found.reduce<Found | undefined>(
    (a, b) => (a && a.rows >= b.rows ? a : b),
    undefined,
  );
  for (const item of found) if (item !== best) await item.file.close();
  if (best) return best;
  throw (
    problem ??
    new UsageError(
      `--resume: there is no ${name}${name === path ? ` and no ${path}${PARTIAL}` : ''}`,
    )
  );
}

async function openRun(candidate: string, path: string, longer: boolean): Promise<Found> {
  const file = await openStored(candidate).catch((error: unknown) => {
    if (!(error instanceof DamagedFileError)) throw error;
    throw new UsageError(`--resume: ${candidate} cannot be continued: ${error.message}`);
  });
  try {
    const { metadata } = file;
    const { config, runs } = await configOf(metadata['eos.config'], path);
    const found = {
      file,
      path,
      in: candidate === path ? 'whole' : 'partial',
      config,
      runs,
    } as const;
    if (metadata[CHECKPOINT_KEY] === undefined)
      return {
        ...found,
        rows: longer ? await lastingRows(file, config) : Number.POSITIVE_INFINITY,
        checkpoint: undefined,
        ended: true,
      };
    const checkpoint = decodeCheckpoint(metadata[CHECKPOINT_KEY]);
    // A program that died behind its last row has left a run that is still to be ended.
    const stopped = jsonObject(metadata['eos.summary'])?.interrupted === true;
    const ended = found.in === 'whole' && stepOf(checkpoint) > config.steps && !stopped;
    return { ...found, rows: checkpoint.rows, checkpoint, ended };
  } catch (error) {
    await file.close();
    if (error instanceof CheckpointError || error instanceof SyntaxError) {
      throw new UsageError(`--resume: ${candidate}: ${error.message}`);
    }
    throw error;
  }
}

async function configOf(
  text: string | undefined,
  path: string,
): Promise<{ readonly config: TrainingConfig; readonly runs: Runs }> {
  const said: unknown = JSON.parse(text ?? 'null');
  if (typeof said !== 'object' || said === null)
    throw new UsageError(`--resume: ${path} is not the file of a run; it holds no eos.config`);
  try {
    await loadDataOf(said);
    const runs = await findTraining(said).open();
    return { config: runs.resolve(said), runs };
  } catch (error) {
    throw new UsageError(
      `--resume: ${path}: its eos.config cannot be used: ${(error as Error).message}`,
    );
  }
}

/**
 * How many rows of a run that has ended a longer one has too: of a thinned run all but the last
 * ones, which may stand there only because it ended.
 */
async function lastingRows(file: StoredFile, { steps, every }: TrainingConfig): Promise<number> {
  const summary = jsonObject(file.metadata['eos.summary']);
  const refuse = (problem: string) =>
    new UsageError(`--resume: ${file.path} cannot be continued: ${problem}`);
  if (!summary) throw refuse('it holds neither a checkpoint nor a summary');
  if (typeof summary.diverged_at === 'number')
    throw refuse(`the run diverged at step ${count(summary.diverged_at)}`);
  const total = file.groups.reduce((sum, { rows }) => sum + rows, 0);
  if (every === 1 && total === steps + 1) return total;
  if (every === 1)
    throw refuse(`its ${count(total)} rows are not all steps from 0 to ${count(steps)}`);
  let rows = total;
  for (let group = file.groups.length - 1; group >= 0; group--) {
    const { columns } = await file.read(group, STEP);
    const last = columns[0]!.findLastIndex((step) => step < steps - every);
    rows -= columns[0]!.length - 1 - last;
    if (last >= 0) break;
  }
  return rows;
}

/** Older files tell nothing of the summary that they would have had. */
async function summarizedCheckpoint({
  file,
  config,
  checkpoint,
}: Found): Promise<Checkpoint | undefined> {
  const { needs } = summarize().definition;
  const told = Object.keys(needs).every((name) => file.columns.includes(name));
  return checkpoint && told ? withSummary(file, config, checkpoint) : checkpoint;
}

/** What of a file is kept, and where its writer goes on. */
async function resumedFile(found: Found, before: number): Promise<ResumedFile> {
  const { file, path, config, runs } = found;
  const schema = runs.schema(config);
  const damaged = (problem: string) =>
    new UsageError(`--resume: ${file.path} cannot be continued: ${problem}`);
  const foreign = file.columns.find((name) => !schema.some((column) => column.name === name));
  if (foreign !== undefined) throw damaged(`no operator of eos adds its column ${foreign}`);
  const columns = schema.filter(({ name }) => file.columns.includes(name));
  const total = file.groups.reduce((sum, { rows }) => sum + rows, 0);
  if (found.rows > total)
    throw damaged(
      `it holds ${count(total)} rows, and its checkpoint speaks of ${count(found.rows)}`,
    );
  // The last rows of a run that was stopped are there only because it was; those of a partial file
  // are of the run itself.
  const wanted = found.in === 'whole' ? found.rows : total;
  const full = Math.floor(wanted / ROW_GROUP_SIZE);
  if (file.groups.slice(0, full).some(({ rows }) => rows !== ROW_GROUP_SIZE)) {
    throw damaged(`its row groups are not of ${ROW_GROUP_SIZE} rows`);
  }
  const rest = wanted - full * ROW_GROUP_SIZE;
  if (rest > (file.groups[full]?.rows ?? 0))
    throw damaged(`its row groups are not of ${ROW_GROUP_SIZE} rows`);
  let tail: Rows = { length: 0, columns: [] };
  try {
    if (rest > 0) {
      const rows = await file.read(full, columns);
      tail = { length: rest, columns: rows.columns.map((values) => values.subarray(0, rest)) };
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw damaged(error.message);
  }
  const state = file.state(full);
  return {
    kind: file.kind,
    path,
    columns: file.columns,
    start: {
      ...{ state, rows: full * ROW_GROUP_SIZE, tail, resumedAt: before },
      // A run that has ended stays as it is under its name until the longer one is whole.
      metadata: found.ended ? undefined : file.metadata,
    },
    target: { from: { end: state.end, in: found.in } },
    writer: writerOf(state),
  };
}

const writerOf = (state: TableState): ResumedFile['writer'] =>
  state.kind === 'parquet' && state.footer.created_by === 'parquet.js'
    ? 'parquetjs-lite'
    : 'hyparquet';

import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  CHECKPOINT_KEY,
  type Checkpoint,
  CheckpointError,
  decodeCheckpoint,
} from '../pipeline/core/checkpoint.ts';
import type { Schema } from '../pipeline/core/schema.ts';
import type { StoredPipeline } from '../pipeline/core/stored-pipeline.ts';
import { DamagedFileError } from '../pipeline/formats/limits.ts';
import type { Rows } from '../pipeline/formats/table-format.ts';
import { type FileTargetOptions, PARTIAL } from '../pipeline/node/file-target.ts';
import { removeJournals } from '../pipeline/node/journal.ts';
import { type FileLock, lockFile } from '../pipeline/node/lock.ts';
import { openStored, type StoredFile } from '../pipeline/node/stored-file.ts';
import { summarize } from '../pipeline/operators/summarize.ts';
import { ROW_GROUP_SIZE, type TableStart } from '../pipeline/sinks/table-sink.ts';
import { findTraining } from '../pipeline/sources/trainings/index.ts';
import type { Runs, TrainingConfig } from '../pipeline/sources/trainings/training.ts';
import { UsageError } from './errors.ts';
import { withSummary } from './stored-summary.ts';

/** A run that is to be continued, and the files in which it is. */
export interface ResumePlan {
  readonly options: TrainingConfig;
  readonly checkpoint: Checkpoint;
  readonly pipeline: StoredPipeline;
  readonly files: readonly ResumedFile[];
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

/** A file whose run has come to its end. */
class WholeRunError extends UsageError {}

/** A file with the point from which its run can go on. */
interface Found {
  readonly file: StoredFile;
  readonly path: string;
  readonly in: 'partial' | 'whole';
  readonly checkpoint: Checkpoint;
  readonly config: unknown;
  readonly lock: FileLock;
}

/**
 * Finds out where the run in these files stands. A file may be named itself or by its `.partial`; where there are both,
 * the one that is further on counts.
 *
 * @param steps the step to go to, where it is another than the run was asked for
 * @throws UsageError where there is nothing to continue
 */
export async function planResume(
  names: readonly string[],
  steps: number | undefined,
): Promise<ResumePlan> {
  const found: Found[] = [];
  try {
    let whole: WholeRunError | undefined;
    for (const name of names) {
      try {
        found.push(await findRun(name));
      } catch (error) {
        // One of two files may have been finished when the program died.
        if (!(error instanceof WholeRunError)) throw error;
        whole = error;
      }
    }
    const [main] = found;
    if (whole && (!main || steps !== undefined)) throw whole;
    const other = found.find(({ config }) => !isDeepStrictEqual(config, main!.config));
    if (other) {
      throw new UsageError(
        `--resume: ${other.path} and ${main!.path} are of different runs; name files of one run`,
      );
    }
    const { config, runs } = await configOf(main!);
    const options = steps === undefined ? config : runs.resolve({ ...config, steps });
    // Where one file is behind the other, the run goes on from there; the other has some of its rows already.
    const behind = found.reduce((a, b) => (b.checkpoint.rows < a.checkpoint.rows ? b : a));
    const checkpoint = await summarizedCheckpoint(behind, config);
    const files: ResumedFile[] = [];
    for (const item of found)
      files.push(await resumedFile(item, runs.schema(config), checkpoint.rows));
    const columns = [...new Set(files.flatMap((file) => file.columns))];
    return { options, checkpoint, pipeline: { columns, stages: checkpoint.stages }, files };
  } catch (error) {
    for (const { lock } of found) await lock.release();
    throw error;
  } finally {
    for (const { file } of found) await file.close();
  }
}

/** Takes the lock first: a file that is being written looks like any other that has been left. */
async function findRun(name: string): Promise<Found> {
  const path = name.endsWith(PARTIAL) ? name.slice(0, -PARTIAL.length) : name;
  if (!(await stat(dirname(resolve(path))).catch(() => undefined))) {
    throw new UsageError(`--resume: there is no ${name}`);
  }
  const lock = await lockFile(path);
  try {
    return { ...(await findFile(name, path)), lock };
  } catch (error) {
    if (error instanceof WholeRunError) await clearLeftover(path);
    await lock.release();
    throw error;
  }
}

/** A program that died right after it had given a file its name could not remove the journal any more. */
async function clearLeftover(path: string): Promise<void> {
  if (await stat(path + PARTIAL).catch(() => undefined)) return;
  await removeJournals(path + PARTIAL);
}

async function findFile(name: string, path: string): Promise<Omit<Found, 'lock'>> {
  const candidates = name === path ? [path, path + PARTIAL] : [name];
  const found: Omit<Found, 'lock'>[] = [];
  let problem: UsageError | undefined;
  for (const candidate of candidates) {
    if (!(await stat(candidate).catch(() => undefined))?.isFile()) continue;
    try {
      found.push(await openRun(candidate, path));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      problem ??= error;
    }
  }
  const best = found.reduce<Omit<Found, 'lock'> | undefined>(
    (a, b) => (a && a.checkpoint.rows >= b.checkpoint.rows ? a : b),
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

async function openRun(candidate: string, path: string): Promise<Omit<Found, 'lock'>> {
  const file = await openStored(candidate).catch((error: unknown) => {
    if (!(error instanceof DamagedFileError)) throw error;
    throw new UsageError(`--resume: ${candidate} cannot be continued: ${error.message}`);
  });
  try {
    const { metadata } = file;
    if (metadata[CHECKPOINT_KEY] === undefined) {
      throw metadata['eos.summary'] === undefined
        ? new UsageError(`--resume: ${candidate} is not the file of a run; it holds no checkpoint`)
        : new WholeRunError(
            `--resume: the run in ${candidate} is whole; there is nothing to continue`,
          );
    }
    return {
      file,
      path,
      in: candidate === path ? 'whole' : 'partial',
      checkpoint: decodeCheckpoint(metadata[CHECKPOINT_KEY]),
      config: JSON.parse(metadata['eos.config'] ?? 'null') as unknown,
    };
  } catch (error) {
    await file.close();
    if (error instanceof CheckpointError || error instanceof SyntaxError) {
      throw new UsageError(`--resume: ${candidate}: ${error.message}`);
    }
    throw error;
  }
}

async function configOf({
  config,
  path,
}: Found): Promise<{ readonly config: TrainingConfig; readonly runs: Runs }> {
  if (typeof config !== 'object' || config === null)
    throw new UsageError(`--resume: ${path} holds no eos.config`);
  try {
    const runs = await findTraining(config).open();
    return { config: runs.resolve(config), runs };
  } catch (error) {
    throw new UsageError(
      `--resume: ${path}: its eos.config cannot be used: ${(error as Error).message}`,
    );
  }
}

/** Older files tell nothing of the summary that they would have had. */
async function summarizedCheckpoint(
  { file, checkpoint }: Found,
  config: TrainingConfig,
): Promise<Checkpoint> {
  const { needs } = summarize().definition;
  const told = Object.keys(needs).every((name) => file.columns.includes(name));
  return told ? withSummary(file, config, checkpoint) : checkpoint;
}

/** What of a file is kept, and where its writer goes on. */
async function resumedFile(found: Found, schema: Schema, resumedAt: number): Promise<ResumedFile> {
  const { file, checkpoint, path } = found;
  const damaged = (problem: string) =>
    new UsageError(`--resume: ${file.path} cannot be continued: ${problem}`);
  const foreign = file.columns.find((name) => !schema.some((column) => column.name === name));
  if (foreign !== undefined) throw damaged(`no operator of eos adds its column ${foreign}`);
  const columns = schema.filter(({ name }) => file.columns.includes(name));
  const total = file.groups.reduce((sum, { rows }) => sum + rows, 0);
  if (checkpoint.rows > total)
    throw damaged(`it holds ${total} rows, and its checkpoint speaks of ${checkpoint.rows}`);
  // The last rows of a run that was stopped are there only because it was; those of a partial file are of the run itself.
  const wanted = found.in === 'whole' ? checkpoint.rows : total;
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
    start: { state, rows: full * ROW_GROUP_SIZE, tail, metadata: file.metadata, resumedAt },
    target: { from: { end: state.end, in: found.in }, lock: found.lock },
    writer:
      state.kind === 'parquet' && state.footer.created_by === 'parquet.js'
        ? 'parquetjs-lite'
        : 'hyparquet',
  };
}

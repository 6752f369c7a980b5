import { lstat, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { lastValueFrom, tap } from 'rxjs';
import { CHECKPOINT_KEY, type Checkpoint } from '../pipeline/core/checkpoint.ts';
import type { Run } from '../pipeline/core/run.ts';
import { decodeCheckpoint, stepOf } from '../pipeline/core/stored-state.ts';
import { count } from '../pipeline/format.ts';
import { DamagedFileError } from '../pipeline/formats/file-errors.ts';
import type { Metadata } from '../pipeline/formats/table-format.ts';
import { RUN_COLUMNS } from '../pipeline/models/minimal/columns.ts';
import { PARTIAL } from '../pipeline/node/file-target.ts';
import { removeJournals, syncFolder } from '../pipeline/node/journal.ts';
import { lockFile } from '../pipeline/node/lock.ts';
import { openStored, type StoredFile } from '../pipeline/node/stored-file.ts';
import { writeAll } from '../pipeline/node/write-all.ts';
import { findTraining } from '../pipeline/sources/trainings/index.ts';
import type {
  Runs,
  TrainingBatch,
  TrainingConfig,
} from '../pipeline/sources/trainings/training.ts';
import { loadDataOf } from './data-file.ts';
import { refuseAddress, UsageError } from './errors.ts';
import type { Job, OnRead } from './reader/job.ts';
import { describeStoredLog, isLogConfig } from './recover-log.ts';
import { withSummary } from './stored-summary.ts';

export interface Recovery {
  readonly out: string;
  readonly rows: number;
  readonly groups: number;
  /** Step of the last row; null where the file does not say. */
  readonly lastStep: number | null;
  /** Steps that the run was to take. */
  readonly steps: number | null;
  /** Whether the partial file has been removed, now that its rows are elsewhere. */
  readonly removed: boolean;
}

/** Ending of the name under which a recovered file is written until it is whole. */
const RECOVERING = '.recovering';
const SLICE = 1 << 23;

/**
 * Makes a whole file of what a program that died left in a partial one. The partial file is only
 * read; it goes once the new file is whole under the name that it would have had.
 *
 * @throws UsageError where nothing can be recovered, or the file is still being written
 */
export async function recoverFile(
  name: string,
  given: string | undefined,
  force: boolean,
  read: OnRead = () => {},
): Promise<Recovery> {
  if (given !== undefined) refuseAddress('out', given);
  const partial = await partialOf(name);
  const path = partial.slice(0, -PARTIAL.length);
  const out = given ?? path;
  if (resolve(out) === resolve(partial))
    throw new UsageError(`--out: ${out} is the file that is to be recovered`);
  if (!(await stat(dirname(resolve(out))).catch(() => undefined))?.isDirectory()) {
    throw new UsageError(`--out: the folder of ${out} does not exist; create it first`);
  }
  read((await stat(partial)).size);
  const locks = [await lockFile(path)];
  try {
    if (resolve(out) !== resolve(path)) locks.push(await lockFile(out));
    const check = async () => {
      for (const lock of locks) await lock.check();
    };
    return await recover(partial, out, { replace: given === undefined, force }, check);
  } finally {
    for (const lock of locks) await lock.release();
  }
}

/** `recoverFile`, where files are read. */
export const recoverJob: Job<Parameters<typeof recoverFile>, Recovery> = {
  name: 'recover',
  work: (read, name, given, force) => recoverFile(name, given, force, read),
};

async function partialOf(name: string): Promise<string> {
  const isFile = async (path: string) =>
    (await lstat(path).catch(() => undefined))?.isFile() === true;
  if (name.endsWith(PARTIAL)) {
    if (await isFile(name)) return name;
    const whole = name.slice(0, -PARTIAL.length);
    if (!(await isFile(whole))) throw new UsageError(`${name}: there is no such file`);
    await clearLeftovers(whole);
    throw new UsageError(`${whole} is whole: there is nothing to recover`);
  }
  if (await isFile(name + PARTIAL)) return name + PARTIAL;
  if (!(await isFile(name))) throw new UsageError(`${name}: there is no such file`);
  await clearLeftovers(name);
  throw new UsageError(`${name} has no ${name}${PARTIAL} beside it: there is nothing to recover`);
}

/**
 * A program that died right after it had given a file its name could remove neither journal nor
 * lock any more.
 */
async function clearLeftovers(path: string): Promise<void> {
  const lock = await lockFile(path);
  try {
    if (!(await stat(path + PARTIAL).catch(() => undefined))) await removeJournals(path + PARTIAL);
  } finally {
    await lock.release();
  }
}

async function recover(
  partial: string,
  out: string,
  { replace, force }: { readonly replace: boolean; readonly force: boolean },
  check: () => Promise<void>,
): Promise<Recovery> {
  const file = await openStored(partial).catch((error: unknown) => {
    if (!(error instanceof DamagedFileError)) throw error;
    throw new UsageError(`${partial}: nothing can be recovered: ${error.message}`);
  });
  try {
    const rows = file.groups.reduce((sum, group) => sum + group.rows, 0);
    if (rows === 0)
      throw new UsageError(`${partial}: nothing can be recovered: no rows had been flushed`);
    const { metadata, lastStep, steps } = await describeStored(file);
    await writeWhole(file, metadata, out, { check, force, again: replace });
    if (replace) {
      await rm(partial, { force: true });
      await removeJournals(partial);
    }
    return { out, rows, groups: file.groups.length, lastStep, steps, removed: replace };
  } finally {
    await file.close();
  }
}

interface Place {
  /** Makes sure that the file is still ours to write. */
  readonly check: () => Promise<void>;
  /** Whether whatever stands there is replaced. */
  readonly force: boolean;
  /** Whether an earlier recovery may have put it there. */
  readonly again: boolean;
}

async function writeWhole(
  file: StoredFile,
  metadata: Metadata,
  out: string,
  { check, force, again }: Place,
): Promise<void> {
  const count = file.groups.length;
  const { end } = file.state(count);
  const closing = file.closing(count, metadata);
  const there = force ? undefined : await stat(out).catch(() => undefined);
  const refuse = () => {
    throw new UsageError(
      `${out} exists already; give another name with --out, or --force to replace it`,
    );
  };
  if (there && !(again && there.size === end + closing.length)) refuse();
  const draft = out + RECOVERING;
  await rm(draft, { force: true });
  const target = await open(draft, 'wx');
  try {
    for (let at = 0; at < end; at += SLICE) {
      await writeAll(target, new Uint8Array(await file.bytes.slice(at, Math.min(end, at + SLICE))));
    }
    await writeAll(target, closing);
    await target.sync();
    await target.close();
    await check();
    // An earlier recovery that was ended before it had cleared away has made this very file.
    if (there && !(await sameBytes(draft, out))) refuse();
    await rename(draft, out);
    await syncFolder(dirname(resolve(out)));
  } catch (error) {
    await target.close().catch(() => {});
    await rm(draft, { force: true });
    throw error;
  }
}

async function sameBytes(a: string, b: string): Promise<boolean> {
  const files = await Promise.all([open(a), open(b)]);
  try {
    for (;;) {
      const [x, y] = await Promise.all(files.map((file) => file.read(Buffer.alloc(SLICE))));
      if (x!.bytesRead !== y!.bytesRead || !x!.buffer.equals(y!.buffer)) return false;
      if (x!.bytesRead === 0) return true;
    }
  } finally {
    for (const file of files) await file.close();
  }
}

/** Metadata of the recovered file, with a summary of the steps that it holds. */
export async function describeStored(
  file: StoredFile,
): Promise<{ metadata: Metadata; lastStep: number | null; steps: number | null }> {
  const { metadata } = file;
  const lastStep = await lastStepOf(file);
  const stored = metadata[CHECKPOINT_KEY];
  const config = metadata['eos.config'];
  if (config !== undefined) {
    const parsed = usable(() => JSON.parse(config) as unknown, `${file.path}: its eos.config`);
    if (isLogConfig(parsed))
      return { metadata: await describeStoredLog(file, parsed), lastStep, steps: null };
  }
  if (stored === undefined || config === undefined) return { metadata, lastStep, steps: null };
  const what = `${file.path}: its eos.config`;
  const said = usable(() => JSON.parse(config) as object, what);
  await loadDataOf(said);
  const runs = await usable(() => findTraining(said), what).open();
  const resolved = usable(() => runs.resolve(said), what);
  const saved = usable(() => decodeCheckpoint(stored), `${file.path}: its checkpoint`);
  const checkpoint = await withSummary(file, resolved, saved);
  const summary = await summaryUpTo(runs, resolved, checkpoint, lastStep);
  return {
    metadata: {
      ...metadata,
      ...(summary ? { 'eos.summary': JSON.stringify(recoveredSummary(summary, resolved)) } : {}),
    },
    lastStep: lastStep ?? summary?.last_step ?? null,
    steps: resolved.steps,
  };
}

/** The metadata of a file is somebody's word as well. */
function usable<T>(read: () => T, what: string): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError(`${what} cannot be used: ${(error as Error).message}`);
  }
}

/** What every summary has, whatever the model. */
interface Summary {
  readonly last_step: number;
  readonly warnings: readonly object[];
}

/** The summary of a run that a recovery has ended. */
export function recoveredSummary(summary: Summary, { steps }: TrainingConfig): Summary {
  const { last_step: step } = summary;
  const message =
    `recovered up to step ${count(step)} of ${count(steps)}: the program that wrote the file ` +
    'did not end it';
  return {
    ...summary,
    ...{ interrupted: true, recovered: true },
    warnings: [...summary.warnings, { kind: 'recovered', step, message }],
  };
}

/**
 * The checkpoint may be a little behind the last row: the steps between are computed again.
 * @returns undefined where the pipeline of the file makes no summary
 */
async function summaryUpTo(
  runs: Runs,
  config: TrainingConfig,
  checkpoint: Checkpoint,
  lastStep: number | null,
): Promise<Summary | undefined> {
  const { stages } = checkpoint;
  const step = usable(() => stepOf(checkpoint), 'its checkpoint');
  const until = Math.max(step - 1, Math.min(lastStep ?? 0, config.steps));
  let run: Run | undefined;
  const batches = runs.rows(config, { resume: checkpoint, until }).pipe(
    tap((batch) => {
      run = batch.run;
      endAt(batch, until);
    }),
    runs.pipeline(config, () => {}, { columns: [], stages }),
  );
  await lastValueFrom(batches, { defaultValue: undefined });
  return run?.summary as Summary | undefined;
}

/**
 * Ends a run with the row of that step: whatever became of it behind that, its file does not tell.
 */
export function endAt({ run, length, columns: { step } }: TrainingBatch, last: number): void {
  if (length === 0 || step[length - 1] === last)
    Object.assign(run, { interrupted: true, divergedAt: null });
}

async function lastStepOf(file: StoredFile): Promise<number | null> {
  const column = RUN_COLUMNS.filter(({ name }) => name === 'step');
  try {
    const { length, columns } = await file.read(file.groups.length - 1, column);
    return columns[0]?.[length - 1] ?? null;
  } catch {
    return null;
  }
}

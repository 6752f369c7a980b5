import { cp, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withDraft } from '../../pipeline/node/draft.ts';
import { syncFolder } from '../../pipeline/node/journal.ts';
import { checkedSweeps } from '../dash-server/checked-sweeps.ts';
import { pageFiles, pageFolder } from '../dash-server/page-files.ts';
import {
  listShared,
  locate,
  runList,
  type SharedFile,
  type SharedRun,
  type SharedSweep,
} from '../dash-server/shared-runs.ts';
import { refuseAddress, UsageError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { packageRoot } from '../package-root.ts';
import { singleFile } from './single-file.ts';
import { fileTarget, folderTarget, STAMP } from './target.ts';

export interface BuildRequest {
  readonly data: readonly string[];
  readonly out: string;
  readonly singleFile: boolean;
  readonly force: boolean;
}

/** Base64 of more than this makes a page that browsers no longer open. */
const MAX_SINGLE_BYTES = 200 * 1024 * 1024;

/**
 * Writes the dashboard with the named runs: a folder for any static host, or one HTML file. It
 * stands under its name only when it is whole.
 *
 * @returns the path written
 * @throws UsageError where a file is no run, or something else stands in the way
 */
export async function buildDash(request: BuildRequest): Promise<string> {
  refuseAddress('out', request.out);
  const located = locate(request.data);
  const listing = await listShared(located);
  const { runs } = listing;
  const sweeps = await checkedSweeps(listing.sweeps);
  if (runs.length === 0 && sweeps.length === 0)
    throw new UsageError('--data: there is no run in it; name files written by eos stream');
  for (const run of runs) await checkRun(run);
  return request.singleFile
    ? writeSingle(request, runs, sweeps)
    : writeFolder(request, runs, sweeps);
}

async function checkRun({ file }: SharedRun): Promise<void> {
  const handle = await open(file).catch(() => undefined);
  if (!handle)
    throw new UsageError(
      `--data: ${file} is not finished yet or cannot be read; wait for the run, or recover it`,
    );
  try {
    const head = Buffer.alloc(6);
    await handle.read(head, 0, 6, 0);
    const magic = head.toString('latin1');
    // The last is what the messages of an Arrow stream begin with.
    if (magic.startsWith('PAR1') || magic === 'ARROW1' || magic.startsWith('\xff\xff\xff\xff'))
      return;
    throw new UsageError(`--data: ${file} is neither a Parquet nor an Arrow file`);
  } finally {
    await handle.close();
  }
}

async function writeFolder(
  { out, force }: BuildRequest,
  runs: readonly SharedRun[],
  sweeps: readonly SharedSweep[],
): Promise<string> {
  const files = allFiles(runs, sweeps).map(({ file }) => file);
  const target = await folderTarget({ out, force, files });
  await makeFolder(dirname(target), 'out');
  await withDraft(target, async (work) => {
    await mkdir(work);
    for (const [path, file] of pageFiles()) await copyTo(join(work, path), file);
    for (const { path, file } of allFiles(runs, sweeps)) await copyTo(join(work, path), file);
    await writeFile(join(work, STAMP), runList(runs, sweeps, false), { flush: true });
    await syncFolders(work);
    await rm(target, { recursive: true, force: true });
    await rename(work, target);
    await syncFolder(dirname(target));
  });
  return target;
}

const allFiles = (runs: readonly SharedRun[], sweeps: readonly SharedSweep[]) => [
  ...runs.flatMap(filesOf),
  ...sweeps.flatMap(({ parts }) => parts),
];

const filesOf = (run: SharedRun): readonly SharedFile[] => [run, ...Object.values(run.companions)];

async function copyTo(target: string, file: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await cp(file, target, { dereference: true });
  const copy = await open(target, 'r+');
  await copy.sync().finally(() => copy.close());
}

/** Makes a folder and those in it survive a power cut; their files have been flushed. */
async function syncFolders(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await syncFolders(join(folder, entry.name));
  await syncFolder(folder);
}

async function writeSingle(
  { out, force }: BuildRequest,
  runs: readonly SharedRun[],
  sweeps: readonly SharedSweep[],
): Promise<string> {
  const files = allFiles(runs, sweeps).map(({ file }) => file);
  const target = await fileTarget({ out, force, files });
  let bytes = 0;
  for (const file of files) bytes += (await stat(file)).size;
  if (bytes > MAX_SINGLE_BYTES) {
    throw new UsageError(
      `--single-file: ${Math.round(bytes / 1e6)} MB of data are too much for one page; thin ` +
        'the run with --every, or build a folder',
    );
  }
  const embedded = await Promise.all(
    runs.map(async (run) => ({
      name: run.name,
      data: (await readFile(run.file)).toString('base64'),
      companions: Object.fromEntries(
        await Promise.all(
          Object.entries(run.companions).map(
            async ([kind, { file }]) => [kind, (await readFile(file)).toString('base64')] as const,
          ),
        ),
      ),
    })),
  );
  const embeddedSweeps = await Promise.all(
    sweeps.map(async ({ name, parts, missing, damaged }) => ({
      name,
      missing,
      damaged,
      parts: await Promise.all(
        parts.map(async ({ file }) => (await readFile(file)).toString('base64')),
      ),
    })),
  );
  const page = await singleFile({
    page: pageFolder(),
    script: join(packageRoot, 'dist', 'page-single'),
    runs: embedded,
    sweeps: embeddedSweeps,
  });
  await makeFolder(dirname(target), 'out');
  await withDraft(target, async (work) => {
    await writeFile(work, page, { flush: true, flag: 'wx' });
    await rename(work, target);
    await syncFolder(dirname(target));
  });
  return target;
}

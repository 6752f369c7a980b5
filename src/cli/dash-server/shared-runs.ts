import { existsSync, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { dynamics } from '../../pipeline/dynamics/index.ts';
import { UsageError } from '../errors.ts';

/** A file that the page may read: where it stands, and under which path the server gives it. */
export interface SharedFile {
  readonly path: string;
  readonly file: string;
}

/** A run with the trajectories that lie beside it (`run.constrained.parquet` beside `run.parquet`). */
export interface SharedRun extends SharedFile {
  readonly name: string;
  readonly companions: Readonly<Record<string, SharedFile>>;
}

/** The summary of a sweep: the parts that are there. */
export interface SharedSweep {
  readonly name: string;
  readonly parts: readonly SharedFile[];
  readonly folder: string;
  /** Runs that are in none of the parts; undefined where nobody has looked (see `checkedSweeps`). */
  readonly missing?: number | undefined;
  /** Parts that are there, but damaged, and therefore not among `parts`. */
  readonly damaged?: number;
}

const RUN_FILE = /\.(parquet|arrow)$/;
const PARTIAL = /\.partial$/;
const COMPANION = new RegExp(
  `\\.(${dynamics.map(({ name }) => name).join('|')})\\.(parquet|arrow)$`,
);

/**
 * Where the named files stand. A link named on the command line is followed once, here; what it or its folder is
 * replaced by later is not.
 *
 * @throws UsageError where there is neither the file nor its `.partial`
 */
export function locate(names: readonly string[], mayBeMissing = false): string[] {
  return names.map((name) => {
    const path = resolve(name).replace(PARTIAL, '');
    if (existsSync(path)) return realpathSync.native(path);
    if (existsSync(`${path}.partial`) || mayBeMissing) return realPlace(path);
    throw new UsageError(
      `${name}: there is no such file; name a run written by eos stream, or a folder of runs`,
    );
  });
}

/** Where a file that is not there yet will stand. */
function realPlace(path: string): string {
  const folder = dirname(path);
  return join(
    existsSync(folder) || folder === path ? realpathSync.native(folder) : realPlace(folder),
    basename(path),
  );
}

/** The runs behind located files and folders, as they are now. */
export function sharedRuns(located: readonly string[]): SharedRun[] {
  const files = located.flatMap((path) => (isFolder(path) ? runsOfFolder(path) : [path]));
  const names = new Map<string, number>();
  return [...new Set(files)].map((file) => {
    const name = basename(file);
    const seen = (names.get(name) ?? 0) + 1;
    names.set(name, seen);
    const folder = seen === 1 ? 'data' : `data/${seen}`;
    return {
      name: seen === 1 ? name : `${name} (${seen})`,
      path: `${folder}/${name}`,
      file,
      companions: companionsOf(file, folder),
    };
  });
}

/** The sweeps among located folders, as they are now. */
export function sharedSweeps(located: readonly string[]): SharedSweep[] {
  return located.filter(isSweep).map((folder, i) => ({
    name: basename(folder),
    folder,
    parts: readdirSync(join(folder, 'summary'))
      .filter((name) => name.endsWith('.parquet'))
      .sort()
      .map((name) => ({ path: `data/sweep-${i + 1}/${name}`, file: join(folder, 'summary', name) }))
      .filter(({ file }) => isPlainFile(file)),
  }));
}

const isSweep = (path: string): boolean =>
  isPlainFile(join(path, 'sweep.json')) && isFolder(join(path, 'summary'));

/** A link to a folder is none: it may lead out of what was shared. Those that were named have been followed already. */
function isFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory();
  } catch {
    return false;
  }
}

function runsOfFolder(folder: string): string[] {
  const names = new Set(readdirSync(folder).map((name) => name.replace(PARTIAL, '')));
  return [...names]
    .filter((name) => RUN_FILE.test(name) && !COMPANION.test(name))
    .sort()
    .map((name) => join(folder, name))
    .filter((file) => isPlainFile(file) || isPlainFile(`${file}.partial`));
}

/** Links are left out: they may lead out of the folder that was shared. */
function isPlainFile(file: string): boolean {
  try {
    return lstatSync(file).isFile();
  } catch {
    // Nothing there, or below what is no folder, or not to be seen by us.
    return false;
  }
}

function companionsOf(file: string, folder: string): SharedRun['companions'] {
  const stem = file.replace(RUN_FILE, '');
  const found: Record<string, SharedFile> = {};
  for (const { name: kind } of dynamics) {
    const beside = [`${stem}.${kind}.parquet`, `${stem}.${kind}.arrow`].find(isPlainFile);
    if (beside) found[kind] = { path: `${folder}/${basename(beside)}`, file: beside };
  }
  return found;
}

/** The list that the page reads: `runs.json`. */
export function runList(
  runs: readonly SharedRun[],
  sweeps: readonly SharedSweep[],
  live: boolean,
  written: ReadonlySet<string> = new Set(),
): string {
  return JSON.stringify({
    version: 1,
    live,
    runs: runs.map(({ name, path, companions }) => ({
      name,
      path: encodeURI(path),
      ...(written.has(path) ? { writing: true } : {}),
      companions: Object.fromEntries(
        Object.entries(companions).map(([kind, file]) => [kind, encodeURI(file.path)]),
      ),
    })),
    sweeps: sweeps.map(({ name, parts, missing, damaged }) => ({
      name,
      parts: parts.map(({ path }) => encodeURI(path)),
      missing,
      damaged,
    })),
  });
}

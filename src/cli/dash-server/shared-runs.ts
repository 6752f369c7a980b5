import { existsSync, realpathSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { dynamics } from '../../pipeline/dynamics/index.ts';
import { UsageError } from '../errors.ts';

/** A file that the page may read: where it stands, and under which path the server gives it. */
export interface SharedFile {
  readonly path: string;
  readonly file: string;
}

/**
 * A run with the trajectories that lie beside it (`run.constrained.parquet` beside `run.parquet`).
 */
export interface SharedRun extends SharedFile {
  readonly name: string;
  /** Whether there is but what a program has written of it so far. */
  readonly unfinished: boolean;
  readonly companions: Readonly<Record<string, SharedFile>>;
}

/** The summary of a sweep: the parts that are there. */
export interface SharedSweep {
  readonly name: string;
  readonly parts: readonly SharedFile[];
  readonly folder: string;
  /**
   * Runs that are in none of the parts; undefined where nobody has looked (see `checkedSweeps`).
   */
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
 * Where the named files stand. A link named on the command line is followed once, here; what it or
 * its folder is replaced by later is not.
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

/** What is shared, as it was when it was listed. */
export interface Listing {
  readonly runs: readonly SharedRun[];
  readonly sweeps: readonly SharedSweep[];
  /** Folders whose content it depends on. */
  readonly folders: readonly string[];
}

/**
 * Names in a folder; whether a name is that of a plain file, of a folder, or of neither (a link may
 * lead out of it).
 */
type Names = ReadonlyMap<string, 'file' | 'folder' | 'other'>;

/** The runs and sweeps behind located files and folders. */
export async function listShared(located: readonly string[]): Promise<Listing> {
  const folders = new Map<string, Promise<Names>>();
  const namesIn = (folder: string): Promise<Names> => {
    const names = folders.get(folder) ?? readNames(folder);
    folders.set(folder, names);
    return names;
  };
  const files = new Map<string, Names>();
  const sweeps: SharedSweep[] = [];
  for (const path of located) {
    if (!(await isFolder(path))) {
      files.set(path, await namesIn(dirname(path)));
      continue;
    }
    const names = await namesIn(path);
    for (const file of runsOf(path, names)) files.set(file, names);
    if (names.get('sweep.json') === 'file' && names.get('summary') === 'folder')
      sweeps.push(sweepOf(path, sweeps.length + 1, await namesIn(join(path, 'summary'))));
  }
  const seen = new Map<string, number>();
  const runs = [...files].map(([file, names]) => {
    const name = basename(file);
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    const folder = count === 1 ? 'data' : `data/${count}`;
    return {
      name: count === 1 ? name : `${name} (${count})`,
      path: `${folder}/${name}`,
      file,
      unfinished: names.get(name) !== 'file' && names.get(`${name}.partial`) === 'file',
      companions: companionsOf(file, folder, names),
    };
  });
  return { runs, sweeps, folders: [...folders.keys()] };
}

async function readNames(folder: string): Promise<Names> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return new Map(
    entries.map((entry) => [
      entry.name,
      entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : 'other',
    ]),
  );
}

/**
 * A link to a folder is none: it may lead out of what was shared. Those that were named have been
 * followed already.
 */
const isFolder = (path: string): Promise<boolean> =>
  lstat(path).then(
    (there) => there.isDirectory(),
    () => false,
  );

/** As people count: run-2 before run-10. */
const inOrder = new Intl.Collator('en', { numeric: true }).compare;

function runsOf(folder: string, names: Names): string[] {
  const plain = [...names].flatMap(([name, kind]) =>
    kind === 'file' ? [name.replace(PARTIAL, '')] : [],
  );
  return [...new Set(plain)]
    .filter((name) => RUN_FILE.test(name) && !COMPANION.test(name))
    .sort(inOrder)
    .map((name) => join(folder, name));
}

function sweepOf(folder: string, number: number, names: Names): SharedSweep {
  const parts = [...names]
    .filter(([name, kind]) => kind === 'file' && name.endsWith('.parquet'))
    .map(([name]) => name)
    .sort()
    .map((name) => ({ path: `data/sweep-${number}/${name}`, file: join(folder, 'summary', name) }));
  return { name: basename(folder), folder, parts };
}

function companionsOf(file: string, folder: string, names: Names): SharedRun['companions'] {
  const stem = basename(file).replace(RUN_FILE, '');
  const found: Record<string, SharedFile> = {};
  for (const { name: kind } of dynamics) {
    const beside = [`${stem}.${kind}.parquet`, `${stem}.${kind}.arrow`].find(
      (name) => names.get(name) === 'file',
    );
    if (beside) found[kind] = { path: `${folder}/${beside}`, file: join(dirname(file), beside) };
  }
  return found;
}

/** What of an unfinished run the page is told. */
export interface Growing {
  /** Whether its program may still be there. */
  readonly writing: boolean;
  /** Of its last flushed state; absent before the first one. */
  readonly etag?: string;
  readonly size?: number;
}

/** The list that the page reads: `runs.json`. */
export function runList(
  runs: readonly SharedRun[],
  sweeps: readonly SharedSweep[],
  live: boolean,
  growing: ReadonlyMap<string, Growing> = new Map(),
): string {
  return JSON.stringify({
    version: 1,
    live,
    runs: runs.map(({ name, path, companions }) => ({
      name,
      path: encodeURI(path),
      ...(growing.get(path)?.writing ? { writing: true } : {}),
      ...(growing.has(path) && growing.get(path)?.etag === undefined ? { empty: true } : {}),
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

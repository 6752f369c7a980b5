import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { UsageError } from '../errors.ts';

/** Marks a folder that this command made, which it may replace. */
export const STAMP = 'runs.json';

const HTML = /\.html?$/i;

export interface TargetRequest {
  readonly out: string;
  /** Replace what is there, whatever it is; but never the data themselves. */
  readonly force: boolean;
  /** Files that go into the dashboard. */
  readonly files: readonly string[];
}

/**
 * The folder that `--out` names, once it is sure that one may be written there: what this command
 * made, or an empty folder, is replaced without `force`.
 */
export async function folderTarget({ out, force, files }: TargetRequest): Promise<string> {
  const target = await located(out, 'name a folder');
  const there = await stat(target).catch(() => undefined);
  if (!there && HTML.test(out)) {
    throw new UsageError(
      `--out: ${out} is the name of a file; add --single-file, or name a folder`,
    );
  }
  if (!there) return target;
  if (!there.isDirectory())
    throw new UsageError(`--out: ${target} is a file; name a folder (or add --single-file)`);
  const real = await realpath(target);
  if (isInside(await realpath(process.cwd()), real)) {
    throw new UsageError(
      `--out: ${target} holds the folder you are in, which cannot be replaced; name another`,
    );
  }
  const data = files.find((file) => isInside(file, real));
  if (data !== undefined) {
    throw new UsageError(
      `--out: ${target} holds ${data}, which is among the data; name another folder`,
    );
  }
  const names = await readdir(target);
  if (names.length === 0 || force) return target;
  const ours = new Set([STAMP, 'index.html', 'assets', 'data']);
  if (names.includes(STAMP) && names.every((name) => ours.has(name))) return target;
  throw new UsageError(
    `--out: ${target} holds other files; name another folder, or --force to replace it`,
  );
}

/**
 * The HTML file that `--out` names, or `index.html` in the folder that it names, once it is sure
 * that it may be written: only an earlier dashboard is replaced without `force`.
 */
export async function fileTarget({ out, force, files }: TargetRequest): Promise<string> {
  const named = await located(out, 'name an HTML file, such as run.html');
  const folder = /[/\\]$/.test(out) || (await stat(named).catch(() => undefined))?.isDirectory();
  const target = folder ? join(named, 'index.html') : named;
  if (!HTML.test(target)) {
    const instead = `${basename(named).replace(/\.(parquet|arrow)$/i, '')}.html`;
    throw new UsageError(
      `--out: ${out} is no name of an HTML file; with --single-file name one, such as ` +
        `${instead}, or a folder that is there`,
    );
  }
  const there = await stat(target).catch(() => undefined);
  if (!there) return target;
  if (there.isDirectory()) throw new UsageError(`--out: ${target} is a folder; name an HTML file`);
  if (!there.isFile())
    throw new UsageError(`--out: ${target} is not a plain file; name an HTML file`);
  if (files.includes(await realpath(target))) {
    throw new UsageError(`--out: ${target} is among the data; give another name`);
  }
  if (!force && !(await readFile(target, 'utf8')).includes('id="eos-data"')) {
    throw new UsageError(
      `--out: ${target} exists and is no dashboard; give another name, or --force to replace it`,
    );
  }
  return target;
}

/** The absolute path, in a folder that is there or can be made. */
async function located(out: string, instead: string): Promise<string> {
  if (out.trim() === '') throw new UsageError(`--out: an empty name; ${instead}`);
  const target = resolve(out);
  for (let folder = dirname(target); ; folder = dirname(folder)) {
    const there = await stat(folder).catch(() => undefined);
    if (there?.isDirectory()) return target;
    if (there || (await isThere(folder))) {
      throw new UsageError(
        `--out: ${out} cannot be there, since ${folder} is not a folder; give another name`,
      );
    }
    if (folder === dirname(folder)) return target;
  }
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

const isInside = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

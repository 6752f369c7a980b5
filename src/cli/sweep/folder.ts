import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { valuesIn } from '../../pipeline/formats/limits.ts';
import {
  type AnySpec,
  type AnySweep,
  isOfNetworks,
  openAnySweep,
} from '../../pipeline/sweep/any-sweep.ts';
import { type PartPlan, partPlan } from '../../pipeline/sweep/parts.ts';

import { SCHEMA_VERSION } from '../../pipeline/sweep/sweep-columns.ts';
import { loadDataOfAxes } from '../data-file.ts';
import { refuseAddress, UsageError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';

import type { OnRead } from '../reader/job.ts';
import { reading } from '../reader/reading.ts';
import { commitFile, commitNewFile } from './part-file.ts';

/** Paths of a sweep's output folder. */
export interface SweepFolder {
  readonly path: string;
  /** What the folder holds: `sweep.json`. */
  readonly manifest: string;
  /** The Parquet dataset, one row a run. */
  readonly summary: string;
  /** The Hive-partitioned dataset of trajectories. */
  readonly trajectories: string;
  /** Files under way; nothing in it is of use to a reader. */
  readonly partial: string;
  /** There while the sweep is cancelled. */
  readonly cancelled: string;
  /** Versions of the manifest, so that two sweeps that are added at once are both in the next. */
  readonly versions: string;
}

/** A sweep of a folder, and those before it, whose runs it leaves to them. */
export interface FolderSweep {
  /** Identity of the folder: another one with the same sweep has another. */
  readonly folder: string;
  readonly sweep: AnySweep;
  readonly plan: PartPlan;
  readonly earlier: readonly AnySweep[];
}

interface Manifest {
  readonly schema_version: string;
  readonly folder: string;
  readonly sweeps: readonly (AnySpec & {
    readonly id: string;
    readonly runs: number;
    readonly parts: number;
  })[];
}

export function sweepFolder(path: string): SweepFolder {
  return {
    path,
    manifest: join(path, 'sweep.json'),
    summary: join(path, 'summary'),
    trajectories: join(path, 'trajectories'),
    partial: join(path, '.partial'),
    cancelled: join(path, '.cancelled'),
    versions: join(path, '.versions'),
  };
}

/** File name of a part, unique among all sweeps. */
export function partName({ id }: AnySweep, part: number): string {
  return `part-${id}-${String(part).padStart(6, '0')}.parquet`;
}

export function partPath(folder: SweepFolder, sweep: AnySweep, part: number): string {
  return join(folder.summary, partName(sweep, part));
}

/** Trajectory of a run, in the layout that readers know as Hive partitions. */
export function trajectoryPath(folder: SweepFolder, run: string): string {
  return join(folder.trajectories, `run_id=${run}`, 'part-0.parquet');
}

/** A list of a million numbers takes less. */
const LARGEST_MANIFEST = 1 << 26;

/**
 * Values in it, and parts of all its sweeps: each is looked for, and more would not be made in a
 * year.
 */
const MOST_VALUES = 3_000_000;
const MOST_PARTS = 1_000_000;
/** Sweeps of one folder. */
const MOST_SWEEPS = 1000;

/**
 * The sweeps of a folder, oldest first; none where there is no manifest. @throws UsageError for one
 * of another kind
 */
export async function readManifest(
  { manifest }: SweepFolder,
  flag = 'out',
): Promise<readonly FolderSweep[]> {
  if (!(await stat(manifest).catch(absent))) return [];
  const content = await reading().job(`--${flag}: ${manifest}`, manifestJob, flag, manifest);
  for (const { axes } of content.specs) await loadDataOfAxes(axes);
  return placesOf(content);
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}

/** What a manifest says, once it is sure that its sweeps can be opened and looked through. */
export interface ManifestContent {
  readonly folder: string;
  readonly specs: readonly AnySpec[];
}

/** @throws UsageError */
async function parseManifest(read: OnRead, flag: string, path: string): Promise<ManifestContent> {
  const there = await stat(path);
  const small = there.isFile() && there.size <= LARGEST_MANIFEST;
  const text = small ? await readFile(path, 'utf8') : '';
  read(text.length);
  try {
    if (valuesIn(text) > MOST_VALUES) throw new Error('it holds too many values');
    const { folder, sweeps, schema_version: version } = JSON.parse(text) as Manifest;
    if (typeof version === 'string' && version !== SCHEMA_VERSION)
      throw new UsageError(
        `--${flag}: ${path} is of layout ${version}, and this eos reads ${SCHEMA_VERSION}; ` +
          'use the eos that made it, or choose another folder',
      );
    if (!/^[\w-]{1,64}$/.test(folder)) throw new Error('no folder is called so');
    if (sweeps.length > MOST_SWEEPS) throw new Error('no folder has so many');
    const specs = sweeps.map(
      ({ axes, trajectories, ...rest }): AnySpec => ({
        ...(isOfNetworks(rest) ? { model: 'mlp' } : {}),
        axes,
        trajectories,
        ...('optimizer' in rest && rest.optimizer ? { optimizer: rest.optimizer } : {}),
        ...('precision' in rest && rest.precision ? { precision: rest.precision } : {}),
      }),
    );
    const content = { folder, specs };
    const parts = placesOf(content).reduce((sum, { plan }) => sum + plan.count, 0);
    if (parts > MOST_PARTS) {
      throw new UsageError(
        `--${flag}: ${path} tells of ${parts} parts, and at most ${MOST_PARTS} are looked ` +
          'for; choose another folder',
      );
    }
    return content;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(
      `--${flag}: ${path} is damaged or of another program; choose another folder`,
    );
  }
}

export const manifestJob = { name: 'manifest', work: parseManifest } as const;

function placesOf({ folder, specs }: ManifestContent): FolderSweep[] {
  const opened = specs.map(openAnySweep);
  return opened.map((sweep, i) => ({
    folder,
    sweep,
    plan: partPlan(sweep),
    earlier: opened.slice(0, i),
  }));
}

/** The sweeps that a folder holds. @throws UsageError where there is none */
export async function findSweeps(
  path: string,
): Promise<{ readonly folder: SweepFolder; readonly places: readonly FolderSweep[] }> {
  const folder = sweepFolder(path);
  const places = await readManifest(folder);
  if (places.length > 0) return { folder, places };
  throw new UsageError(`--out: ${path} holds no sweep`);
}

function folderSweep(folder: string, spec: AnySpec, earlier: readonly AnySweep[]): FolderSweep {
  const sweep = openAnySweep(spec);
  return { folder, sweep, plan: partPlan(sweep), earlier };
}

/** The place of a sweep in a new folder. */
export function newPlace(spec: AnySpec): FolderSweep {
  return folderSweep(randomUUID(), spec, []);
}

/**
 * The sweep's place in a folder, entered in its manifest where it is new there. A folder of another
 * sweep is taken only where `extend` says so: then the runs that one has are left to it.
 */
export async function claimFolder(
  folder: SweepFolder,
  spec: AnySpec,
  extend: boolean,
): Promise<FolderSweep> {
  await makeFolder(folder.path, 'out');
  const found = await findSweep(folder, spec, extend);
  if (found.entered) {
    await mkdir(folder.summary, { recursive: true });
    return found.place;
  }
  const manifest: Manifest = {
    schema_version: SCHEMA_VERSION,
    folder: found.place.folder,
    sweeps: [...found.before, spec].map((each) => {
      const { sweep, plan } = folderSweep('', each, []);
      return { id: sweep.id, runs: sweep.runs, parts: plan.count, ...each };
    }),
  };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  // First of all: shards that start at the same moment must find a folder of this sweep, or an
  // empty one.
  const entered =
    found.before.length > 0
      ? await addVersion(folder, manifest, text)
      : await commitNewFile(folder, folder.manifest, text);
  if (!entered) return claimFolder(folder, spec, extend);
  await mkdir(folder.summary, { recursive: true });
  return found.place;
}

/**
 * Makes this the next version of the manifest; false where another was sooner. Whoever finds a
 * later version than the one that it has put in place puts that one there, too: so the last one
 * stands there in the end, even if the program that made it was killed.
 */
async function addVersion(folder: SweepFolder, manifest: Manifest, text: string): Promise<boolean> {
  const path = (count: number) =>
    join(folder.versions, `${manifest.folder}-${String(count).padStart(4, '0')}.json`);
  await mkdir(folder.versions, { recursive: true });
  const first = await commitNewFile(folder, path(manifest.sweeps.length), text);
  for (let count = manifest.sweeps.length; ; count++) {
    const version = await readFile(path(count), 'utf8').catch(absent);
    if (version === undefined) return first;
    await commitFile(folder, folder.manifest, version);
  }
}

/** As `claimFolder`, but only looks. */
export async function findSweep(
  folder: SweepFolder,
  spec: AnySpec,
  extend: boolean,
): Promise<{
  readonly place: FolderSweep;
  readonly before: readonly AnySweep['spec'][];
  readonly entered: boolean;
}> {
  await checkFolder(folder.path);
  // Before the manifest: whoever works for this folder writes that first, so that what stands here
  // while there is none is of another program.
  const names = await readdir(folder.path).catch(() => []);
  const there = await readManifest(folder);
  const { id } = openAnySweep(spec);
  const same = there.find(({ sweep }) => sweep.id === id);
  const before = there.map(({ sweep }) => sweep.spec);
  if (same) return { place: same, before, entered: true };
  const other = there.find(({ sweep }) => isOfNetworks(sweep.spec) !== isOfNetworks(spec));
  if (other)
    throw new UsageError(
      `--out: ${folder.path} holds runs of the model ${other.sweep.model}, whose summary has ` +
        'other columns; choose another folder',
    );
  if (there.length > 0 && !extend) {
    throw new UsageError(
      `--out: ${folder.path} holds another sweep ` +
        `(${difference(there.at(-1)!.sweep.spec, spec)}); choose another folder, or add these ` +
        'runs to it with --extend',
    );
  }
  if (there.length === 0 && names.some((name) => !name.startsWith('.'))) {
    throw new UsageError(
      `--out: ${folder.path} is not empty and holds no sweep; choose a new or empty folder`,
    );
  }
  return {
    place: folderSweep(
      there[0]?.folder ?? randomUUID(),
      spec,
      there.map(({ sweep }) => sweep),
    ),
    before,
    entered: false,
  };
}

/** What tells two specs apart, in the words of the flags. */
function difference(theirs: AnySweep['spec'], ours: AnySweep['spec']): string {
  const names = [...new Set([...Object.keys(theirs.axes), ...Object.keys(ours.axes)])];
  const name = names.find((each) => theirs.axes[each] !== ours.axes[each]);
  if (name === undefined)
    return `with trajectories ${theirs.trajectories ?? 'off'}, not ${ours.trajectories ?? 'off'}`;
  return `with --${name} ${shorten(theirs.axes[name])}, not ${shorten(ours.axes[name])}`;
}

function shorten(text = 'unset'): string {
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

async function checkFolder(path: string): Promise<void> {
  refuseAddress('out', path);
  const there = await stat(path).catch(() => undefined);
  if (there && !there.isDirectory())
    throw new UsageError(`--out: ${path} is a file; name a folder`);
  if (there) {
    await access(path, constants.W_OK).catch(() => {
      throw new UsageError(
        `--out: ${path} cannot be written to; choose another folder or change its permissions`,
      );
    });
  }
}

/**
 * Tells whoever works for this folder, on whichever machine, to stop: the folder is what they all
 * see.
 */
export async function markCancelled(folder: SweepFolder): Promise<void> {
  await commitFile(folder, folder.cancelled, '');
}

/** Lets a sweep that was cancelled go on. */
export async function unmarkCancelled(folder: SweepFolder): Promise<void> {
  await rm(folder.cancelled, { force: true });
}

export async function isCancelled(folder: SweepFolder): Promise<boolean> {
  return access(folder.cancelled).then(
    () => true,
    () => false,
  );
}

/** Takes away what dead workers have left under way. Only for a sweep that is whole. */
export async function clearPartials(folder: SweepFolder): Promise<void> {
  await rm(folder.partial, { recursive: true, force: true });
}

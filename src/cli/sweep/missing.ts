import { readdir, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { sweptRunId } from '../../pipeline/sweep/any-sweep.ts';
import { partRange } from '../../pipeline/sweep/parts.ts';
import type { SweptConfig } from '../../pipeline/sweep/sweep.ts';
import { reading } from '../reader/reading.ts';
import {
  type FolderSweep,
  partName,
  partPath,
  type SweepFolder,
  trajectoryPath,
} from './folder.ts';
import { readWholePart } from './part-file.ts';
import { wholeJob } from './read-part.ts';

/** How far a sweep has come. */
export interface SweepState {
  /** Numbers of the parts that are not there or not whole, in order. */
  readonly missing: readonly number[];
  /** Those of them that are there, but damaged. */
  readonly damaged: readonly number[];
}

/**
 * Looks through the parts of a sweep and the trajectories of their runs, every byte of them.
 * @param share [i, n]: only each n-th part from the i-th on
 */
export async function sweepState(
  folder: SweepFolder,
  place: FolderSweep,
  share: readonly [number, number] = [0, 1],
): Promise<SweepState> {
  const { sweep, plan } = place;
  const names = new Set(await readdir(folder.summary).catch(() => []));
  const missing: number[] = [];
  const damaged: number[] = [];
  for (let part = share[0]; part < plan.count; part += share[1]) {
    const path = partPath(folder, sweep, part);
    const there = names.has(basename(path));
    if (there && (await isWhole(folder, place, part))) continue;
    missing.push(part);
    if (there) damaged.push(part);
  }
  return { missing, damaged };
}

/** Whether all parts of a sweep are there by name, and then each of them to the last bit. */
export async function seemsWhole(folder: SweepFolder, place: FolderSweep): Promise<boolean> {
  const names = new Set(await readdir(folder.summary).catch(() => []));
  for (let part = 0; part < place.plan.count; part++)
    if (!names.has(partName(place.sweep, part))) return false;
  return (await sweepState(folder, place)).missing.length === 0;
}

/** Takes damaged parts away: a worker that looks by name must not count them. */
export async function removeParts(
  folder: SweepFolder,
  { sweep }: FolderSweep,
  parts: readonly number[],
): Promise<void> {
  for (const part of parts) await rm(partPath(folder, sweep, part), { force: true });
}

/**
 * Whether a part and the trajectories of its runs are whole, to the last bit as they were written.
 */
export async function isWhole(
  folder: SweepFolder,
  place: FolderSweep,
  part: number,
): Promise<boolean> {
  const { sweep } = place;
  const path = partPath(folder, sweep, part);
  // A checksum over its bytes harms nobody; what is decoded is decoded in a process of its own,
  // which takes longer to start than most sweeps do.
  if (sweep.spec.trajectories === null) return (await readWholePart(path)) !== undefined;
  const trajectories = Array.from(ownRuns(place, part), (config) =>
    trajectoryPath(folder, sweptRunId(config)),
  );
  return reading().job(`--out: ${path}`, wholeJob, path, trajectories);
}

/** Runs of a part that are not left to an earlier sweep of the folder. */
function* ownRuns({ sweep, plan, earlier }: FolderSweep, part: number): Generator<SweptConfig> {
  const [from, to] = partRange(sweep, plan, part);
  for (let i = from; i < to; i++) {
    const config = sweep.config(i);
    if (!earlier.some((other) => other.has(config))) yield config;
  }
}

/** Runs of which it is looked one by one whether an earlier sweep has them. */
const MOST_LOOKED_AT = 2_000_000;

/**
 * Rows that a summary lacks for these parts; of very many, as if no earlier sweep had any of them.
 */
export function rowsIn(place: FolderSweep, parts: readonly number[]): number {
  const runs = runsIn(place, parts);
  const { length } = place.earlier;
  if (length === 0 || runs * length > MOST_LOOKED_AT) return runs;
  let rows = 0;
  for (const part of parts) for (const _ of ownRuns(place, part)) rows++;
  return rows;
}

/** Runs in these parts. */
export function runsIn({ sweep, plan }: FolderSweep, parts: readonly number[]): number {
  return parts.reduce((sum, part) => {
    const [from, to] = partRange(sweep, plan, part);
    return sum + to - from;
  }, 0);
}

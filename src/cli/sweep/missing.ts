import { readdir, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { partRange } from '../../pipeline/sweep/parts.ts';
import { runId } from '../../pipeline/sweep/sweep.ts';
import { runFileMetadata } from '../run-file.ts';
import { type FolderSweep, partPath, type SweepFolder, trajectoryPath } from './folder.ts';
import { isWholePart } from './part-file.ts';

/** How far a sweep has come. */
export interface SweepState {
  /** Numbers of the parts that are not there or not whole, in order. */
  readonly missing: readonly number[];
  /** Those of them that are there, but damaged. */
  readonly damaged: readonly number[];
}

/**
 * Looks through the parts of a sweep, every byte of them, and through its trajectories.
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

/** Takes damaged parts away: a worker that looks by name must not count them. */
export async function removeParts(
  folder: SweepFolder,
  { sweep }: FolderSweep,
  parts: readonly number[],
): Promise<void> {
  for (const part of parts) await rm(partPath(folder, sweep, part), { force: true });
}

/** Whether a part and the trajectories of its runs are whole. */
export async function isWhole(folder: SweepFolder, place: FolderSweep, part: number): Promise<boolean> {
  const { sweep, plan } = place;
  if (!(await isWholePart(partPath(folder, sweep, part)))) return false;
  if (sweep.spec.trajectories === null) return true;
  const [from, to] = partRange(sweep, plan, part);
  for (let i = from; i < to; i++) {
    const config = sweep.config(i);
    if (place.earlier.some((other) => other.has(config))) continue;
    const metadata = await runFileMetadata(trajectoryPath(folder, runId(config)));
    if (metadata?.['eos.summary'] === undefined) return false;
  }
  return true;
}

/** Runs in these parts. */
export function runsIn({ sweep, plan }: FolderSweep, parts: readonly number[]): number {
  return parts.reduce((sum, part) => {
    const [from, to] = partRange(sweep, plan, part);
    return sum + to - from;
  }, 0);
}

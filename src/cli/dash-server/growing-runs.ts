import { lstat } from 'node:fs/promises';
import { LOCK, refuseIfLocked } from '../../pipeline/node/lock.ts';
import type { SharedRun } from './shared-runs.ts';

/** Paths of the runs that are still being written: those under `.partial`, unless who wrote them is no more. */
export async function growingRuns(runs: readonly SharedRun[]): Promise<ReadonlySet<string>> {
  const states = await Promise.all(
    runs.map(async ({ path, file }) => ((await isWritten(file)) ? [path] : [])),
  );
  return new Set(states.flat());
}

async function isWritten(file: string): Promise<boolean> {
  if ((await exists(file)) || !(await exists(`${file}.partial`))) return false;
  // Not every writer locks its file; one that has, and is gone, has left it.
  if (!(await exists(file + LOCK))) return true;
  return refuseIfLocked(file).then(
    () => false,
    () => true,
  );
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

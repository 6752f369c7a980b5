import { lstat } from 'node:fs/promises';
import { basename } from 'node:path';
import { reading } from '../reader/reading.ts';
import { partName, readManifest, sweepFolder } from '../sweep/folder.ts';
import { rowsIn } from '../sweep/missing.ts';
import { wholeJob } from '../sweep/read-part.ts';
import type { SharedFile, SharedSweep } from './shared-runs.ts';

/**
 * What has been found out of files, by what they were then: a page that looks again costs no
 * reading.
 */
const known = new Map<string, { readonly state: string; readonly whole: Promise<boolean> }>();

/**
 * Sweeps as a page should draw them: without their damaged parts, and with the number of the runs
 * that they lack.
 */
export function checkedSweeps(sweeps: readonly SharedSweep[]): Promise<SharedSweep[]> {
  return Promise.all(sweeps.map(checkedSweep));
}

async function checkedSweep(sweep: SharedSweep): Promise<SharedSweep> {
  const parts: SharedFile[] = [];
  // One after the other: all at once could fill the memory.
  for (const part of sweep.parts) if (await isWhole(part.file)) parts.push(part);
  const damaged = sweep.parts.length - parts.length;
  return { ...sweep, parts, damaged, missing: await missingRuns(sweep.folder, parts) };
}

async function isWhole(file: string): Promise<boolean> {
  const there = await lstat(file, { bigint: true }).catch(() => undefined);
  if (!there?.isFile()) return false;
  const state = [there.dev, there.ino, there.size, there.mtimeNs].join(' ');
  const before = known.get(file);
  if (before?.state === state) return before.whole;
  const whole = reading()
    .job(file, wholeJob, file, null)
    .catch(() => false);
  known.set(file, { state, whole });
  return whole;
}

/** Runs that are in none of these parts; undefined where the manifest does not tell. */
async function missingRuns(
  folder: string,
  parts: readonly SharedFile[],
): Promise<number | undefined> {
  const names = new Set(parts.map(({ file }) => basename(file)));
  try {
    const places = await readManifest(sweepFolder(folder));
    return places.reduce((sum, place) => {
      const lacking = Array.from({ length: place.plan.count }, (_, i) => i).filter(
        (part) => !names.has(partName(place.sweep, part)),
      );
      return sum + rowsIn(place, lacking);
    }, 0);
  } catch {
    return undefined;
  }
}

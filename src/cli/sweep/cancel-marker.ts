import { access, rm } from 'node:fs/promises';
import type { SweepFolder } from './folder.ts';
import { commitFile } from './part-file.ts';

/** Tells whoever works for this folder, on whichever machine, to stop: the folder is what they all see. */
export async function setMarker(folder: SweepFolder): Promise<void> {
  await commitFile(folder, folder.cancelled, '');
}

export async function removeMarker(folder: SweepFolder): Promise<void> {
  await rm(folder.cancelled, { force: true });
}

export async function isCancelled(folder: SweepFolder): Promise<boolean> {
  return access(folder.cancelled).then(
    () => true,
    () => false,
  );
}

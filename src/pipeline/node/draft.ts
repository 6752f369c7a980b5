import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FileLock, LockedError, lockFile } from './lock.ts';

/** What stands in the name of a draft behind that of the file or folder it is to become. */
const DRAFT = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.partial$/;

/** Milliseconds between two looks at whether it is our turn, and how many there are. */
const PAUSE = 50;
const TURNS = 200;

/**
 * Makes a file or folder that can be made again under a name of its own, hidden beside `path`,
 * until `make` has renamed it; nothing else remains of it. Only one process at a time makes the
 * same; what one that died has left is cleared away.
 *
 * @param turns how often to ask for the lock before another process that has it is an error
 * @throws LockedError where another process is at it
 */
export async function withDraft<T>(
  path: string,
  make: (draft: string) => Promise<T>,
  turns = 1,
): Promise<T> {
  const lock = await lockIn(path, turns);
  const folder = dirname(resolve(path));
  const start = `.${basename(path)}.`;
  const draft = join(folder, `${start}${randomUUID()}.partial`);
  const clear = (name: string) => rm(join(folder, name), { recursive: true, force: true });
  try {
    for (const name of await readdir(folder))
      if (name.startsWith(start) && DRAFT.test(name.slice(start.length))) await clear(name);
    return await make(draft);
  } finally {
    await clear(basename(draft));
    await lock.release();
  }
}

/** The same for what is made in a moment: waits for its turn. */
export const withDraftInTurn = <T>(path: string, make: (draft: string) => Promise<T>): Promise<T> =>
  withDraft(path, make, TURNS);

async function lockIn(path: string, turns: number): Promise<FileLock> {
  try {
    return await lockFile(path);
  } catch (error) {
    if (!(error instanceof LockedError) || turns <= 1) throw error;
    await sleep(PAUSE);
    return lockIn(path, turns - 1);
  }
}

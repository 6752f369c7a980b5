import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { lockFile } from './lock.ts';

/** What stands in the name of a draft behind that of the file or folder it is to become. */
const DRAFT = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.partial$/;

/**
 * Makes a file or folder that can be made again under a name of its own, hidden beside `path`,
 * until `make` has renamed it; nothing else remains of it. Only one process at a time makes the
 * same; what one that died has left is cleared away.
 *
 * @throws LockedError where another process is at it
 */
export async function withDraft<T>(path: string, make: (draft: string) => Promise<T>): Promise<T> {
  const lock = await lockFile(path);
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

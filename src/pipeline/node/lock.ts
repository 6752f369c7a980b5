import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { holdByKernel, isHeldByKernel } from './kernel-lock.ts';
import { type Holder, mayLive, ourselves, parseHolder, whereabouts } from './lock-holder.ts';

/** Ending of the name of the lock of an output file. */
export const LOCK = '.lock';

/** Another process writes this file. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
  readonly pid: number | null;

  constructor(message: string, pid: number | null) {
    super(message);
    this.pid = pid;
  }
}

/** The lock of a file, held by this process. */
export interface FileLock {
  /** Makes sure that nobody has taken the lock away. @throws LockedError where somebody has */
  check(): Promise<void>;
  /** Gives the lock back, where it still is ours. */
  release(): Promise<void>;
}

const ATTEMPTS = 50;
/**
 * Milliseconds after which a lock that says nothing was cut off, rather than being about to be
 * written.
 */
const YOUNG = 1000;
const PAUSE = 50;
const SAME_NAME = 'another machine of this name, or this one before it was last started';

/**
 * Makes this process the only one that writes `path`, by a file beside it, which the kernel locks
 * as well where it can. The lock of a process that is certainly no more is taken over; of what
 * cannot be known it is taken that it lives.
 *
 * @throws LockedError naming the process that has it
 */
export async function lockFile(path: string): Promise<FileLock> {
  const lock = path + LOCK;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const handle = (await create(lock)) ?? (await takeOver(path));
    if (!handle) continue;
    await sweepLitter(lock);
    return held(path, handle);
  }
  throw new LockedError(`${path} is being taken by another process; try again`, null);
}

/**
 * Makes sure that nobody writes a file, without taking it. @throws LockedError naming the process
 * that has it
 */
export async function refuseIfLocked(path: string): Promise<void> {
  const seen = await look(path, path + LOCK);
  if (seen) await refuseIfAlive(path, seen);
}

function held(path: string, handle: FileHandle): FileLock {
  const isOurs = async () => {
    // As long as ours is open, no other file can have its number.
    const [own, there] = [await handle.stat(), await lstat(path + LOCK).catch(absent)];
    return there?.ino === own.ino && there.dev === own.dev;
  };
  return {
    async check() {
      if (await isOurs()) return;
      throw new LockedError(
        `${path}${LOCK} has been taken away, so that ${path} is no longer this process's to ` +
          'write; what was flushed before is safe',
        null,
      );
    },
    async release() {
      if (handle.fd < 0) return;
      if (await isOurs()) await rm(path + LOCK, { force: true });
      await handle.close();
    },
  };
}

/**
 * Puts our lock in the place of a dead one. Only who has a file named after the dead lock may do
 * so, and only while the dead lock stands there. Should its owner die as well, the same holds for
 * that file.
 *
 * @returns our lock; undefined where the dead one has gone, or was not dead
 * @throws LockedError naming the process that has the lock, or is taking it
 */
async function takeOver(path: string): Promise<FileHandle | undefined> {
  const lock = path + LOCK;
  const claims: string[] = [];
  const dead = await look(path, lock);
  let above = dead;
  let claim: FileHandle | undefined;
  let file: string;
  do {
    if (!above) return undefined;
    await refuseIfAlive(path, above);
    if (!above.holder && above.age < YOUNG) {
      await sleep(PAUSE);
      return undefined;
    }
    file = `${lock}.${idOf(above)}.claim`;
    claims.push(file);
    claim = await create(file);
    if (!claim) above = await look(path, file);
  } while (!claim);
  try {
    if ((await look(path, lock))?.text !== dead?.text) return undefined;
    const { draft, handle } = await writeDraft(lock);
    await rename(draft, lock);
    // Claims before ours were those of the dead.
    for (const old of claims.slice(0, -1)) await rm(old, { force: true });
    return handle;
  } finally {
    await rm(file, { force: true });
    await claim.close();
  }
}

function idOf({ text, holder }: Seen): string {
  // A token is somebody's word; a name made of it must not lead elsewhere.
  return createHash('sha256')
    .update(holder?.token || text)
    .digest('hex')
    .slice(0, 32);
}

/** A lock of our own, where none stands. It is open, and the kernel lets go of it when we die. */
async function create(file: string): Promise<FileHandle | undefined> {
  // Written beside and linked into place: a lock is never seen half-written, nor without the
  // kernel's.
  const { draft, handle } = await writeDraft(file);
  try {
    await link(draft, file);
    return handle;
  } catch (error) {
    await handle.close();
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    return await createDirectly(file);
  } finally {
    await rm(draft, { force: true });
  }
}

async function writeDraft(file: string): Promise<{ draft: string; handle: FileHandle }> {
  const draft = `${file}.${randomUUID()}`;
  try {
    return { draft, handle: await signed(await open(draft, 'wx')) };
  } catch (error) {
    // Of a full disk.
    await rm(draft, { force: true });
    throw error;
  }
}

async function signed(handle: FileHandle): Promise<FileHandle> {
  try {
    await handle.writeFile(`${JSON.stringify(await ourselves(holdByKernel(handle)))}\n`);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** For file systems without links. */
async function createDirectly(file: string): Promise<FileHandle | undefined> {
  try {
    return await signed(await open(file, 'wx'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
}

/** What a lock file says, and what the kernel says of it. */
interface Seen {
  readonly file: string;
  readonly text: string;
  readonly holder: Holder | undefined;
  readonly held: boolean | undefined;
  /** Milliseconds since it was written. */
  readonly age: number;
}

const absent = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error;
};

/**
 * A lock file as it is now; undefined where there is none. @throws LockedError where it is closed
 * to us
 */
async function look(path: string, file: string): Promise<Seen | undefined> {
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(file, flags).catch(absent);
    if (!handle) return undefined;
    try {
      const text = await handle.readFile('utf8');
      const { mtimeMs } = await handle.stat();
      const held = isHeldByKernel(handle);
      return { file, text, holder: parseHolder(text), held, age: Date.now() - mtimeMs };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new LockedError(
      `${path} may be being written by another user: ${file} cannot be read ` +
        `(${(error as NodeJS.ErrnoException).code}); if nobody writes it, remove that file`,
      null,
    );
  }
}

async function refuseIfAlive(path: string, { file, holder, held }: Seen): Promise<void> {
  if (!holder) {
    if (!held) return;
    throw new LockedError(`${path} is being written by another process; wait for it`, null);
  }
  if (!(await mayLive(holder, held))) return;
  const { pid, host } = holder;
  const where = await whereabouts(holder);
  const what = `${path} is being written by process ${pid}`;
  if (where === 'here') throw new LockedError(`${what}; wait for it, or give another name`, pid);
  const unnamed =
    where === 'another machine' ? ` on ${host} (${SAME_NAME})` : ' of another container';
  const whose = host === hostname() ? unnamed : ` on ${host}`;
  throw new LockedError(`${what}${whose}; if that is no more, remove ${file}`, pid);
}

const LITTER = /^(?:[0-9a-f]{32}\.claim(?:\.[0-9a-f-]{36})?|[0-9a-f-]{36})$/;
/** Milliseconds after which a draft that says nothing has been left. */
const OLD = 60_000;

/** Takes away what processes that were killed while they took the lock have left. */
async function sweepLitter(lock: string): Promise<void> {
  const folder = dirname(lock);
  const prefix = `${basename(lock)}.`;
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(prefix) || !LITTER.test(name.slice(prefix.length))) continue;
    const seen = await look(lock, join(folder, name)).catch(() => undefined);
    if (!seen) continue;
    const { file, holder, held, age } = seen;
    if (holder ? !(await mayLive(holder, held)) : age > OLD) await rm(file, { force: true });
  }
}

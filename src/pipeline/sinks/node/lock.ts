import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';

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

/** Who holds a lock. `started` and `boot` tell a process from a later one with the same number. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly started: string | null;
  readonly boot: string | null;
  readonly token: string;
}

/**
 * Makes this process the only one that writes `path`, by a file beside it. The lock of a process that is no more is
 * taken over.
 *
 * @returns gives the lock back
 * @throws LockedError naming the process that has it
 */
export async function lockFile(path: string): Promise<() => Promise<void>> {
  const lock = path + LOCK;
  const mine: Holder = {
    pid: process.pid,
    host: hostname(),
    started: await startOf(process.pid),
    boot: await bootId(),
    token: randomUUID(),
  };
  const text = `${JSON.stringify(mine)}\n`;
  for (let attempt = 0; attempt < 5; attempt++) {
    if (await create(lock, text)) {
      // Who took a lock over a moment ago may have moved ours away; only what stands there now counts.
      if ((await contentOf(lock)) !== text) continue;
      return async () => {
        if ((await contentOf(lock)) === text) await rm(lock, { force: true });
      };
    }
    const found = await contentOf(lock);
    if (found === undefined) continue;
    await refuseIfAlive(path, lock, found, mine);
    await moveAway(lock, found);
  }
  throw new LockedError(`${path} is being taken by another process; try again`, null);
}

/** Makes sure that nobody writes a file, without taking it. @throws LockedError naming the process that has it */
export async function refuseIfLocked(path: string): Promise<void> {
  const lock = path + LOCK;
  const found = await contentOf(lock);
  if (found !== undefined) await refuseIfAlive(path, lock, found, { host: hostname(), boot: await bootId() });
}

async function create(lock: string, text: string): Promise<boolean> {
  // Written beside and linked into place: a lock is never seen half-written.
  const draft = `${lock}.${randomUUID()}`;
  const file = await open(draft, 'wx');
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
  try {
    await link(draft, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    return await createDirectly(lock, text);
  } finally {
    await rm(draft, { force: true });
  }
}

/** For file systems without links. */
async function createDirectly(lock: string, text: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx');
    await file.writeFile(text).finally(() => file.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function contentOf(lock: string): Promise<string | undefined> {
  try {
    return await readFile(lock, 'utf8');
  } catch {
    return undefined;
  }
}

async function refuseIfAlive(
  path: string,
  lock: string,
  found: string,
  mine: Pick<Holder, 'host' | 'boot'>,
): Promise<void> {
  const holder = parseHolder(found);
  // A lock that says nothing was cut off when its machine died: nobody can hold it.
  if (!holder) return;
  const { pid, host } = holder;
  if (host !== mine.host) {
    throw new LockedError(
      `${path} is being written by process ${pid} on ${host}; if that is no more, remove ${lock}`,
      pid,
    );
  }
  if (holder.boot !== mine.boot) return;
  if (!isRunning(pid)) return;
  if (holder.started !== null && holder.started !== (await startOf(pid))) return;
  throw new LockedError(`${path} is being written by process ${pid}; wait for it, or give another name`, pid);
}

/** Takes a dead lock out of the way; where another process was quicker, its lock stays. */
async function moveAway(lock: string, found: string): Promise<void> {
  const aside = `${lock}.${randomUUID()}`;
  try {
    await rename(lock, aside);
  } catch {
    return;
  }
  if ((await contentOf(aside)) !== found) await link(aside, lock).catch(() => {});
  await rm(aside, { force: true });
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder> | null;
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, host, started = null, boot = null, token = '' } = value;
    if (!Number.isSafeInteger(pid) || pid! <= 0 || typeof host !== 'string') return undefined;
    return { pid: pid!, host, started, boot, token };
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process was started, in ticks since the machine was; null where the system does not say, or it is no more. */
async function startOf(pid: number): Promise<string | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may hold anything; the fields behind it are numbers.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie writes nothing any more.
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

async function bootId(): Promise<string | null> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    return null;
  }
}

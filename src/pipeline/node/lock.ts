import { createHash, randomUUID } from 'node:crypto';
import { link, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Holder, isAlive, ourselves, parseHolder } from './lock-holder.ts';

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

const ATTEMPTS = 50;
/** Milliseconds after which a lock that says nothing was cut off, rather than being about to be written. */
const YOUNG = 1000;
const PAUSE = 50;

/**
 * Makes this process the only one that writes `path`, by a file beside it. The lock of a process that is no more is
 * taken over.
 *
 * @returns gives the lock back
 * @throws LockedError naming the process that has it
 */
export async function lockFile(path: string): Promise<() => Promise<void>> {
  const lock = path + LOCK;
  const text = `${JSON.stringify(await ourselves())}\n`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if ((await create(lock, text)) || (await takeOver(path, text))) {
      await sweepLitter(lock);
      return async () => {
        if ((await contentOf(lock)) === text) await rm(lock, { force: true });
      };
    }
  }
  throw new LockedError(`${path} is being taken by another process; try again`, null);
}

/** Makes sure that nobody writes a file, without taking it. @throws LockedError naming the process that has it */
export async function refuseIfLocked(path: string): Promise<void> {
  const holder = parseHolder((await contentOf(path + LOCK)) ?? '');
  if (holder) await refuseIfAlive(path, holder);
}

/**
 * Puts our lock in the place of a dead one. Only who has a file named after the dead lock may do so, and only while the
 * dead lock stands there. Should its owner die as well, the same holds for that file.
 *
 * @returns false where the dead lock has gone, or was not dead; true where the lock is ours
 * @throws LockedError naming the process that has the lock, or is taking it
 */
async function takeOver(path: string, text: string): Promise<boolean> {
  const lock = path + LOCK;
  const claims: string[] = [];
  const dead = await contentOf(lock);
  let above = dead;
  let file = lock;
  for (;;) {
    if (above === undefined) return false;
    const holder = parseHolder(above);
    if (holder) await refuseIfAlive(path, holder);
    else if (await isYoung(file)) {
      await sleep(PAUSE);
      return false;
    }
    file = `${lock}.${idOf(above, holder)}.claim`;
    claims.push(file);
    if (await create(file, text)) break;
    above = await contentOf(file);
  }
  try {
    if ((await contentOf(lock)) !== dead) return false;
    const draft = await writeDraft(lock, text);
    await rename(draft, lock);
    // Claims before ours were those of the dead.
    for (const claim of claims.slice(0, -1)) await rm(claim, { force: true });
    return true;
  } finally {
    await rm(file, { force: true });
  }
}

function idOf(text: string, holder: Holder | undefined): string {
  // A token is somebody's word; a name made of it must not lead elsewhere.
  return createHash('sha256')
    .update(holder?.token || text)
    .digest('hex')
    .slice(0, 32);
}

async function isYoung(file: string): Promise<boolean> {
  const there = await stat(file).catch(() => undefined);
  return there !== undefined && Date.now() - there.mtimeMs < YOUNG;
}

async function create(file: string, text: string): Promise<boolean> {
  // Written beside and linked into place: a lock is never seen half-written.
  const draft = await writeDraft(file, text);
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    return await createDirectly(file, text);
  } finally {
    await rm(draft, { force: true });
  }
}

async function writeDraft(file: string, text: string): Promise<string> {
  const draft = `${file}.${randomUUID()}`;
  const handle = await open(draft, 'wx');
  await handle.writeFile(text).finally(() => handle.close());
  return draft;
}

/** For file systems without links. */
async function createDirectly(file: string, text: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(text).finally(() => handle.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function contentOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return undefined;
  }
}

async function refuseIfAlive(path: string, holder: Holder): Promise<void> {
  if (!(await isAlive(holder))) return;
  const { pid, host } = holder;
  const what = `${path} is being written by process ${pid}`;
  throw new LockedError(
    host === hostname()
      ? `${what}; wait for it, or give another name`
      : `${what} on ${host}; if that is no more, remove ${path}${LOCK}`,
    pid,
  );
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
    const file = join(folder, name);
    const holder = parseHolder((await contentOf(file)) ?? '');
    const age = Date.now() - ((await stat(file).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (holder ? !(await isAlive(holder)) : age > OLD) await rm(file, { force: true });
  }
}

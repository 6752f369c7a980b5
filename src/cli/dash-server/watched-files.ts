import { type FSWatcher, watch } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { basename } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PARTIAL } from '../../pipeline/node/file-target.ts';
import { JOURNAL } from '../../pipeline/node/journal.ts';
import { LOCK, refuseIfLocked } from '../../pipeline/node/lock.ts';
import { checkedSweeps } from './checked-sweeps.ts';
import { type Growing, type Listing, listShared, runList, type SharedFile } from './shared-runs.ts';
import type { Snapshots } from './snapshots.ts';

/** What pages are told of the shared files. */
export interface News {
  /** Another number where files have come or gone, or a finished one has changed. */
  readonly list: number;
  /** The runs that are not finished, by their paths. */
  readonly growing: Readonly<Record<string, Growing>>;
}

/** The shared files: listed once, and again only when something has changed. */
export interface WatchedFiles {
  /** The file that is shared under a path. */
  find(path: string): Promise<SharedFile | undefined>;
  /** `runs.json`. */
  list(): Promise<string>;
  /** Tells what there is, and again whenever that changes. @returns ends it */
  follow(tell: (news: News) => void): () => void;
  close(): void;
}

/**
 * Milliseconds from one look to the next: where the system tells of changes, and without its word
 * (as on network drives).
 */
const [SOON, SELDOM] = [50, 1000];
/** After so many milliseconds pages are told again, so that they know that the server is there. */
const REPEATED = 2000;
/**
 * A folder that was listed within so many milliseconds of its last change may have changed again in
 * the same tick.
 */
const TICK = 50;

interface Folder {
  readonly watcher: FSWatcher | undefined;
  /** Which folder it is, and when it was changed last. */
  id: string;
  changed: string;
  listedAt: number;
  /**
   * What the system has told since: of shared files, or of others alone, such as the journals of
   * flushes.
   */
  told: 'nothing' | 'others' | 'shared';
}

const SHARED = /^(?:sweep\.json|summary|.*\.(?:parquet|arrow)(?:\.partial)?)$/;

export function watchedFiles(located: readonly string[], states: Snapshots): WatchedFiles {
  const named = new Set(located.map((path) => basename(path)));
  const folders = new Map<string, Folder>();
  const followers = new Set<(news: News) => void>();
  let listing: Listing | undefined;
  let paths: ReadonlyMap<string, SharedFile> = new Map();
  // No other server, in the place of this one, may go on with the same numbers.
  let generation = Date.now();
  let checking: Promise<unknown> = Promise.resolve();
  let waiting: Promise<Listing> | undefined;
  let news: News | undefined;
  let toldAt = 0;
  let soon: NodeJS.Timeout | undefined;
  let seldom: NodeJS.Timeout | undefined;
  let looking = false;
  let lookedAt = 0;
  /** Something was told while a look was under way, which may have missed it. */
  let again = false;

  function watched(path: string): FSWatcher | undefined {
    try {
      const watcher = watch(path, { persistent: false }, (event, name) => {
        const folder = folders.get(path);
        if (!folder) return;
        const shared =
          name === null ||
          named.has(name) ||
          (SHARED.test(name) && !(event === 'change' && name.endsWith(PARTIAL)));
        if (shared) folder.told = 'shared';
        else if (folder.told === 'nothing') folder.told = 'others';
        if (followers.size > 0) soon ??= setTimeout(look, lookedAt + SOON - Date.now());
      });
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return undefined;
    }
  }

  /** The listing, made anew where anything may have changed since. */
  function current(): Promise<Listing> {
    // A check that is under way may have missed what has just changed.
    waiting ??= checking
      .catch(() => {})
      .then(() => {
        waiting = undefined;
        const check = isFresh().then((fresh) => (fresh && listing ? listing : relist()));
        checking = check;
        return check;
      });
    return waiting;
  }

  async function isFresh(): Promise<boolean> {
    for (const [path, folder] of folders) {
      if (folder.told === 'shared') return false;
      const { id, changed, at } = await timesOf(path);
      if (id !== folder.id) return false;
      if (changed !== folder.changed) {
        // What the system has to tell of this change comes before the next turn of the loop.
        await nextTurn();
        if (folder.told !== 'others') return false;
        folder.told = 'nothing';
        folder.changed = changed;
      } else if (!folder.watcher && folder.listedAt - at < TICK) return false;
    }
    return listing !== undefined;
  }

  async function relist(): Promise<Listing> {
    let wanted = [...folders.keys()];
    for (;;) {
      for (const path of wanted) await renew(path);
      listing = await listShared(located);
      const missing = listing.folders.filter((path) => !folders.has(path));
      if (missing.length === 0) break;
      wanted = missing;
    }
    for (const [path, { watcher }] of folders) {
      if (listing.folders.includes(path)) continue;
      watcher?.close();
      folders.delete(path);
    }
    const { runs, sweeps } = listing;
    const files = [
      ...runs.flatMap((run) => [run, ...Object.values(run.companions)]),
      ...sweeps.flatMap(({ parts }) => parts),
    ];
    paths = new Map(files.map((file) => [file.path, file]));
    generation++;
    return listing;
  }

  /** Watches a folder from now on; one that has come anew in its place, anew. */
  async function renew(path: string): Promise<void> {
    const { id, changed } = await timesOf(path);
    const before = folders.get(path);
    const same = before?.watcher !== undefined && before.id === id;
    if (!same) before?.watcher?.close();
    const watcher = same ? before.watcher : watched(path);
    folders.set(path, { watcher, id, changed, listedAt: Date.now(), told: 'nothing' });
  }

  async function growingOf({ runs }: Listing, now: boolean): Promise<ReadonlyMap<string, Growing>> {
    const growing = new Map<string, Growing>();
    for (const { path, file, unfinished } of runs) {
      if (!unfinished) continue;
      const state = await states.newest(file, now);
      growing.set(path, {
        writing: await isWritten(file),
        ...(state ? { etag: state.etag, size: state.size } : {}),
      });
    }
    return growing;
  }

  async function look(): Promise<void> {
    clearTimeout(soon);
    soon = undefined;
    again = looking;
    if (looking) return;
    looking = true;
    // A folder may vanish, or be closed to us, while it is listed.
    await tellNews().catch(() => {});
    looking = false;
    lookedAt = Date.now();
    if (again) await look();
  }

  async function tellNews(): Promise<void> {
    const growing = Object.fromEntries(await growingOf(await current(), true));
    const next: News = { list: generation, growing };
    const repeated = Date.now() - toldAt >= REPEATED;
    if (!repeated && JSON.stringify(next) === JSON.stringify(news)) return;
    toldAt = Date.now();
    news = next;
    for (const tell of followers) tell(next);
  }

  return {
    async find(path) {
      await current();
      return paths.get(path);
    },
    async list() {
      const { runs, sweeps } = await current();
      const growing = await growingOf({ runs, sweeps, folders: [] }, false);
      return runList(runs, await checkedSweeps(sweeps), true, growing);
    },
    follow(tell) {
      followers.add(tell);
      seldom ??= setInterval(look, SELDOM);
      if (news) tell(news);
      void look();
      return () => {
        followers.delete(tell);
        if (followers.size > 0) return;
        clearInterval(seldom);
        clearTimeout(soon);
        seldom = undefined;
        soon = undefined;
        news = undefined;
      };
    },
    close() {
      clearInterval(seldom);
      clearTimeout(soon);
      followers.clear();
      for (const { watcher } of folders.values()) watcher?.close();
      folders.clear();
    },
  };
}

async function timesOf(path: string): Promise<{ id: string; changed: string; at: number }> {
  const there = await lstat(path, { bigint: true }).catch(() => undefined);
  if (!there) return { id: '', changed: '', at: 0 };
  const { dev, ino, mode, mtimeNs, mtimeMs } = there;
  return { id: `${dev} ${ino} ${mode}`, changed: String(mtimeNs), at: Number(mtimeMs) };
}

/** Whether the program that writes an unfinished run may still be there. */
async function isWritten(file: string): Promise<boolean> {
  const exists = (path: string) =>
    lstat(path).then(
      () => true,
      () => false,
    );
  // Not every writer locks its file; one that has, and is gone, has left it.
  if (!(await exists(file + LOCK))) return !(await exists(file + PARTIAL + JOURNAL));
  return refuseIfLocked(file).then(
    () => false,
    () => true,
  );
}

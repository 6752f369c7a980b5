import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { deltaOf } from '../../pipeline/node/delta.ts';
import { PARTIAL } from '../../pipeline/node/file-target.ts';
import { JOURNAL, readJournal } from '../../pipeline/node/journal.ts';
import { LOCK } from '../../pipeline/node/lock.ts';

/** What tells the states of a file from each other. */
export interface Tag {
  /** Strong: equal tags mean equal bytes. */
  readonly etag: string;
  readonly size: number;
}

/** A state of a file that can be sent whole, however the file goes on, until it is closed. */
export interface Version extends Tag {
  /** The bytes from `start` to `end`, inclusive. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
  /** What is new in all that stands from `start` on since an earlier state, where it is little. */
  since?(etag: string, start: number): Uint8Array | undefined;
  close(): Promise<void>;
}

/**
 * The states of files: of a whole file what stands there, of one that grows what its writer has
 * flushed.
 */
export interface Snapshots {
  /**
   * The newest state, or an earlier one that is still kept and is chosen among those; undefined
   * where there is no such file, or nothing of it has been flushed.
   */
  open(
    file: string,
    choose?: (kept: readonly Tag[]) => Tag | undefined,
  ): Promise<Version | undefined>;
  /**
   * What tells the newest state from others, for those who may read it: that of now, or with `now`
   * false that of a moment ago.
   */
  newest(file: string, now?: boolean): Promise<Tag | undefined>;
  close(): Promise<void>;
}

/**
 * Milliseconds for which a replaced state can be sent after it was read last: readers need several
 * requests. One that nobody has read yet is only waited for by those who were told of it.
 */
const KEPT = 10_000;
const UNREAD = 1500;
/** Bytes of memory for the ends of all states that are kept. */
const BUDGET = 128 * 1024 * 1024;
/** Milliseconds after which the newest state goes too, where nobody has asked for the file. */
const FORGOTTEN = 60_000;
/** Milliseconds from one state of a file to the next, at least. */
const PAUSE = 50;

interface State extends Tag {
  /** What stands before `offset` in the file is never written over; `closing` makes it whole. */
  readonly file: SharedHandle;
  readonly offset: number;
  readonly closing: Uint8Array;
  readonly release: () => Promise<void>;
  /** When another took its place, or since then somebody read it. */
  replaced: number;
  read: boolean;
}

interface Growth {
  readonly states: readonly State[];
  /** Tells whether the journal has changed since. */
  readonly journal: string;
  readonly lookedAt: number;
}

export function snapshots(): Snapshots {
  const growing = new Map<string, Growth>();
  const looking = new Map<string, Promise<State | 'plain' | undefined>>();
  const timer = setInterval(() => void expire(), KEPT / 2);
  timer.unref();

  /** The last flush of a file; 'plain' where no journal tells of flushes. */
  function lastFlush(file: string): Promise<State | 'plain' | undefined> {
    const under = looking.get(file);
    if (under) return under;
    const look = readFlush(file).finally(() => looking.delete(file));
    looking.set(file, look);
    return look;
  }

  async function readFlush(file: string): Promise<State | 'plain' | undefined> {
    const partial = file + PARTIAL;
    const before = growing.get(file);
    const newest = before?.states.at(-1);
    if (newest && pauseOf(before) > 0) return newest;
    const now = Date.now();
    const opened = await openPlain(partial);
    if (!opened) return undefined;
    const same = newest?.file.id === idOf(opened.stats) ? newest.file : undefined;
    const shared = same ?? shareHandle(opened.handle, idOf(opened.stats));
    const release = shared.take();
    if (same) await opened.handle.close();
    try {
      const journal = await lstat(partial + JOURNAL, { bigint: true }).then(stateOf, () => '');
      if (journal === '') return (await exists(file + LOCK)) ? undefined : 'plain';
      if (same && journal === before?.journal) {
        growing.set(file, { ...before, lookedAt: now });
        return newest;
      }
      const flush = (await readJournal(partial + JOURNAL))?.flush;
      // Another may have begun anew meanwhile: then the journal would be of another file.
      const there = await lstat(partial, { bigint: true }).catch(() => undefined);
      const whole =
        there && idOf(there) === shared.id && Number(there.size) >= (flush?.offset ?? 0);
      if (!flush || !whole) return undefined;
      const state = stateAt(shared, flush.offset, flush.closing);
      if (same && state.etag === newest?.etag) {
        await state.release();
        growing.set(file, { ...before!, journal, lookedAt: now });
        return newest;
      }
      if (newest) newest.replaced = now;
      growing.set(file, { states: [...(before?.states ?? []), state], journal, lookedAt: now });
      await expire();
      return state;
    } finally {
      await release();
    }
  }

  /**
   * Forgets states that nobody should need any more, and of the others the oldest where they take
   * too much memory.
   */
  async function expire(): Promise<void> {
    const gone = new Set<State>();
    for (const { states, lookedAt } of growing.values()) {
      const newest = states.at(-1);
      if (newest && lookedAt < Date.now() - FORGOTTEN)
        newest.replaced = Math.min(newest.replaced, lookedAt);
    }
    const all = [...growing.values()].flatMap(({ states }) => states);
    let bytes = all.reduce((sum, { closing }) => sum + closing.length, 0);
    for (const state of all.sort((a, b) => (neededUntil(a) < neededUntil(b) ? -1 : 1))) {
      const needed = neededUntil(state) > Date.now();
      if (needed && (bytes <= BUDGET || state.replaced === NEVER)) break;
      gone.add(state);
      bytes -= state.closing.length;
    }
    for (const [file, growth] of growing) {
      const states = growth.states.filter((state) => !gone.has(state));
      if (states.length > 0) growing.set(file, { ...growth, states });
      else growing.delete(file);
    }
    for (const { release } of gone) await release();
  }

  async function newestOf(file: string): Promise<State | Version | undefined> {
    const whole = await plainVersion(file);
    if (whole) {
      const last = growing.get(file)?.states.at(-1);
      if (last) last.replaced = Math.min(last.replaced, Date.now());
      return whole;
    }
    const state = await lastFlush(file);
    if (state === 'plain') return plainVersion(file + PARTIAL);
    // It may have got its name meanwhile.
    return state ?? plainVersion(file);
  }

  return {
    async open(file, choose) {
      const kept = growing.get(file)?.states ?? [];
      const chosen = choose?.(kept);
      const earlier = kept.find((state) => state === chosen);
      const state = earlier ?? (await newestOf(file));
      return state && 'closing' in state ? versionOf(state, kept) : state;
    },
    async newest(file, now = false) {
      const pause = now ? pauseOf(growing.get(file)) : 0;
      // Else what has just been flushed would be told with the next flush alone.
      if (pause > 0) await sleep(pause);
      const state = await newestOf(file);
      if (state && 'close' in state) await state.close();
      return state;
    },
    async close() {
      clearInterval(timer);
      const all = [...growing.values()].flatMap(({ states }) => states);
      growing.clear();
      for (const { release } of all) await release();
    },
  };
}

/** Milliseconds until a file may be looked at again: the larger its states are, the more seldom. */
function pauseOf(growth: Growth | undefined): number {
  const newest = growth?.states.at(-1);
  if (!growth || !newest) return 0;
  const pause = Math.max(PAUSE, (2 * UNREAD * newest.closing.length) / BUDGET);
  return growth.lookedAt + pause - Date.now();
}

const NEVER = Number.POSITIVE_INFINITY;

const neededUntil = ({ replaced, read }: State): number => replaced + (read ? KEPT : UNREAD);

function stateAt(file: SharedHandle, offset: number, closing: Uint8Array): State {
  const digest = createHash('sha256').update(closing).digest('base64url').slice(0, 22);
  return {
    etag: `"${file.id}-${offset.toString(36)}-${digest}"`,
    size: offset + closing.length,
    ...{ file, offset, closing },
    release: file.take(),
    replaced: NEVER,
    read: false,
  };
}

function versionOf(state: State, kept: readonly State[]): Version {
  const { etag, size, file, offset, closing } = state;
  const release = file.take();
  state.read = true;
  return {
    ...{ etag, size },
    read: (start, end) => pieces(file, offset, closing, start, end),
    since(tag, start) {
      const before = kept.find((each) => each.etag === tag);
      if (start !== offset || before?.file !== file || before.offset !== offset) return undefined;
      const delta = deltaOf(before.closing, closing);
      return 2 * delta.length < closing.length ? delta : undefined;
    },
    async close() {
      // A slow reader is not through with it yet.
      if (state.replaced !== NEVER) state.replaced = Date.now();
      await release();
    },
  };
}

async function* pieces(
  { handle }: SharedHandle,
  offset: number,
  closing: Uint8Array,
  start: number,
  end: number,
): AsyncIterable<Uint8Array> {
  if (start < offset) yield* fileBytes(handle, start, Math.min(end, offset - 1));
  if (end >= offset) yield closing.subarray(Math.max(0, start - offset), end + 1 - offset);
}

/** Bytes of an open file that others may read at the same time. */
async function* fileBytes(
  handle: FileHandle,
  start: number,
  end: number,
): AsyncIterable<Uint8Array> {
  for (let at = start; at <= end; ) {
    const length = Math.min(PIECE, end + 1 - at);
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, at);
    if (bytesRead === 0) throw new Error('the file is shorter than it was');
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

const PIECE = 64 * 1024;

/** A file as it stands there. */
async function plainVersion(path: string): Promise<Version | undefined> {
  const opened = await openPlain(path);
  if (!opened) return undefined;
  const { handle, stats } = opened;
  return {
    etag: `"${stateOf(stats)}"`,
    size: Number(stats.size),
    read: (start, end) => fileBytes(handle, start, end),
    close: () => handle.close(),
  };
}

/** An open file, closed once nobody needs it any more. */
interface SharedHandle {
  readonly handle: FileHandle;
  readonly id: string;
  /** @returns lets go of it again */
  take(): () => Promise<void>;
}

function shareHandle(handle: FileHandle, id: string): SharedHandle {
  let users = 0;
  return {
    handle,
    id,
    take() {
      users++;
      let taken = true;
      return async () => {
        if (!taken) return;
        taken = false;
        if (--users === 0) await handle.close();
      };
    },
  };
}

/** Opens a file that stands at this very path, with no link in any part of it, and is no pipe. */
async function openPlain(
  path: string,
): Promise<{ handle: FileHandle; stats: BigIntStats } | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(path, flags).catch(() => undefined);
  if (!handle) return undefined;
  try {
    const stats = await handle.stat({ bigint: true });
    const there = await lstat(path, { bigint: true });
    if (stats.isFile() && idOf(stats) === idOf(there) && (await realpath(path)) === path)
      return { handle, stats };
  } catch {
    // It has gone meanwhile.
  }
  await handle.close();
  return undefined;
}

const idOf = ({ dev, ino }: BigIntStats): string => `${dev.toString(36)}-${ino.toString(36)}`;

const stateOf = (stats: BigIntStats): string =>
  [idOf(stats), stats.size.toString(36), stats.mtimeNs.toString(36)].join('-');

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

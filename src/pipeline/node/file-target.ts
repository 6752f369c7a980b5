import { constants } from 'node:fs';
import { copyFile, type FileHandle, lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ByteTarget } from '../formats/byte-target.ts';
import { JOURNAL, openJournal, syncFolder } from './journal.ts';
import { type FileLock, lockFile } from './lock.ts';
import { writeAll } from './write-all.ts';

/** A file that cannot be written as it was asked for: says what is in the way, and what to do. */
export class FileRefusedError extends Error {
  override readonly name = 'FileRefusedError';
}

const NOT_OURS = 'is in the way and was not written by eos; remove it, or give another name';

/** Ending of the name under which a file is written until it is whole. */
export const PARTIAL = '.partial';

/**
 * Bytes up to which a file is closed in place at every flush, and how much of more may be missing
 * in it meanwhile.
 */
const SMALL_CLOSING = 1 << 15;
const STALE_CLOSING = 1 / 8;

export interface FileTarget extends ByteTarget {
  flush(closing: Uint8Array): Promise<void>;
  /** Takes the lock and opens the file; `write` does it where nobody has. */
  open(): Promise<void>;
}

export interface FileTargetOptions {
  /** Go on behind the first `end` bytes of what is there already instead of beginning anew. */
  readonly from?: {
    readonly end: number;
    /** Where the bytes are: the partial file itself, or the file of a run that was stopped. */
    readonly in: 'partial' | 'whole';
  };
  /** The lock of the file, where it has been taken already. */
  readonly lock?: FileLock | undefined;
}

/**
 * A file that appears under its name only when it is whole: written beside it under the name +
 * `.partial`, flushed to the disk, then renamed over whatever stood there. Only one process at a
 * time can write it. A journal beside the partial file keeps what was flushed; see
 * docs/durability.md.
 *
 * @throws LockedError where another process is writing it
 */
export function fileTarget(
  path: string,
  { from, lock: given }: FileTargetOptions = {},
): FileTarget {
  const partial = path + PARTIAL;
  const check = async () => lock?.check();
  const journal = openJournal(partial + JOURNAL, from?.in === 'partial', check);
  let lock = given;
  let handle: Promise<FileHandle> | undefined;
  let position = from?.end ?? 0;
  /** Calls of `write` so far. */
  let writes = 0;
  /** Settles once the closing bytes of a flush stand in the file itself. */
  let closingWritten: Promise<void> = Promise.resolve();
  /** Whether anything stands behind `position` in the file. */
  let trailing = from !== undefined;
  let closed = false;
  /** The closing bytes that stand in the file. */
  let inPlace = { offset: -1, length: 0 };
  /**
   * Whether the file is closed anew: it costs as much as all rows that have not filled their row
   * group yet.
   */
  const isDue = (offset: number, length: number) =>
    offset !== inPlace.offset ||
    length <= SMALL_CLOSING ||
    length > inPlace.length * (1 + STALE_CLOSING);

  const start = async () => {
    lock ??= await lockFile(path);
    try {
      await refuseForeign(partial);
      if (from?.in === 'partial') return await open(partial, EXISTING);
      await journal.remove();
      // A new file: who wrote the old one, and does not know yet that it is no longer theirs, does
      // not write into ours.
      await rm(partial, { force: true });
      if (!from) return await open(partial, 'wx');
      await copyFile(path, partial, constants.COPYFILE_EXCL);
      return await open(partial, EXISTING);
    } catch (error) {
      await lock.release();
      lock = undefined;
      throw named(error, path);
    }
  };
  const opened = () => {
    handle ??= start();
    return handle;
  };
  const close = async () => {
    closed = true;
    const file = await handle?.catch(() => undefined);
    await closingWritten;
    await journal.close();
    await file?.close().catch(() => {});
    return file !== undefined;
  };

  return {
    async open() {
      await opened();
    },
    async write(bytes, footer) {
      writes++;
      const file = await opened();
      await closingWritten;
      await check();
      // The old end goes first: it must not be taken for that of the new bytes.
      try {
        if (trailing) await file.truncate(position);
        trailing = false;
        await writeAll(file, bytes, position);
        if (footer) await journal.group(position, bytes, footer);
      } catch (error) {
        throw named(error, path);
      }
      position += bytes.length;
    },
    async flush(closing) {
      const offset = position;
      const before = writes;
      // The journal is told at once, since row groups may be written while the disk takes its time.
      const synced = opened().then((file) => file.datasync());
      try {
        await journal.flush(offset, closing, synced);
      } catch (error) {
        throw named(error, path);
      }
      const file = await opened();
      // Readers that know nothing of the journal shall be able to open the growing file, where it
      // has not grown since.
      if (writes !== before || closed || !isDue(offset, closing.length)) return;
      inPlace = { offset, length: closing.length };
      trailing = true;
      closingWritten = closeInPlace(file, offset, closing);
      await closingWritten;
    },
    async commit() {
      const file = await opened();
      await closingWritten;
      await check();
      await file.truncate(position);
      await file.sync();
      await journal.close();
      await file.close();
      await check();
      await rename(partial, path);
      await journal.remove();
      await syncFolder(dirname(path));
      await lock?.release();
    },
    async abort() {
      const begun = await close();
      const ours = await check().then(
        () => true,
        () => false,
      );
      if (begun && ours && !journal.used) {
        await rm(partial, { force: true });
        await journal.remove();
      }
      await lock?.release();
    },
  };
}

/** A file that is there, and no link to another. */
const EXISTING = constants.O_RDWR | constants.O_NOFOLLOW;

/**
 * Refuses what stands in the place of a partial file, and was not left by a writer of run files.
 */
async function refuseForeign(partial: string): Promise<void> {
  const there = await lstat(partial).catch(() => undefined);
  if (!there) return;
  if (!there.isFile()) throw new FileRefusedError(`${partial} ${NOT_OURS}`);
  const file = await open(partial, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0);
    // After a power cut zeros may stand there.
    const head = buffer.toString('latin1', 0, bytesRead).replace(/\0+$/, '');
    if (!['PAR1', 'ARROW1'].some((magic) => head.startsWith(magic) || magic.startsWith(head)))
      throw new FileRefusedError(`${partial} ${NOT_OURS}`);
  } finally {
    await file.close();
  }
}

/** Errors of open files do not say which; this one does. */
function named(error: unknown, path: string): unknown {
  return error instanceof Error && 'code' in error && !('path' in error)
    ? Object.assign(error, { path })
    : error;
}

/**
 * Writes what closes the file behind its row groups. It is a courtesy: where it fails, nothing is
 * lost.
 */
async function closeInPlace(file: FileHandle, offset: number, closing: Uint8Array): Promise<void> {
  try {
    await file.truncate(offset);
    await writeAll(file, closing, offset);
  } catch {
    await file.truncate(offset).catch(() => {});
  }
}

/** Opens all of these before anything is computed, or none. */
export async function openTargets(targets: readonly FileTarget[]): Promise<readonly FileTarget[]> {
  try {
    for (const target of targets) await target.open();
    return targets;
  } catch (error) {
    for (const target of targets) await target.abort();
    throw error;
  }
}

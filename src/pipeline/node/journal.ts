import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { patched } from '../formats/patched.ts';
import { crc32 } from '../formats/platform.ts';
import { deltaOf } from './delta.ts';
import { writeAll } from './write-all.ts';

/** Ending of the name of a partial file's journal. */
export const JOURNAL = '.journal';
/** Ending of a journal that is to take the place of the one before it. */
const FRESH = '.new';

/**
 * The journal beside a partial file says what in that file can be trusted. It begins with a flush,
 * if there was one: everything before `offset` is final and on the disk, and with `closing` behind
 * it the file is whole. Then comes one record for each further flush at the same offset, with what
 * is new in its closing bytes alone, and one for each row group that has been written since, with
 * what a footer says of it.
 */
export interface JournalContent {
  readonly flush: { readonly offset: number; readonly closing: Uint8Array } | undefined;
  readonly groups: readonly JournalGroup[];
}

export interface JournalGroup {
  readonly offset: number;
  readonly length: number;
  /** CRC-32 of the group's bytes in the file. */
  readonly checksum: number;
  readonly footer: Uint8Array;
}

export interface Journal {
  /** Notes a row group that has been written. */
  group(offset: number, bytes: Uint8Array, footer: Uint8Array): Promise<void>;
  /**
   * Replaces all that stands in the journal, once `settled` has, and resolves once it would outlive
   * the machine. Groups from `offset` on stay.
   */
  flush(offset: number, closing: Uint8Array, settled: Promise<unknown>): Promise<void>;
  /** Whether anything is in it that could be recovered. */
  readonly used: boolean;
  close(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * The journal of a file. A flush is written to a file of its own, which is then renamed over the
 * old one: there is a whole journal at any moment. One that only adds rows to the one before is
 * appended to it, so that few rows cost few bytes however many have not filled their row group yet.
 * Row groups may be noted, and further flushes asked for, while one is under way.
 *
 * @param check throws where the file has become another's: nothing is changed then
 */
export function openJournal(
  path: string,
  used = false,
  check: () => Promise<void> = async () => {},
): Journal {
  const fresh = path + FRESH;
  let current: FileHandle | undefined;
  /** Records that no flush has made needless yet, in the order of the file. */
  let noted: { readonly offset: number; readonly record: Uint8Array }[] = [];
  /** The last flush, and the bytes of those that were appended since a whole one. */
  let last: { readonly offset: number; readonly closing: Uint8Array } | undefined;
  let appended = 0;

  /** One change of the journal after the other, and one flush after the other. */
  const inTurn = queue();
  const oneFlush = queue();

  async function replace(offset: number, closing: Uint8Array, settled: Promise<unknown>) {
    let next: FileHandle | undefined;
    try {
      await settled;
      await check();
      await rm(fresh, { force: true });
      const file = await open(fresh, 'wx');
      next = file;
      await writeAll(file, encodeHeader(FLUSH, offset, 0, 0, closing));
      await writeAll(file, closing);
      await file.datasync();
      await inTurn(async () => {
        const later = noted.filter((group) => group.offset >= offset);
        for (const { record } of later) await writeAll(file, record);
        await check();
        await rename(fresh, path);
        await current?.close();
        current = file;
        noted = later;
        used = true;
      });
      last = { offset, closing };
      appended = 0;
    } catch (error) {
      await next?.close().catch(() => {});
      if (next) await rm(fresh, { force: true }).catch(() => {});
      throw error;
    }
    await syncFolder(dirname(path));
  }

  /** Appends what is new in a flush; false where it is better written whole. */
  async function append(offset: number, closing: Uint8Array, settled: Promise<unknown>) {
    if (last?.offset !== offset || !current) return false;
    const delta = deltaOf(last.closing, closing);
    if (2 * (appended + delta.length) > closing.length) return false;
    const record = encodeRecord(DELTA, offset, closing.length, crc32(closing), delta);
    // Only a flush that has failed leaves none to go on from.
    last = undefined;
    await settled;
    const file = current;
    await inTurn(async () => {
      await check();
      await writeAll(file, record);
      await file.datasync();
    });
    last = { offset, closing };
    appended += record.length;
    return true;
  }

  return {
    get used() {
      return used;
    },
    group(offset, bytes, footer) {
      const record = encodeRecord(GROUP, offset, bytes.length, crc32(bytes), footer);
      return inTurn(async () => {
        current ??= await open(path, APPEND);
        await writeAll(current, record);
        noted.push({ offset, record });
        used = true;
      });
    },
    flush(offset, closing, settled) {
      // It may fail before its turn comes.
      settled.catch(() => {});
      return oneFlush(async () => {
        if (!(await append(offset, closing, settled))) await replace(offset, closing, settled);
      });
    },
    async close() {
      await inTurn(async () => {});
      await current?.close().catch(() => {});
      current = undefined;
    },
    async remove() {
      await rm(path, { force: true });
      await rm(fresh, { force: true });
    },
  };
}

/** Runs tasks one after the other, whether or not one fails. */
function queue(): (task: () => Promise<void>) => Promise<void> {
  let turn: Promise<void> = Promise.resolve();
  return (task) => {
    const result = turn.then(task);
    turn = result.catch(() => {});
    return result;
  };
}

/**
 * Bytes of a journal that are read: it holds the rows that have not filled their row group yet, and
 * footers.
 */
const LARGEST = 1 << 28;

/** What a journal says; undefined where there is none. A record that was cut off ends it. */
export async function readJournal(path: string): Promise<JournalContent | undefined> {
  const bytes = await plainBytes(path).catch(() => undefined);
  if (!bytes) return undefined;
  let flush: JournalContent['flush'];
  let checksum: number | undefined;
  const deltas: Uint8Array[] = [];
  const groups: JournalGroup[] = [];
  let at = 0;
  for (;;) {
    const record = decodeRecord(bytes, at);
    if (!record) break;
    const { kind, offset, length, payload } = record;
    if (kind === FLUSH && at === 0) flush = { offset, closing: payload };
    else if (kind === DELTA) {
      if (flush?.offset !== offset) break;
      deltas.push(payload);
      checksum = record.checksum;
    } else if (kind === GROUP)
      groups.push({ offset, length, checksum: record.checksum, footer: payload });
    at += HEADER + payload.length;
  }
  if (flush && checksum !== undefined) {
    const closing = madeOf(flush.closing, deltas);
    if (closing && crc32(closing) === checksum) flush = { offset: flush.offset, closing };
  }
  return flush || groups.length > 0 ? { flush, groups } : undefined;
}

/**
 * The bytes of a file, and of nothing else: a pipe in its place would be waited for without end.
 */
async function plainBytes(path: string): Promise<Buffer | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags);
  try {
    const there = await file.stat();
    return there.isFile() && there.size <= LARGEST ? await file.readFile() : undefined;
  } finally {
    await file.close();
  }
}

function madeOf(before: Uint8Array, deltas: readonly Uint8Array[]): Uint8Array | undefined {
  try {
    return patched(before, deltas);
  } catch {
    // Whoever wrote them was not us: the flush that they came after stands.
    return undefined;
  }
}

/** Makes renames in a folder survive a power cut, where the system lets us. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    await folder.sync().finally(() => folder.close());
  } catch {
    // Windows cannot open folders; the rename is as safe as it gets there.
  }
}

/** A link in the place of the journal leads to a file of somebody else. */
const APPEND = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;

const MAGIC = 0x4a534f45;
const FLUSH = 1;
const GROUP = 2;
const DELTA = 3;
/**
 * magic, kind, offset, length, checksum of the data, length of the payload, checksum of all this
 * and the payload
 */
const HEADER = 36;

function encodeRecord(
  kind: number,
  offset: number,
  length: number,
  checksum: number,
  payload: Uint8Array,
): Uint8Array {
  return Buffer.concat([encodeHeader(kind, offset, length, checksum, payload), payload]);
}

/** What stands in a record before its payload, which may be large: a flush does not copy it. */
function encodeHeader(
  kind: number,
  offset: number,
  length: number,
  checksum: number,
  payload: Uint8Array,
): Uint8Array {
  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(kind, 4);
  header.writeBigUInt64LE(BigInt(offset), 8);
  header.writeBigUInt64LE(BigInt(length), 16);
  header.writeUInt32LE(checksum, 24);
  header.writeUInt32LE(payload.length, 28);
  header.writeUInt32LE(crc32(payload, crc32(header.subarray(0, 32))), 32);
  return header;
}

function decodeRecord(bytes: Buffer, at: number) {
  if (at + HEADER > bytes.length || bytes.readUInt32LE(at) !== MAGIC) return undefined;
  const size = bytes.readUInt32LE(at + 28);
  if (at + HEADER + size > bytes.length) return undefined;
  const payload = bytes.subarray(at + HEADER, at + HEADER + size);
  if (crc32(payload, crc32(bytes.subarray(at, at + 32))) !== bytes.readUInt32LE(at + 32))
    return undefined;
  return {
    kind: bytes.readUInt32LE(at + 4),
    offset: Number(bytes.readBigUInt64LE(at + 8)),
    length: Number(bytes.readBigUInt64LE(at + 16)),
    checksum: bytes.readUInt32LE(at + 24),
    payload: new Uint8Array(payload.buffer, payload.byteOffset, payload.length),
  };
}

/** Takes away the journals of a partial file that is no more, or no longer needed. */
export async function removeJournals(partial: string): Promise<void> {
  await rm(partial + JOURNAL, { force: true });
  await rm(partial + JOURNAL + FRESH, { force: true });
}

import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { constants, createGunzip } from 'node:zlib';
import type { LogInput } from '../sources/training-log/feed.ts';
import { LogError } from '../sources/training-log/log-error.ts';
import { pathSource } from './path-source.ts';

export interface OpenLogOptions {
  /** Go on when the end of the file is reached, as it grows, is truncated or is replaced. */
  readonly follow?: boolean;
  /** Ends the following. */
  readonly signal?: AbortSignal;
  /** Ends the following once all that is there has been read: the writer has ended. */
  readonly until?: AbortSignal;
  /** Told once where a followed file does not exist yet. */
  readonly onWait?: () => void;
}

/** Milliseconds between two looks at a file that is followed. */
const LOOK = 40;
const CHUNK = 1 << 18;
/** Bytes that any gzip file may unpack to, and how many times its size a larger one may. */
const LEAST_BOMB = 1 << 25;
const DENSEST = 200;
const NEWLINE = new Uint8Array([10]);

/**
 * Opens a log: a file by its name, a folder of TensorBoard's event files, or standard input for
 * `-`. Gzip is unpacked.
 * @throws LogError where there is no such file
 */
export async function openLog(path: string, options: OpenLogOptions = {}): Promise<LogInput> {
  if (path === '-') return { name: 'stdin', chunks: unzipped(process.stdin) };
  const isFolder = async () => (await stat(path).catch(() => undefined))?.isDirectory();
  if (options.follow && (await isFolder()))
    throw new LogError('a folder cannot be followed; leave out --follow, and repeat the command');
  if (options.follow) return { name: path, chunks: followed(path, options), growing: true };
  const file = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new LogError(error.code === 'ENOENT' ? 'there is no such file' : error.message);
  });
  if (file.isDirectory()) return openFolder(path);
  const chunks = unzipped(createReadStream(path, { highWaterMark: CHUNK }));
  return file.isFile()
    ? { name: path, chunks, random: await pathSource(path) }
    : { name: path, chunks };
}

/**
 * The event files of TensorBoard in a folder, as one run, with those in the folders of
 * `add_scalars`; of a folder with one folder of them, those.
 */
async function openFolder(path: string): Promise<LogInput> {
  const here = await eventFiles(path);
  const inner = await readdir(path, { withFileTypes: true });
  const folders = inner.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name));
  if (here.length > 0) {
    const groups = await Promise.all(
      folders.sort().map(async (folder) => {
        const files = (await eventFiles(folder)).map((file) => openLog(file));
        return (await Promise.all(files)).map((file) => ({ ...file, group: basename(folder) }));
      }),
    );
    const [first, ...others] = await Promise.all(here.map((file) => openLog(file)));
    return { ...first!, name: path, others: [...others, ...groups.flat()] };
  }
  const runs: string[] = [];
  for (const folder of folders) if ((await eventFiles(folder)).length > 0) runs.push(folder);
  if (runs.length === 1) return openFolder(runs[0]!);
  throw new LogError(
    runs.length > 1
      ? `this is a folder of several runs; name one of them: ${runs.slice(0, 10).join(', ')}`
      : 'this is a folder without event files of TensorBoard; name a log in it',
  );
}

/** Oldest first, as their names have the time. */
async function eventFiles(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.includes('.tfevents.')).sort();
  return names.map((name) => join(folder, name));
}

async function* unzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    const first = await iterator.next();
    if (first.done) return;
    const rest = prefixed(first.value, iterator);
    if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
      yield* rest;
      return;
    }
    // A stream that was cut off gives what there is, and then its last line is cut.
    const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH, chunkSize: CHUNK });
    try {
      let bytes = 0;
      for await (const chunk of Readable.from(rest).pipe(gunzip) as AsyncIterable<Uint8Array>) {
        bytes += chunk.length;
        if (bytes > LEAST_BOMB && bytes > gunzip.bytesWritten * DENSEST) {
          throw new LogError(
            `it unpacks to more than ${DENSEST} times its size, which no log does`,
          );
        }
        yield chunk;
      }
    } catch (error) {
      if (error instanceof LogError) throw error;
      throw new LogError(
        `the gzip stream is damaged (${error instanceof Error ? error.message : error})`,
      );
    }
  } finally {
    await iterator.return?.();
  }
}

async function* prefixed(
  first: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield first;
  for (;;) {
    const { value, done } = await iterator.next();
    if (done) return;
    yield value;
  }
}

/**
 * The bytes of a file as it grows. Where it is truncated it is read from its start again, and where
 * another file takes its name, that one; a line that was begun then ends there.
 */
async function* followed(
  path: string,
  { signal, until, onWait }: OpenLogOptions,
): AsyncGenerator<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await opened(path, either(signal, until), onWait);
    let at = 0;
    let inode = (await file?.stat())?.ino;
    /**
     * Another file has the name already, and what came to this one before that is still to be read.
     */
    let replaced = false;
    while (file && !signal?.aborted) {
      // Asked before the look: what was written before the end is read after it.
      const over = until?.aborted === true;
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, at);
      if (bytesRead > 0) {
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
        continue;
      }
      const { size } = await file.stat();
      const named = await stat(path).catch(() => undefined);
      if (size < at) {
        at = 0;
        yield NEWLINE;
      } else if (named && named.ino !== inode && !replaced) {
        replaced = true;
      } else if (replaced) {
        replaced = false;
        await file.close();
        file = await opened(path, signal);
        inode = (await file?.stat())?.ino;
        at = 0;
        yield NEWLINE;
      } else if (over) {
        return;
      } else {
        await pause(signal);
      }
    }
  } finally {
    await file?.close();
  }
}

async function opened(
  path: string,
  signal?: AbortSignal,
  onWait?: () => void,
): Promise<FileHandle | undefined> {
  for (let waited = false; ; waited = true) {
    // Asked before the look: what was made before the end is found after it.
    const over = signal?.aborted === true;
    try {
      return await open(path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      if (over) return undefined;
      if (!waited) onWait?.();
      await pause(signal);
    }
  }
}

function either(one?: AbortSignal, other?: AbortSignal): AbortSignal | undefined {
  return one && other ? AbortSignal.any([one, other]) : (one ?? other);
}

async function pause(signal?: AbortSignal): Promise<void> {
  await sleep(LOOK, undefined, signal ? { signal } : {}).catch(() => {});
}

import { constants } from 'node:fs';
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { contentType } from './page-files.ts';
import type { SharedFile } from './shared-runs.ts';

export interface ByteRange {
  readonly start: number;
  /** Inclusive, as in HTTP. */
  readonly end: number;
}

/**
 * The one range that a Range header asks for: undefined where there is none, or several (then the whole file is
 * sent), and 'unsatisfiable' where it lies outside the file.
 */
export function parseRange(
  header: string | undefined,
  size: number,
): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const [, first = '', last = ''] = match;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start <= end && start < size && (first !== '' || Number(last) > 0)
    ? { start, end }
    : 'unsatisfiable';
}

/** Opens a shared file, or while it is still being written its `.partial`; never through a link, nor a pipe. */
async function openShared(file: string): Promise<FileHandle | undefined> {
  for (const path of [file, `${file}.partial`]) {
    const handle = await open(
      path,
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    ).catch(() => undefined);
    if (!handle) continue;
    if ((await handle.stat()).isFile() && (await standsAt(handle, path).catch(() => false)))
      return handle;
    await handle.close();
  }
  return undefined;
}

/** Whether an open file is the one of that very path, with no link in any part of it. */
async function standsAt(handle: FileHandle, path: string): Promise<boolean> {
  const [own, there] = [await handle.stat(), await lstat(path)];
  return own.dev === there.dev && own.ino === there.ino && (await realpath(path)) === path;
}

/** Answers GET and HEAD for a file, whole or one range of it; false where there is no such file. */
export async function sendFile(
  { path, file }: SharedFile,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const handle = await openShared(file);
  if (!handle) return false;
  try {
    const { size, mtimeMs, ino } = await handle.stat();
    const etag = `"${ino.toString(36)}-${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`;
    const range = parseRange(request.headers.range, size);
    response.setHeader('Accept-Ranges', 'bytes');
    response.setHeader('Content-Type', contentType(path));
    response.setHeader('ETag', etag);
    response.setHeader('Cache-Control', 'no-cache');
    if (range === 'unsatisfiable') {
      response.writeHead(416, { 'Content-Range': `bytes */${size}`, 'Content-Length': 0 }).end();
      return true;
    }
    const { start, end } = range ?? { start: 0, end: size - 1 };
    response.writeHead(range ? 206 : 200, {
      'Content-Length': end - start + 1,
      ...(range ? { 'Content-Range': `bytes ${start}-${end}/${size}` } : {}),
    });
    if (request.method === 'HEAD' || size === 0) response.end();
    else await pipeline(handle.createReadStream({ start, end, autoClose: false }), response);
    return true;
  } finally {
    await handle.close();
  }
}

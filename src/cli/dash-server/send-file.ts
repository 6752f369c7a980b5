import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { contentType } from './page-files.ts';
import type { SharedFile } from './shared-runs.ts';
import type { Snapshots, Tag, Version } from './snapshots.ts';

export interface ByteRange {
  readonly start: number;
  /** Inclusive, as in HTTP. */
  readonly end: number;
}

/**
 * The one range that a Range header asks for: undefined where there is none, or several (then the
 * whole file is sent), and 'unsatisfiable' where it lies outside the file.
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

/** Milliseconds for which a connection goes on with the state of a file that it was given. */
const PINNED = 30_000;

/** What a connection was given last of a file, for readers that send ranges without conditions. */
const pinned = new WeakMap<Socket, Map<string, { readonly etag: string; readonly at: number }>>();

/** Which of the earlier states a request is about; undefined where it is the newest. */
function chosen(request: IncomingMessage, path: string, kept: readonly Tag[]): Tag | undefined {
  const { range, 'if-match': match, 'if-range': ifRange } = request.headers;
  const named = match ?? ifRange;
  if (typeof named === 'string') return kept.find(({ etag }) => tags(named).includes(etag));
  if (range === undefined) return undefined;
  // A range that ends where a state does is of the footer of that one.
  const end = /^bytes=\d+-(\d+)$/.exec(range)?.[1];
  const byEnd = kept.findLast(({ size }) => size - 1 === Number(end));
  if (byEnd) return byEnd;
  const pin = pinned.get(request.socket)?.get(path);
  if (!pin || Date.now() - pin.at > PINNED) return undefined;
  return kept.find(({ etag }) => etag === pin.etag);
}

const tags = (header: string): readonly string[] => header.split(',').map((tag) => tag.trim());

const matches = (header: string, etag: string): boolean =>
  header.trim() === '*' || tags(header).includes(etag);

/**
 * How a reader says, as RFC 3229 has it, that of a range up to the end it takes what `patched`
 * makes it of, together with what it has of the state in `If-None-Match`.
 */
const DELTA = 'eos-delta';

/** Answers GET and HEAD for a file, whole or one range of it; false where there is no such file. */
export async function sendFile(
  { path, file }: SharedFile,
  states: Snapshots,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const version = await states.open(file, (kept) => chosen(request, path, kept));
  if (!version) return false;
  try {
    const pins = pinned.get(request.socket) ?? new Map();
    pinned.set(request.socket, pins.set(path, { etag: version.etag, at: Date.now() }));
    await sendVersion(path, version, request, response);
    return true;
  } finally {
    await version.close();
  }
}

async function sendVersion(
  path: string,
  { etag, size, read, since }: Version,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const {
    range: header,
    'if-match': match,
    'if-none-match': none,
    'if-range': ifRange,
    'a-im': manipulation,
  } = request.headers;
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('Content-Type', contentType(path));
  response.setHeader('ETag', etag);
  response.setHeader('Cache-Control', 'no-cache');
  if (match !== undefined && !matches(match, etag)) {
    response.writeHead(412, { 'Content-Length': 0 }).end();
    return;
  }
  const isDelta = manipulation === DELTA && none !== undefined;
  // Here weak tags compare equal, as HTTP has it.
  if (none !== undefined && matches(none.replaceAll('W/"', '"'), etag)) {
    response.writeHead(304).end();
    return;
  }
  const range =
    typeof ifRange === 'string' && ifRange.trim() !== etag ? undefined : parseRange(header, size);
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'Content-Range': `bytes */${size}`, 'Content-Length': 0 }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  const delta = isDelta && end === size - 1 ? since?.(none, start) : undefined;
  if (delta) {
    response.writeHead(226, { IM: DELTA, 'Content-Length': delta.length });
    response.end(request.method === 'HEAD' ? undefined : delta);
    return;
  }
  response.writeHead(range ? 206 : 200, {
    'Content-Length': end - start + 1,
    ...(range ? { 'Content-Range': `bytes ${start}-${end}/${size}` } : {}),
  });
  if (request.method === 'HEAD' || size === 0) response.end();
  else await pipeline(read(start, end), response);
}

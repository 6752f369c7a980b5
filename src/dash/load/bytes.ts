import { patched } from '../../pipeline/formats/patched.ts';
import { ChangedFileError, RunFileError } from './table.ts';

/**
 * Where a file comes from: a link, a file that the reader dropped on the page, or bytes inside the
 * page.
 */
export type FileOrigin =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'blob'; readonly blob: Blob }
  | { readonly kind: 'bytes'; readonly bytes: ArrayBuffer };

/** Random access to a file's bytes. */
export interface ByteSource {
  readonly byteLength: number;
  /** Differs from the last one where the file has changed. */
  readonly version: string;
  /** @throws ChangedFileError where the file is no longer that of this version */
  slice(start: number, end?: number): Promise<ArrayBuffer>;
  /** What was read last of all that it ends with, in this state or an earlier one. */
  readonly ending?: () => Ending | undefined;
}

/** The end of a file of a server, from `start` on, in one of its states. */
export interface Ending {
  readonly etag: string;
  readonly start: number;
  readonly bytes: ArrayBuffer;
}

export type OnBytes = (bytes: number) => void;

/** A state of a file on a server. */
export interface FileState {
  readonly etag: string;
  readonly size: number;
}

/**
 * Opens a file for random access: a link by HTTP range requests (or at one go from servers that
 * know no ranges). All that is read is of one state of the file.
 *
 * @param known the state to read, where it is known already
 * @param before the end of an earlier state: of a server that can, only what is new is fetched
 * @throws RunFileError where the link leads nowhere
 */
export function openBytes(
  origin: FileOrigin,
  onBytes: OnBytes = () => {},
  known?: FileState,
  before?: Ending,
): Promise<ByteSource> {
  if (origin.kind === 'url') return openUrl(origin.url, onBytes, known, before);
  if (origin.kind === 'bytes') return Promise.resolve(bufferSource(origin.bytes));
  const { blob } = origin;
  const version = `${blob.size}:${blob instanceof File ? blob.lastModified : 0}`;
  return Promise.resolve({
    byteLength: blob.size,
    version,
    async slice(start, end = blob.size) {
      const bytes = await blob.slice(start, end).arrayBuffer();
      onBytes(bytes.byteLength);
      return bytes;
    },
  });
}

function bufferSource(bytes: ArrayBuffer): ByteSource {
  return {
    byteLength: bytes.byteLength,
    version: String(bytes.byteLength),
    slice: async (start, end) => bytes.slice(start, end),
  };
}

function request(url: string, init: RequestInit): Promise<Response> {
  return reached(fetch(url, { cache: 'no-store', ...init }));
}

/** The body of an answer, whose connection may break while it comes. */
const bodyOf = (response: Response): Promise<ArrayBuffer> => reached(response.arrayBuffer());

async function reached<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch {
    throw new RunFileError(
      'the link cannot be reached (server down, or another host than this page: only files ' +
        'beside the page are read)',
    );
  }
}

function problem(status: number): RunFileError {
  if (status === 404) return new RunFileError('there is no such file on the server (404)');
  return new RunFileError(`the server refused the file (${status})`);
}

/** The part of an end from `start` on, which may be that of a row group begun meanwhile. */
function from({ etag, start: first, bytes }: Ending, start: number): Ending | undefined {
  if (start < first || start > first + bytes.byteLength) return undefined;
  return { etag, start, bytes: start === first ? bytes : bytes.slice(start - first) };
}

/** What tells our server that a delta will do. */
const DELTA = 'eos-delta';

async function openUrl(
  url: string,
  onBytes: OnBytes,
  known?: FileState,
  before?: Ending,
): Promise<ByteSource> {
  const state = known ?? (await stateOf(url));
  if (!state) return openWhole(url, onBytes);
  const { etag, size } = state;
  // Weak tags are those of bytes that may differ; servers refuse conditions on them.
  const condition = etag.startsWith('"') ? { 'If-Match': etag } : undefined;
  const unchanged = (response: Response, length: number) =>
    length === size && (response.headers.get('etag') ?? etag) === etag;
  let whole: Promise<ByteSource> | undefined;
  let ending = before;
  return {
    byteLength: size,
    version: `${etag}:${size}`,
    ending: () => ending,
    async slice(start, end = size) {
      if (whole) return (await whole).slice(start, end);
      if (end <= start) return new ArrayBuffer(0);
      const old = condition && end === size && ending ? from(ending, start) : undefined;
      if (old?.etag === etag) return old.bytes.slice(0);
      const headers = {
        Range: `bytes=${start}-${end - 1}`,
        ...condition,
        ...(old ? { 'If-None-Match': old.etag, 'A-IM': DELTA } : {}),
      };
      const response = await request(url, { headers });
      if (response.status === 412 || response.status === 416) throw new ChangedFileError();
      if (response.status === 226 && old) {
        const delta = new Uint8Array(await bodyOf(response));
        onBytes(delta.byteLength);
        const bytes = patched(new Uint8Array(old.bytes), [delta]).buffer as ArrayBuffer;
        if (!unchanged(response, start + bytes.byteLength)) throw new ChangedFileError();
        ending = { etag, start, bytes };
        return bytes;
      }
      if (response.status === 206) {
        const bytes = await bodyOf(response);
        onBytes(bytes.byteLength);
        const length = Number(response.headers.get('content-range')?.split('/')[1] ?? size);
        if (!unchanged(response, length) || bytes.byteLength !== end - start)
          throw new ChangedFileError();
        if (end === size) ending = { etag, start, bytes };
        return bytes;
      }
      if (response.status !== 200) throw problem(response.status);
      whole = bodyOf(response).then((bytes) => {
        onBytes(bytes.byteLength);
        if (!unchanged(response, bytes.byteLength)) throw new ChangedFileError();
        return bufferSource(bytes);
      });
      return (await whole).slice(start, end);
    },
  };
}

/** What a server says of a file; undefined where it does not tell its size. */
async function stateOf(url: string): Promise<FileState | undefined> {
  const head = await request(url, { method: 'HEAD' });
  // Its (empty) body is read to the end, or browsers count the request as given up.
  await bodyOf(head);
  if (!head.ok) throw problem(head.status);
  const size = Number(head.headers.get('content-length') ?? Number.NaN);
  // A length of the compressed transfer would not be the file's.
  if (!Number.isSafeInteger(size) || head.headers.has('content-encoding')) return undefined;
  return { etag: head.headers.get('etag') ?? head.headers.get('last-modified') ?? '', size };
}

async function openWhole(url: string, onBytes: OnBytes): Promise<ByteSource> {
  const response = await request(url, {});
  if (!response.ok) throw problem(response.status);
  const bytes = await bodyOf(response);
  onBytes(bytes.byteLength);
  return bufferSource(bytes);
}

import { RunFileError } from './table.ts';

/** Where a file comes from: a link, a file that the reader dropped on the page, or bytes inside the page. */
export type FileOrigin =
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'blob'; readonly blob: Blob }
  | { readonly kind: 'bytes'; readonly bytes: ArrayBuffer };

/** Random access to a file's bytes. */
export interface ByteSource {
  readonly byteLength: number;
  /** Differs from the last one where the file has changed. */
  readonly version: string;
  slice(start: number, end?: number): Promise<ArrayBuffer>;
}

export type OnBytes = (bytes: number) => void;

/**
 * Opens a file for random access: a link by HTTP range requests (or at one go from servers that know no ranges).
 *
 * @throws RunFileError where the link leads nowhere
 */
export function openBytes(origin: FileOrigin, onBytes: OnBytes = () => {}): Promise<ByteSource> {
  if (origin.kind === 'url') return openUrl(origin.url, onBytes);
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

async function request(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { cache: 'no-store', ...init });
  } catch {
    throw new RunFileError(
      'the link cannot be reached (server down, or another host than this page: only files beside the page are read)',
    );
  }
}

function problem(status: number): RunFileError {
  if (status === 404) return new RunFileError('there is no such file on the server (404)');
  return new RunFileError(`the server refused the file (${status})`);
}

async function openUrl(url: string, onBytes: OnBytes): Promise<ByteSource> {
  const head = await request(url, { method: 'HEAD' });
  // Its (empty) body is read to the end, or browsers count the request as given up.
  await head.arrayBuffer();
  if (!head.ok) throw problem(head.status);
  const length = Number(head.headers.get('content-length') ?? Number.NaN);
  // A length of the compressed transfer would not be the file's.
  if (!Number.isSafeInteger(length) || head.headers.has('content-encoding'))
    return openWhole(url, onBytes);
  const version = `${head.headers.get('etag') ?? head.headers.get('last-modified') ?? ''}:${length}`;
  let whole: Promise<ByteSource> | undefined;
  return {
    byteLength: length,
    version,
    async slice(start, end = length) {
      if (whole) return (await whole).slice(start, end);
      if (end <= start) return new ArrayBuffer(0);
      const response = await request(url, { headers: { Range: `bytes=${start}-${end - 1}` } });
      if (response.status === 206) {
        const bytes = await response.arrayBuffer();
        onBytes(bytes.byteLength);
        return bytes;
      }
      if (response.status !== 200) throw problem(response.status);
      whole = response.arrayBuffer().then((bytes) => {
        onBytes(bytes.byteLength);
        return bufferSource(bytes);
      });
      return (await whole).slice(start, end);
    },
  };
}

async function openWhole(url: string, onBytes: OnBytes): Promise<ByteSource> {
  const response = await request(url, {});
  if (!response.ok) throw problem(response.status);
  const bytes = await response.arrayBuffer();
  onBytes(bytes.byteLength);
  return bufferSource(bytes);
}

/** Bytes that can be read piece by piece: a file, a part of one, memory. */
export interface ByteSource {
  readonly byteLength: number;
  /** The bytes from `start` up to `end` (to the last one unless given). */
  slice(start: number, end?: number): Promise<ArrayBuffer>;
}

let openNamed: ((name: string | URL) => Promise<ByteSource>) | undefined;

/** Says how files are read by name; without it, names are refused. */
export function readNamesWith(open: (name: string | URL) => Promise<ByteSource>): void {
  openNamed = open;
}

/** The bytes of a file. @throws TypeError where there are no files */
export function namedSource(name: string | URL): Promise<ByteSource> {
  if (openNamed) return openNamed(name);
  throw new TypeError(
    `'${name}': only Node can read a file by its name; give its bytes, a Blob or a URL`,
  );
}

export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    byteLength: bytes.length,
    // Node's Buffers have a `slice` of their own, which copies nothing.
    slice: async (start, end) => Uint8Array.prototype.slice.call(bytes, start, end).buffer,
  };
}

/** Bytes that are fetched at once where small pieces are asked for. */
const WINDOW = 1 << 16;

/** The same bytes; small pieces that lie near each other are fetched with few calls. */
export function windowed(source: ByteSource): ByteSource {
  const { byteLength } = source;
  let held = { start: 0, bytes: new ArrayBuffer(0) };
  return {
    byteLength,
    async slice(start, end = byteLength) {
      if (end - start >= WINDOW) return source.slice(start, end);
      let { start: from, bytes } = held;
      if (start < from || end > from + bytes.byteLength) {
        bytes = await source.slice(start, Math.max(end, Math.min(byteLength, start + WINDOW)));
        from = start;
        held = { start: from, bytes };
      }
      return bytes.slice(start - from, end - from);
    },
  };
}

/** The first `offset` bytes of a source with other bytes behind them. */
export function withEnd(source: ByteSource, offset: number, end: Uint8Array): ByteSource {
  const byteLength = offset + end.length;
  return {
    byteLength,
    async slice(start, stop = byteLength) {
      if (stop <= offset) return source.slice(start, stop);
      if (start >= offset) return end.slice(start - offset, stop - offset).buffer;
      const bytes = new Uint8Array(stop - start);
      bytes.set(new Uint8Array(await source.slice(start, offset)));
      bytes.set(end.subarray(0, stop - offset), offset - start);
      return bytes.buffer;
    },
  };
}

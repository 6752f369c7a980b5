/** Where a sink's bytes go: a file, a browser download, memory. */
export interface ByteTarget {
  /** Appends; the bytes may be reused by the caller once the promise has settled. */
  write(bytes: Uint8Array): Promise<void>;
  /** All bytes are there: makes them visible under their final name. */
  commit(): Promise<void>;
  /** Something failed: leaves nothing under the final name. */
  abort(): Promise<void>;
}

/** A target in memory, for browsers and tests. */
export function memoryTarget(): ByteTarget & { readonly bytes: () => Uint8Array } {
  const parts: Uint8Array[] = [];
  return {
    async write(bytes) {
      parts.push(bytes.slice());
    },
    async commit() {},
    async abort() {
      parts.length = 0;
    },
    bytes() {
      const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        all.set(part, at);
        at += part.length;
      }
      return all;
    },
  };
}

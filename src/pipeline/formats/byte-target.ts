/** Where a sink's bytes go: a file, a browser download, memory. */
export interface ByteTarget {
  /**
   * Appends; the bytes may be reused by the caller once the promise has settled.
   *
   * @param footer what would close a file that held nothing but these bytes: kept beside the file until it is whole, so
   *   that they are not lost if the program dies
   */
  write(bytes: Uint8Array, footer?: Uint8Array): Promise<void>;
  /**
   * Resolves once all that has been written would outlive the program and the machine, and a whole file with it.
   * `closing` makes the file whole as it is now; the next `write` takes its place, and need not wait for this.
   */
  flush?(closing: Uint8Array): Promise<void>;
  /** All bytes are there: makes them visible under their final name. */
  commit(): Promise<void>;
  /** Something failed: leaves nothing under the final name, but whatever can be recovered beside it. */
  abort(): Promise<void>;
}

/**
 * The target itself. A name of a file is what the sinks take in Node alone: there the package's entry opens it.
 *
 * @throws TypeError on a name
 */
export function targetOf(to: string | ByteTarget): ByteTarget {
  if (typeof to !== 'string') return to;
  throw new TypeError(
    `'${to}': only Node can write a file by its name; give a target, such as memoryTarget()`,
  );
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
    bytes: () => concatBytes(parts),
  };
}

/** One array of all these bytes. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

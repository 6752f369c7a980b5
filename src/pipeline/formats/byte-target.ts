import { concatBytes } from './concat-bytes.ts';

/** Where a sink's bytes go: a file, a browser download, memory. */
export interface ByteTarget {
  /**
   * Appends; the bytes may be reused by the caller once the promise has settled.
   *
   * @param footer what would close a file that held nothing but these bytes: kept beside the file
   * until it is whole, so that they are not lost if the program dies
   */
  write(bytes: Uint8Array, footer?: Uint8Array): Promise<void>;
  /**
   * Resolves once all that has been written would outlive the program and the machine, and a whole
   * file with it. `closing` makes the file whole as it is now; the next `write` takes its place,
   * and need not wait for this.
   */
  flush?(closing: Uint8Array): Promise<void>;
  /** All bytes are there: makes them visible under their final name. */
  commit(): Promise<void>;
  /**
   * Something failed: leaves nothing under the final name, but whatever can be recovered beside it.
   */
  abort(): Promise<void>;
}

/**
 * Where a sink writes: the name of a file, a target, or what makes a new target for each
 * subscription.
 */
export type SinkTarget = string | ByteTarget | (() => ByteTarget);

export interface NamedOptions {
  /** Replace whatever stands under the name. */
  readonly force?: boolean;
}

type OpenNamed = (name: string, options?: NamedOptions) => ByteTarget;

let openNamed: OpenNamed | undefined;

/** Says how files are opened by name; without it, names are refused. */
export function openNamesWith(open: OpenNamed): void {
  openNamed = open;
}

export function isTarget(given: unknown): boolean {
  const { write, commit, abort }: Partial<ByteTarget> = Object(given);
  return [write, commit, abort].every((method) => typeof method === 'function');
}

/** Whether files are opened by name here. */
export const opensNames = (): boolean => openNamed !== undefined;

/**
 * Targets that a subscription has written to: a second one would write into the first one's file.
 */
const taken = new WeakSet<ByteTarget>();

/**
 * A target for one subscription.
 * @throws TypeError for a target that was used before
 */
export function openTarget(to: SinkTarget, options?: NamedOptions): ByteTarget {
  if (typeof to === 'function') {
    const made = to();
    if (isTarget(made)) return made;
    throw new TypeError('the function that is to make a target makes something else');
  }
  if (typeof to === 'string') return openNamed!(to, options);
  if (taken.has(to)) {
    throw new TypeError(
      'a target can be written once; give the sink a name, or a function that makes a target',
    );
  }
  taken.add(to);
  return to;
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

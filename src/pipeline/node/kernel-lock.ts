import type { FileHandle } from 'node:fs/promises';
import { createRequire } from 'node:module';

type TryLock = typeof import('fs-native-extensions').tryLock;

/** Beyond all that a lock file says: on Windows nobody else could read the locked bytes. */
const [AT, LENGTH] = [1 << 30, 1];

let loaded: TryLock | null | undefined;

/** The kernel's locks; null on systems for which the package has no build. */
function tryLock(): TryLock | null {
  if (loaded !== undefined) return loaded;
  try {
    // Not by import: bundlers would take the build for one system along.
    const require = createRequire(import.meta.url);
    loaded = (require('fs-native-extensions') as { readonly tryLock: TryLock }).tryLock;
  } catch {
    loaded = null;
  }
  return loaded;
}

/**
 * Has the kernel lock an open file until it is closed, at the latest by the death of this process.
 *
 * @returns false where the system or the file system knows no such locks
 */
export function holdByKernel({ fd }: FileHandle): boolean {
  try {
    return tryLock()?.(fd, AT, LENGTH) ?? false;
  } catch {
    return false;
  }
}

/**
 * Whether a process of this kernel, in whatever container, holds the lock of an open file;
 * undefined where nobody can tell.
 */
export function isHeldByKernel({ fd }: FileHandle): boolean | undefined {
  try {
    const free = tryLock()?.(fd, AT, LENGTH, { shared: true });
    return free === undefined ? undefined : !free;
  } catch {
    return undefined;
  }
}

import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ByteTarget } from '../formats/byte-target.ts';
import { syncFolder } from './journal.ts';
import { writeAll } from './write-all.ts';

/**
 * A file that appears under its name whole or not at all, whoever else writes it: under the name
 * `partial` first, then flushed to the disk and renamed. Unlike `fileTarget` it takes no lock and
 * keeps nothing of a run that fails, as suits files that can be made again.
 */
export function atomicFile(path: string, partial: string): ByteTarget {
  let handle: Promise<FileHandle> | undefined;
  const opened = () => {
    // Never what stands there already, nor what a link there leads to.
    handle ??= open(partial, 'wx');
    return handle;
  };

  return {
    async write(bytes) {
      await writeAll(await opened(), bytes);
    },
    async commit() {
      const file = await opened();
      await file.sync();
      await file.close();
      await rename(partial, path);
      await syncFolder(dirname(path));
    },
    async abort() {
      if (!handle) return;
      const file = await handle.catch(() => undefined);
      await file?.close().catch(() => {});
      await rm(partial, { force: true });
    },
  };
}

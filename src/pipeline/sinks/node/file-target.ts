import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ByteTarget } from '../byte-target.ts';

/** Ending of the name under which a file is written until it is whole. */
export const PARTIAL = '.partial';

/**
 * A file that appears under its name only when it is whole: written beside it under the name + `.partial`, flushed to
 * the disk, then renamed over whatever stood there.
 *
 * @param partial another name to write under, where several processes may write the same file
 */
export function fileTarget(path: string, partial: string = path + PARTIAL): ByteTarget {
  let handle: Promise<FileHandle> | undefined;
  const opened = () => {
    handle ??= open(partial, 'w');
    return handle;
  };

  return {
    async write(bytes) {
      const file = await opened();
      let at = 0;
      while (at < bytes.length) at += (await file.write(bytes, at)).bytesWritten;
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

/** Makes a rename survive a power cut, where the system lets us. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    await folder.sync().finally(() => folder.close());
  } catch {
    // Windows cannot open folders; the rename is as safe as it gets there.
  }
}

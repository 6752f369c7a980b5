import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { refuseAddress, UsageError } from './errors.ts';

/**
 * Makes a folder and those above it, where they are missing. Node's own `recursive` never ends
 * where a file system says of a folder that it has that there is none, as /proc does.
 *
 * @param flag the one that named the folder
 * @throws UsageError where there is a file, or no folder can be made
 */
export async function makeFolder(path: string, flag: string): Promise<void> {
  refuseAddress(flag, path);
  const target = resolve(path);
  const missing: string[] = [];
  for (let folder = target; ; folder = dirname(folder)) {
    const there = await stat(folder).catch(() => undefined);
    if (there?.isDirectory()) break;
    if (there) {
      throw new UsageError(
        folder === target
          ? `--${flag}: ${path} is a file; name a folder`
          : `--${flag}: ${path} cannot be there, since ${folder} is a file; name another folder`,
      );
    }
    if (folder === dirname(folder)) break;
    missing.push(folder);
  }
  for (const folder of missing.reverse()) {
    try {
      await mkdir(folder);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Another process may have been quicker.
      if (code === 'EEXIST' && (await stat(folder).catch(() => undefined))?.isDirectory()) continue;
      if (code === 'ENOSPC' || code === 'EDQUOT') throw error;
      throw new UsageError(
        `--${flag}: the folder ${folder} cannot be made (${code}); name another one`,
      );
    }
  }
}

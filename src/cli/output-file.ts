import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UsageError } from './errors.ts';
import { runFileMetadata } from './run-file.ts';

/**
 * Makes sure, before anything is computed, that a run may be written to `path`: its folder exists and may be written
 * to, it is no folder itself, and what stands there is nothing, or a whole run of the very same parameters, or `force`
 * was given.
 */
export async function checkOutput(flag: string, path: string, config: object, force: boolean): Promise<void> {
  const folder = await stat(dirname(resolve(path))).catch(() => undefined);
  if (!folder) throw new UsageError(`--${flag}: the folder of ${path} does not exist; create it first`);
  if (!folder.isDirectory()) throw new UsageError(`--${flag}: ${dirname(path)} is not a folder`);
  await access(dirname(resolve(path)), constants.W_OK | constants.X_OK).catch(() => {
    throw new UsageError(`--${flag}: the folder of ${path} may not be written to; choose another, or change its mode`);
  });
  const there = await stat(path).catch(() => undefined);
  if (!there) return;
  if (there.isDirectory()) throw new UsageError(`--${flag}: ${path} is a folder; name a file in it`);
  if (force || !there.isFile()) return;
  const metadata = await runFileMetadata(path);
  if (metadata && (await isSameRun(metadata, config))) return;
  throw new UsageError(
    `--${flag}: ${path} exists and is not this very run; give another name, or --force to replace it`,
  );
}

async function isSameRun(metadata: Readonly<Record<string, string>>, config: object): Promise<boolean> {
  const { isDeepStrictEqual } = await import('node:util');
  try {
    const summary: unknown = JSON.parse(metadata['eos.summary'] ?? 'null');
    const whole =
      typeof summary === 'object' && summary !== null && 'interrupted' in summary && summary.interrupted === false;
    const recorded: unknown = JSON.parse(metadata['eos.config'] ?? 'null');
    return whole && isDeepStrictEqual(recorded, JSON.parse(JSON.stringify(config)));
  } catch {
    return false;
  }
}

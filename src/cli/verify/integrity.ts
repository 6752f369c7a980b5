import { plural } from '../../pipeline/format.ts';
import { UnsupportedFileError } from '../../pipeline/formats/file-errors.ts';
import type { Integrity } from '../../pipeline/formats/integrity.ts';
import { EXIT, UsageError } from '../errors.ts';
import { reading } from '../reader/reading.ts';

/**
 * Tells whether a file is as it was written, to the last bit.
 *
 * @returns exit code: 0 where it is, 1 where it is not
 * @throws UsageError where the file does not tell
 */
export async function integrityRun(
  path: string | undefined,
  json: boolean,
  print: (line: string) => void,
): Promise<number> {
  if (!path) throw new UsageError('--integrity: name the file of a run');
  const found = await check(path);
  const { problems } = found;
  const damaged = problems.length > 0;
  if (!damaged && !found.covered)
    throw new UsageError(
      `${path}: it has no checksums that cover it all; older versions and other programs ` +
        'write none',
    );
  if (json) print(JSON.stringify({ file: path, intact: !damaged, ...found }, null, 2));
  else if (!damaged)
    print(`${path}: as it was written (${plural(found.checksums + 1, 'checksum')})`);
  else for (const problem of problems) print(`${path}: damaged: ${problem}`);
  return damaged ? EXIT.failure : EXIT.done;
}

/** A file that cannot even be opened is not as it was written either. */
async function check(
  path: string,
): Promise<Integrity | (Pick<Integrity, 'problems'> & { covered: boolean; checksums: number })> {
  try {
    return await reading().checkIntegrity(path);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'DamagedFileError') throw named(path, error);
    return { problems: [error.message], covered: false, checksums: 0 };
  }
}

function named(path: string, error: unknown): unknown {
  if (error instanceof UnsupportedFileError) return new UsageError(`${path}: ${error.message}`);
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
    ? new UsageError(`${path}: there is no such file`)
    : error;
}

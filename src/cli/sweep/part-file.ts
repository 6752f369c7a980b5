import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { memorySource } from '../../pipeline/formats/byte-source.ts';
import { memoryTarget } from '../../pipeline/formats/byte-target.ts';
import { SCHEMA_VERSION, type SweepRows } from '../../pipeline/sweep/sweep-columns.ts';
import type { SweepFolder } from './folder.ts';

const CHECKSUM = 'sha256:';
const BLANK = '0'.repeat(64);
/** Parts hold at most 65,536 rows; whatever is larger than this was not written by a sweep. */
const LARGEST = 1 << 27;

/**
 * Key of the digest of the trajectories of a part, one file after the other in the order of its
 * rows.
 */
const TRAJECTORIES_KEY = 'eos.trajectories';

/**
 * The bytes of a part: its rows, the name it goes by, and a checksum of all of it, itself taken as
 * zeros.
 * @param trajectories digest of the trajectories of its runs, where these are kept
 */
export async function encodePart(
  rows: Pick<SweepRows, 'schema' | 'columns'>,
  name: string,
  trajectories?: string,
): Promise<Uint8Array> {
  const target = memoryTarget();
  // The program that writes: whoever only looks after the parts does without.
  const { hyparquetFormat } = await import('../../pipeline/formats/parquet/hyparquet.ts');
  const writer = hyparquetFormat()(target, rows.schema);
  const length = rows.columns[0]!.length;
  if (length > 0) await writer.write({ length, columns: rows.columns });
  await writer.finish({
    'eos.schema_version': SCHEMA_VERSION,
    'eos.part': name,
    ...(trajectories === undefined ? {} : { [TRAJECTORIES_KEY]: trajectories }),
    'eos.checksum': CHECKSUM + BLANK,
  });
  const bytes = target.bytes();
  const at = checksumPlace(bytes);
  bytes.set(Buffer.from(createHash('sha256').update(bytes).digest('hex')), at);
  return bytes;
}

/**
 * The bytes of a part, its checksum as zeros; undefined unless the file is the part that its name
 * says, whole and to the last bit as it was written.
 */
export async function readWholePart(path: string): Promise<Buffer<ArrayBuffer> | undefined> {
  const there = await stat(path).catch(() => undefined);
  if (!there?.isFile() || there.size > LARGEST) return undefined;
  const bytes = await readFile(path).catch(() => undefined);
  if (!bytes) return undefined;
  const at = checksumPlace(bytes);
  if (at < 0) return undefined;
  const written = bytes.toString('latin1', at, at + BLANK.length);
  bytes.write(BLANK, at, 'latin1');
  if (createHash('sha256').update(bytes).digest('hex') !== written) return undefined;
  // The footer holds the name of the part, so that a copy under another part's name is found out.
  return bytes.lastIndexOf(basename(path), undefined, 'latin1') >= 0 ? bytes : undefined;
}

/** The digest of its trajectories that a whole part holds. */
export async function trajectoriesDigest(part: Buffer<ArrayBuffer>): Promise<string | undefined> {
  const { readParquetFooter } = await import('../../pipeline/formats/parquet/parquet-footer.ts');
  const { footer } = await readParquetFooter(memorySource(part));
  return footer.key_value_metadata?.find(({ key }) => key === TRAJECTORIES_KEY)?.value;
}

/** Where the hexadecimal digits of the checksum begin; −1 where there is none. */
function checksumPlace(bytes: Uint8Array): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = buffer.lastIndexOf(CHECKSUM, undefined, 'latin1');
  return at < 0 ? -1 : at + CHECKSUM.length;
}

/**
 * Puts a file in its place by one rename. Any number of workers may do so at the same time with the
 * same part: each writes under a name of its own first.
 */
export async function commitFile(
  folder: SweepFolder,
  path: string,
  bytes: Uint8Array | string,
): Promise<void> {
  const partial = await writePartial(folder, path, bytes);
  try {
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** As `commitFile`, but leaves a file that is there already: false then. */
export async function commitNewFile(
  folder: SweepFolder,
  path: string,
  bytes: Uint8Array | string,
): Promise<boolean> {
  const partial = await writePartial(folder, path, bytes);
  try {
    await link(partial, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    // A file system without links.
    await rename(partial, path);
    return true;
  } finally {
    await rm(partial, { force: true });
  }
}

async function writePartial(
  folder: SweepFolder,
  path: string,
  bytes: Uint8Array | string,
): Promise<string> {
  const partial = await partialPath(folder, path);
  try {
    const file = await open(partial, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    return partial;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** A new name in the folder for files under way. */
export async function partialPath(folder: SweepFolder, path: string): Promise<string> {
  await mkdir(folder.partial, { recursive: true });
  return join(folder.partial, `${basename(path)}.${randomUUID()}`);
}

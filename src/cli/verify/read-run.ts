import {
  readStoredRun,
  type StoredRun,
  StoredRunError,
} from '../../pipeline/formats/stored-run.ts';
import type { RunOptions } from '../../pipeline/models/minimal/config.ts';
import { UsageError } from '../errors.ts';
import { openTable, type TableReader } from '../inspect/table-reader.ts';
import { originOf } from '../parameter-flags.ts';
import { MEGABYTE, MEMORY_VARIABLE, memoryLimit } from '../reader/limits.ts';

/** Bytes of memory that a row takes with all its columns, be they read or computed. */
const BYTES_A_ROW = 220;
/** Share of the memory for a file that a run in it may take: its reader takes the rest. */
const SHARE = 0.6;

type RunOfFile = Awaited<ReturnType<typeof readStoredRun>>;

/**
 * Reads a run file, of eos or of another program, into memory. Its parameters are those in its
 * metadata; where it has none they are `given`.
 *
 * @param wanted columns to read, as far as the file has them; all of a run unless given
 * @throws UsageError where the file cannot be read, is no run of gradient descent, or its
 * parameters are not known
 */
export async function readRun(
  path: string,
  given: RunOptions,
  wanted?: readonly string[],
): Promise<RunOfFile> {
  return runOf(path, await openTable(path), given, wanted);
}

/** The same of a file that is open. */
export async function runOf(
  path: string,
  table: TableReader,
  given: RunOptions,
  wanted?: readonly string[],
): Promise<RunOfFile> {
  const needed = Math.ceil((table.rows * BYTES_A_ROW) / SHARE / MEGABYTE);
  const room = {
    most: Math.floor((SHARE * memoryLimit()) / BYTES_A_ROW),
    help: `write the run with --every, or allow more with ${MEMORY_VARIABLE}=${needed}`,
  };
  try {
    return await readStoredRun(storedRun(table), given, wanted, room);
  } catch (error) {
    if (!(error instanceof StoredRunError)) throw error;
    const { message, option } = error;
    throw new UsageError(`${option === undefined ? '' : `${originOf(option)}: `}${path}${message}`);
  }
}

/** A file that is open, as the theory reads it. */
export const storedRun = (table: TableReader): StoredRun => ({
  rows: table.rows,
  metadata: table.metadata,
  columns: table.fields.map(({ name }) => name),
  read: (names) => table.read(names),
});

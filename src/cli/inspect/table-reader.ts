import { stat } from 'node:fs/promises';
import { UnsupportedFileError } from '../../pipeline/formats/file-errors.ts';
import { fieldNamed, type TableFile } from '../../pipeline/formats/table-file.ts';
import { UsageError } from '../errors.ts';
import type { TableInPieces } from '../reader/pieces.ts';
import { reading } from '../reader/reading.ts';
import { tableKind } from '../run-file.ts';
import { sweepFolder } from '../sweep/folder.ts';

/** A numeric column comes as numbers, a string column as strings; missing values as null. */
export type Values = ArrayLike<number | string | null>;

/** A table file, opened for reading a few of its columns block by block. */
export interface TableReader extends Omit<TableFile, 'read'> {
  /** Values of these columns, one piece of a row group (record batch) after another. */
  read(columns: readonly string[]): AsyncIterable<Readonly<Record<string, Values>>>;
}

/**
 * Opens a Parquet or Arrow file.
 * @throws UsageError where it is missing, neither of the two, or not whole. A `.partial` file
 * counts as far as it is safe.
 */
export async function openTable(path: string): Promise<TableReader> {
  const file = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      `${path}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`,
    );
  });
  if (!file.isFile()) {
    const swept = await stat(sweepFolder(path).manifest).catch(() => undefined);
    throw new UsageError(
      swept?.isFile()
        ? `${path}: this is the folder of a sweep; name a file of its summary, or see it by ` +
            `\`eos dash serve ${path}\``
        : `${path}: this is not a file; name a Parquet or Arrow file`,
    );
  }
  const kind = await tableKind(path);
  if (kind === undefined)
    throw new UsageError(
      `${path}: neither a Parquet nor an Arrow file (its first bytes are of no such file)`,
    );
  try {
    const table = await reading().openTable(path);
    return { ...table, read: (columns) => blocks(path, table, columns) };
  } catch (error) {
    throw unreadable(path, kind, error);
  }
}

async function* blocks(
  path: string,
  table: TableInPieces,
  columns: readonly string[],
): AsyncIterable<Readonly<Record<string, Values>>> {
  try {
    const there = columns.flatMap((name) => {
      const field = fieldNamed(table, name);
      return field === undefined ? [] : [{ name, field }];
    });
    const fields = there.map(({ field }) => field);
    for (const [group, { rows }] of table.groups.entries()) {
      for (let from = 0; from < rows; ) {
        const { length, columns: values } = await table.read(fields, group, from);
        yield Object.fromEntries(there.map(({ name }, c) => [name, values[c] as Values]));
        from += length;
      }
    }
  } catch (error) {
    throw unreadable(path, table.kind, error);
  }
}

function unreadable(path: string, kind: TableFile['kind'], error: unknown): UsageError {
  const { message } = error as Error;
  const format = kind === 'parquet' ? 'Parquet' : 'Arrow';
  if (error instanceof UnsupportedFileError)
    return new UsageError(`${path}: ${format} of a kind that is not read here: ${message}`);
  // Where a decoder stumbles over its own state, its message tells the user nothing.
  const why = error instanceof TypeError || error instanceof RangeError ? '' : `: ${message}`;
  return new UsageError(`${path}: a damaged or unfinished ${format} file${why}`);
}

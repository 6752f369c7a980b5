import { DamagedFileError, UnsupportedFileError } from '../../pipeline/formats/file-errors.ts';
import type { TableFile, Values } from '../../pipeline/formats/table-file.ts';
import type { ByteSource } from './bytes.ts';
import {
  type ColumnValues,
  type FileMark,
  MAX_ROWS,
  RunFileError,
  type TableColumn,
  type TableSource,
  wordCoder,
} from './table.ts';

/**
 * A table file as the page reads it: its numbers, and its texts as codes.
 *
 * @param before an earlier state of the file, whose codes stand for the same words
 * @throws RunFileError where it is cut off, damaged, of a kind that is not read, or too large for a
 * page
 */
export async function tableSource(
  file: ByteSource,
  open: () => Promise<TableFile>,
  before?: FileMark,
): Promise<TableSource> {
  const table = await refused(open());
  if (table.rows > MAX_ROWS)
    throw new RunFileError(
      `it has ${table.rows} rows; this page shows up to ${MAX_ROWS} (thin the run with --every)`,
    );
  const places = new Map<string, number>();
  // Of columns of one name it is the first that is read.
  for (const [place, { name }] of table.fields.entries())
    if (!places.has(name)) places.set(name, place);
  const columns = [...places].flatMap(([name, place]): TableColumn[] => {
    const { kind } = table.fields[place]!;
    if (kind === 'number') return [{ name, kind }];
    return kind === 'text' ? [{ name, kind: 'string' }] : [];
  });
  const coders = new Map(
    columns
      .filter(({ kind }) => kind === 'string')
      .map(({ name }) => [name, before?.coders.get(name) ?? wordCoder()]),
  );
  const step = places.get('step');
  const kept = <T>(column: string, of: ((field: number) => T) | undefined): T | undefined => {
    const place = places.get(column);
    return place === undefined ? undefined : of?.(place);
  };
  let start = 0;
  const groups = table.groups.map((group) => {
    const steps = step === undefined ? undefined : group.bounds(step);
    const entry = {
      start,
      rows: group.rows,
      key: `${group.start}:${group.rows}:${group.end}`,
      ...(steps ? { steps } : {}),
      outline: (column: string) => kept(column, group.outline),
      runs: (column: string) => kept(column, group.runs),
    };
    start += group.rows;
    return entry;
  });
  return {
    rows: table.rows,
    bytes: file.byteLength,
    columns,
    groups,
    metadata: table.metadata,
    mark: { ...endOf(table), coders },
    words: (column) => coders.get(column)?.words ?? [],
    async read(column, group) {
      const place = places.get(column);
      if (place === undefined) throw new RunFileError(`the file has no column ${column}`);
      const values = await refused(table.read(place, group), column);
      const coder = coders.get(column);
      return coder ? toCodes(values, coder.code) : toNumbers(values);
    },
  };
}

function endOf({ kind, groups, bytes }: TableFile): Omit<FileMark, 'coders'> {
  const last = groups.at(-1);
  return { kind, last: last?.start ?? 0, footer: bytes - (last?.end ?? 0) };
}

/** Tells what is wrong in words of this page. */
async function refused<T>(task: Promise<T>, column?: string): Promise<T> {
  try {
    return await task;
  } catch (error) {
    if (error instanceof UnsupportedFileError) throw new RunFileError(error.message);
    if (!(error instanceof DamagedFileError)) throw error;
    const problem =
      column === undefined
        ? `${error.message}${helpFor(error)}`
        : `column ${column} cannot be read (${error.message})`;
    throw new RunFileError(`the file is damaged: ${problem}`);
  }
}

const helpFor = ({ message }: DamagedFileError): string =>
  message.includes('cut off: there is no') ? ' (eos recover may save it)' : '';

function toNumbers(values: Values): ColumnValues {
  if (values instanceof Float64Array) return values;
  return Float64Array.from(values, (value) => (typeof value === 'number' ? value : Number.NaN));
}

function toCodes(values: Values, code: (word: string) => number): ColumnValues {
  return Uint16Array.from(values, (value) => code(typeof value === 'string' ? value : ''));
}

import { count } from '../format.ts';
import { DamagedFileError, UnsupportedFileError } from './file-errors.ts';

/**
 * What a file may claim before it is believed. A file of a stranger is read within 512 MB and two
 * seconds; these are the numbers that see to it, and no run file comes near them.
 */
export const LIMITS = {
  /** Bytes of a Parquet or Arrow footer. */
  footer: 1 << 26,
  /**
   * Fields, list items and structs in a footer, structs counting eightfold for the memory that they
   * take.
   */
  footerWeight: 12_000_000,
  /** Columns, nested ones included. */
  columns: 10_000,
  /** Levels of nesting. */
  depth: 32,
  /** Bytes of a page once it is unpacked. */
  page: 1 << 26,
  /** Bytes of all pages of one column in one row group. */
  chunk: 1 << 28,
  /**
   * Bytes of an Arrow record batch once it is unpacked, or of the texts that it points at, however
   * little it takes,
   */
  batch: 1 << 26,
  /** and so many more for each byte that it takes in the file. */
  bytesPerByte: 8,
  /**
   * Bytes of all record batches of an Arrow file once they are unpacked: reading them takes time,
   * however few at once,
   */
  unpacked: 1 << 28,
  /** and so many more for each byte of theirs: those of a run that stands still pack well. */
  unpackedPerByte: 128,
  /** Bytes of all dictionaries of an Arrow file, which are kept while it is read. */
  dictionaries: 1 << 26,
  /**
   * Entries of a file's own metadata, and values in the JSON of one of them: parsing makes an
   * object of each.
   */
  notes: 100_000,
  noted: 500_000,
  /** Characters of the metadata: those of a network's checkpoint come near it. */
  notesLength: 1 << 25,
  /** Row groups or record batches: each takes some 0.1 ms, however little is in it. */
  groups: 1 << 14,
  /** Rows of a row group or record batch. */
  groupRows: 1 << 24,
  /** Values of the lists of one column in one row group: each list is an object of its own. */
  listed: 1 << 22,
  /** Rows a byte of the file: constant columns pack well, but no further. */
  rowsPerByte: 64,
  /** Rows that are allowed for however small the file. */
  leastRows: 1 << 17,
} as const;

/** @throws DamagedFileError where a file of so many bytes claims more rows than it can hold */
export function checkRowCount(rows: number, bytes: number): void {
  if (!Number.isSafeInteger(rows) || rows < 0) throw new DamagedFileError(`it claims ${rows} rows`);
  if (rows > LIMITS.leastRows + bytes * LIMITS.rowsPerByte) {
    unsupported(`it claims ${rows} rows in ${bytes} bytes`);
  }
}

/** @throws UnsupportedFileError where a table has more row groups or record batches than is read */
export function checkGroupCount(groups: number, what: string): void {
  if (groups > LIMITS.groups)
    unsupported(
      `it has ${groups} ${what}, of which ${LIMITS.groups} are read; ` +
        'write it with more rows in each',
    );
}

/**
 * Texts of one column in one row group. @throws UnsupportedFileError where they are more than
 * memory should hold
 */
export function checkedTexts<T extends ArrayLike<unknown>>(values: T, column: string): T {
  if (ArrayBuffer.isView(values)) return values;
  let characters = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === 'string') characters += value.length;
  }
  if (characters > LIMITS.chunk)
    unsupported(`its column ${column} has texts of ${characters} characters at once`);
  return values;
}

const COMMA = 44;
const BRACKET = 91;
const BRACE = 123;

/**
 * How many values the text of a JSON document may hold: one behind each comma and bracket. Counting
 * costs nothing beside the objects that a parser would make of them.
 */
export function valuesIn(json: string): number {
  let values = 1;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === COMMA || code === BRACKET || code === BRACE) values++;
  }
  return values;
}

/**
 * The metadata of a file. @throws DamagedFileError where it holds more than a run file's own can
 */
export function checkedMetadata(
  entries: Iterable<readonly [string, string]>,
): Readonly<Record<string, string>> {
  const metadata = [...entries];
  if (metadata.length > LIMITS.notes) unsupported(`its metadata has ${metadata.length} entries`);
  const length = metadata.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (length > LIMITS.notesLength) unsupported(`its metadata has ${length} characters`);
  for (const [key, value] of metadata) {
    if (value.length > LIMITS.noted && valuesIn(value) > LIMITS.noted)
      unsupported(`its ${key.slice(0, 40)} holds more than ${LIMITS.noted} values`);
  }
  return Object.fromEntries(metadata);
}

export function damaged(problem: string): never {
  throw new DamagedFileError(grouped(problem));
}

export function unsupported(what: string): never {
  throw new UnsupportedFileError(grouped(what));
}

/** Counts as everywhere: 65,536 rows. A number that is the name of a column stays. */
const grouped = (text: string): string =>
  text.replace(/(?<!column )\b\d{4,}\b(?=,? [a-z])/g, (digits) => count(Number(digits)));

/**
 * Where a reader stumbles over what the checks have let through, its message tells nobody anything.
 */
export function decoded<T>(read: () => T, problem = 'its metadata cannot be decoded'): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DamagedFileError) throw error;
    return damaged(problem);
  }
}

/** The same for what is read bit by bit: errors of the source itself are told as they are. */
export async function decodedLater<T>(
  read: () => Promise<T>,
  problem = 'its metadata cannot be decoded',
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return damaged(problem);
    throw error;
  }
}

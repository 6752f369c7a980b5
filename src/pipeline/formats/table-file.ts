import { unsupported } from './limits.ts';
import type { Outline, WordRuns } from './parquet/chunk-outline.ts';

/**
 * What the values of a column are: `list` are lists of flat values or of such lists, `nested`
 * structs, maps and lists of them, which are named but not read, `nothing` a column of nulls alone.
 */
export type FieldKind =
  | 'number'
  | 'boolean'
  | 'text'
  | 'time'
  | 'bytes'
  | 'list'
  | 'nested'
  | 'nothing';

/** A column of a table file. */
export interface TableField {
  readonly name: string;
  readonly kind: FieldKind;
  /** Its type as Parquet calls it where Parquet has it, else as the file's format does. */
  readonly type: string;
  readonly required: boolean;
  /** Symbol, unit and meaning as the file itself tells them; empty where it does not. */
  readonly symbol: string;
  readonly unit: string;
  readonly meaning: string;
}

/**
 * Values of a column: numbers (integers as well; beyond 2⁵³ rounded), times as milliseconds since
 * 1970, texts, truth values, bytes, and lists of these as arrays. Null where there is none.
 */
export type Values = ArrayLike<unknown>;

/** Rows that are read at once: a Parquet row group or an Arrow record batch. */
export interface TableGroup {
  readonly rows: number;
  /** First byte, and the one behind the last. */
  readonly start: number;
  readonly end: number;
  /** Smallest and largest value of a column of numbers, where the file's statistics tell them. */
  bounds(field: number): readonly [number, number] | undefined;
  /** The extremes of blocks of rows of a column of numbers, where the file keeps them. */
  outline?(field: number): Outline | undefined;
  /** Where the words of a column change, where the file keeps that. */
  runs?(field: number): WordRuns | undefined;
}

/**
 * A Parquet or Arrow file of anybody, opened: everything but the values, which are read column by
 * column.
 */
export interface TableFile {
  readonly kind: 'parquet' | 'arrow';
  readonly bytes: number;
  readonly rows: number;
  /** Columns in their order; two may have the same name. */
  readonly fields: readonly TableField[];
  readonly groups: readonly TableGroup[];
  readonly metadata: Readonly<Record<string, string>>;
  /** @throws DamagedFileError where the column cannot be read */
  read(field: number, group: number): Promise<Values>;
}

/** An object of a file's metadata; null where there is none. */
export function jsonObject(text: string | undefined): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    return typeof value === 'object' && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>> | null)
      : null;
  } catch {
    return null;
  }
}

/** What a file says of a column, believing nothing of its shape. */
export function described(told: unknown): Pick<TableField, 'symbol' | 'unit' | 'meaning'> {
  const { symbol, unit, meaning } = (told ?? {}) as Readonly<Record<string, unknown>>;
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return { symbol: text(symbol), unit: text(unit), meaning: text(meaning) };
}

/** Whether each value of a column is one number, text or the like. */
export const isFlat = ({ kind }: TableField): boolean => !['list', 'nested'].includes(kind);

export type TableKind = TableFile['kind'];

/** What a Parquet file begins with whose footer is encrypted. */
const ENCRYPTED = 'PARE';

const MARKS: readonly (readonly [string, TableKind])[] = [
  ['PAR1', 'parquet'],
  [ENCRYPTED, 'parquet'],
  ['ARROW1', 'arrow'],
  // What the messages of an Arrow stream begin with.
  ['\xff\xff\xff\xff', 'arrow'],
];
/** Bytes that tell what kind of table a file holds. */
export const HEAD_BYTES = 6;

/** What kind of table a file holds, by its first bytes; undefined for anything else. */
export function tableKind(head: Uint8Array): TableKind | undefined {
  const text = String.fromCharCode(...head.subarray(0, HEAD_BYTES));
  return MARKS.find(([mark]) => text.startsWith(mark))?.[1];
}

/** @throws UnsupportedFileError where these first bytes are those of an encrypted Parquet file */
export function refuseEncrypted(head: Uint8Array): void {
  if (String.fromCharCode(...head.subarray(0, 4)) === ENCRYPTED)
    unsupported('it is encrypted, which is not read');
}

/** Place of the first column of that name; of columns of one name it is the first that is read. */
export function fieldNamed(
  { fields }: Pick<TableFile, 'fields'>,
  name: string,
): number | undefined {
  const at = fields.findIndex((field) => field.name === name);
  return at < 0 ? undefined : at;
}

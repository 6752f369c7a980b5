import type { ColumnArray, ColumnSpec, ColumnType } from '../columns.ts';
import type { ByteTarget } from './byte-target.ts';

/** Rows of a table: one array a column, in the order of the table's columns. */
export interface Rows {
  readonly length: number;
  readonly columns: readonly ColumnArray[];
}

/** Writes a table into a target, one row group at a time. */
export interface TableWriter {
  write(rows: Rows): Promise<void>;
  /** Writes what closes the file, with this key-value metadata. */
  finish(metadata: Readonly<Record<string, string>>): Promise<void>;
}

/** A file format: opens a table with these columns on a target. */
export type TableFormat = (target: ByteTarget, columns: readonly ColumnSpec[]) => TableWriter;

/** A column of a table that is no run: it may also hold free text, truth values, and nulls. */
export interface TableColumn extends Omit<ColumnSpec, 'type'> {
  readonly type: ColumnType | 'TEXT' | 'BOOLEAN';
  readonly nullable?: boolean;
}

/** The values of a `TableColumn`: a typed array, or a plain one where there are texts or nulls. */
export type Cells = ColumnArray | readonly (number | string | boolean | null)[];

/** Writes a table of `TableColumn`s. */
export interface WideTableWriter {
  write(rows: { readonly length: number; readonly columns: readonly Cells[] }): Promise<void>;
  finish(metadata: Readonly<Record<string, string>>): Promise<void>;
}

/** The words of a STRING column, row by row. */
export function words(codes: ArrayLike<number>, { name, values }: Pick<ColumnSpec, 'name' | 'values'>): string[] {
  if (!values) throw new TypeError(`column ${name} has no list of values`);
  return Array.from(codes, (code) => values[code]!);
}

/** A column of whole numbers as 64-bit integers. */
export function bigints(values: ArrayLike<number>): BigInt64Array {
  const result = new BigInt64Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = BigInt(values[i]!);
  return result;
}

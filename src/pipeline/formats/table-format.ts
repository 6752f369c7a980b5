import type { FileMetaData } from 'hyparquet';
import type { Column, ColumnArray, ColumnType } from '../core/schema.ts';
import type { ByteTarget } from './byte-target.ts';

/** Rows of a table: one array a column, in the order of the table's columns. */
export interface Rows {
  readonly length: number;
  readonly columns: readonly ColumnArray[];
}

/** How the numbers of a Parquet file are packed. */
export const COMPRESSIONS = ['none', 'snappy', 'zstd'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** Key-value metadata of a file. */
export type Metadata = Readonly<Record<string, string>>;

/** Key of the symbol, unit and meaning of each column. */
export const COLUMNS_KEY = 'eos.columns';

/** Writes a table into a target, one row group at a time. */
export interface TableWriter {
  /**
   * Writes a row group; the metadata is that of a file which ended here, for a recovery that may
   * count on it.
   */
  write(rows: Rows, metadata?: Metadata): Promise<void>;
  /**
   * Bytes that would make the file whole with these further rows and this metadata; they are not
   * written.
   */
  closing(rows: Rows, metadata: Metadata): Promise<Uint8Array>;
  /** Writes what closes the file, with this key-value metadata. */
  finish(metadata: Metadata): Promise<void>;
  /** Arrays for so many rows, where a writer reads some more easily than others. */
  arrays?(rows: number): readonly ColumnArray[];
}

/** Where a message of an Arrow file stands. */
export interface ArrowBlock {
  readonly offset: number;
  readonly metaDataLength: number;
  readonly bodyLength: number;
}

/**
 * The row groups that a file holds already, in the terms of its format. `end` is the first byte
 * behind them.
 */
export type TableState =
  | {
      readonly kind: 'parquet';
      readonly end: number;
      readonly footer: FileMetaData;
      /** How numbers are packed in it; undefined where it holds none. */
      readonly compression?: Compression | undefined;
    }
  | {
      readonly kind: 'arrow';
      readonly end: number;
      readonly batches: readonly ArrowBlock[];
      readonly dictionaries: readonly ArrowBlock[];
    };

/**
 * A file format: opens a table with these columns on a target, behind the row groups of `from` if
 * there are any.
 */
export type TableFormat = (
  target: ByteTarget,
  columns: readonly Column[],
  from?: TableState,
) => TableWriter;

/** A column of a table that is no run: it may also hold free text, truth values, and nulls. */
export interface TableColumn extends Omit<Column, 'type'> {
  readonly type: ColumnType | 'TEXT' | 'BOOLEAN';
  /** DOUBLE columns only: each row is a list of so many; its cells are those of all rows. */
  readonly listed?: number;
}

/** The values of a `TableColumn`: a typed array, or a plain one where there are texts or nulls. */
export type Cells = ColumnArray | readonly (number | string | boolean | null)[];

/** Rows of a table of `TableColumn`s. */
export interface WideRows {
  readonly length: number;
  readonly columns: readonly Cells[];
}

/** Writes a table of `TableColumn`s. */
export interface WideTableWriter {
  write(rows: WideRows, metadata?: Metadata): Promise<void>;
  closing(rows: WideRows, metadata: Metadata): Promise<Uint8Array>;
  finish(metadata: Metadata): Promise<void>;
  arrays?(rows: number): readonly ColumnArray[];
}

/** What the columns of a file mean, for its key-value metadata. */
export function columnsMetadata(columns: readonly TableColumn[]): Metadata {
  const described = columns.map(({ name, symbol, unit, meaning }) => [
    name,
    { symbol, unit, meaning },
  ]);
  return { [COLUMNS_KEY]: JSON.stringify(Object.fromEntries(described)) };
}

/** A column of whole numbers as 64-bit integers. */
export function bigints(values: ArrayLike<number>): BigInt64Array {
  const result = new BigInt64Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = BigInt(values[i]!);
  return result;
}

import type { Integrity } from '../../pipeline/formats/integrity.ts';
import type { TableField, TableFile, Values } from '../../pipeline/formats/table-file.ts';
import type { FeedOptions } from '../../pipeline/sources/training-log/feed.ts';
import type { Tally } from '../../pipeline/sources/training-log/log-error.ts';
import type { RowBlock } from '../../pipeline/sources/training-log/row-block.ts';
import type { RunHeader } from '../../pipeline/sources/training-log/run-header.ts';
import type { JobName } from './job.ts';

/** Command → reader. */
export type Call =
  | { readonly open: string }
  | { readonly read: ReadCall }
  | { readonly check: string }
  | { readonly job: JobName; readonly with: readonly unknown[] }
  | { readonly log: readonly string[]; readonly follow: boolean }
  | { readonly feed: FeedCall }
  /** The writer of the log has ended. */
  | { readonly until: true }
  /** So many blocks of rows have been taken in: more may come. */
  | { readonly more: number };

/**
 * Blocks of rows that may be under way, and after how many the reader is told that they were taken
 * in.
 */
export const AHEAD = 8;
export const TOLD_EVERY = 4;

export interface ReadCall {
  readonly table: number;
  readonly fields: readonly number[];
  readonly group: number;
  readonly from: number;
}

export type FeedCall = Pick<FeedOptions, 'format' | 'given' | 'pattern'>;

/** A table without its values. */
export type TableHead = Omit<TableFile, 'read' | 'groups'> & {
  readonly table: number;
  readonly fields: readonly TableField[];
  /** Rows, first byte and the one behind the last of each group. */
  readonly groups: Float64Array;
};

/** What was counted in a log while a block was read, and in front of which of its rows. */
export type Counted = {
  readonly [K in 'add' | 'value' | 'note' | 'column']: readonly [
    row: number,
    what: K,
    ...counted: Parameters<Tally[K]>,
  ];
}['add' | 'value' | 'note' | 'column'];

/** Reader → command. */
export type Reply =
  | { readonly opened: TableHead }
  | { readonly piece: { readonly length: number; readonly columns: readonly PackedValues[] } }
  | { readonly checked: Integrity }
  | { readonly done: unknown }
  | { readonly ready: true }
  | { readonly waits: true }
  | { readonly found: Parameters<FeedOptions['found']>[0] }
  | { readonly said: RunHeader }
  | { readonly rows: PackedRows; readonly counted: readonly Counted[] }
  | { readonly ended: true }
  | { readonly error: ToldError };

/** Rows of a log; null for columns of nothing but missing values. */
export type PackedRows = Omit<RowBlock, 'columns'> & {
  readonly columns: readonly (Float64Array | null)[];
};

/** An error as a message can hold it. */
export interface ToldError {
  readonly name: string;
  readonly message: string;
  readonly code?: string | undefined;
  readonly path?: string | undefined;
  /** Of a ConfigError. */
  readonly parameter?: string | undefined;
}

/** Values of a column; texts, which mostly repeat themselves, as codes for words. */
export type PackedValues =
  | { readonly plain: Values }
  | { readonly codes: Int32Array; readonly words: readonly string[] };

export function packed(values: Values): PackedValues {
  if (ArrayBuffer.isView(values)) return { plain: values };
  const places = new Map<string, number>();
  const codes = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value !== null && typeof value !== 'string') return { plain: values };
    if (value === null) codes[i] = -1;
    else {
      let code = places.get(value);
      if (code === undefined) {
        code = places.size;
        places.set(value, code);
      }
      codes[i] = code;
    }
  }
  return { codes, words: [...places.keys()] };
}

export function unpacked(values: PackedValues): Values {
  if ('plain' in values) return values.plain;
  const { codes, words } = values;
  return Array.from(codes, (code) => (code < 0 ? null : words[code]!));
}

export function packedRows({ length, line, columns }: RowBlock): PackedRows {
  const some = columns.map((column) => column.subarray(0, length));
  return {
    length,
    line: line.subarray(0, length),
    columns: some.map((column) => (column.some((value) => !Number.isNaN(value)) ? column : null)),
  };
}

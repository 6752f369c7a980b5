import type { Column, ColumnArray } from '../core/schema.ts';
import { damaged } from './limits.ts';
import type { Values } from './table-file.ts';
import type { Metadata, Rows, TableState } from './table-format.ts';

/** The row groups of a file that is to be continued, or put in order. */
export interface StoredTable {
  readonly kind: 'parquet' | 'arrow';
  /** Rows of each group, and the first byte behind it. */
  readonly groups: readonly { readonly rows: number; readonly end: number }[];
  /** Names of the columns. */
  readonly columns: readonly string[];
  readonly metadata: Metadata;
  /** The first `count` groups, for a writer that goes on behind them. */
  state(count: number): TableState;
  /** What closes a file of the first `count` groups. */
  closing(count: number, metadata: Metadata): Uint8Array;
  /** Rows of one group. */
  read(group: number, columns: readonly Column[]): Promise<Rows>;
}

/**
 * Values of a file as the array of their column: words as codes, where a word that the column does
 * not know is an error.
 */
export function memoryArray(values: Values, spec: Column): ColumnArray {
  const { name, type, words, nullable } = spec;
  if (!words) {
    const numbers = Float64Array.from(values, (value) =>
      typeof value === 'number' || (nullable && value === null)
        ? (value ?? Number.NaN)
        : damaged(`column ${name} holds ${String(value)}, which is not a number`),
    );
    return type === 'INT32' ? Int32Array.from(numbers) : numbers;
  }
  const known = new Map<unknown, number>(words.map((word, code) => [word, code]));
  return Uint8Array.from(
    values,
    (word) => known.get(word) ?? damaged(`column ${name} holds a word that it cannot hold`),
  );
}

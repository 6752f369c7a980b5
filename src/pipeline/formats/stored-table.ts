import type { Column } from '../core/schema.ts';
import type { Metadata, Rows, TableState } from './table-format.ts';

/** The row groups of a file that is to be continued, or put in order. */
export interface StoredTable {
  readonly kind: 'parquet' | 'arrow';
  /** Rows of each group, and the first byte behind it. */
  readonly groups: readonly { readonly rows: number; readonly end: number }[];
  readonly metadata: Metadata;
  /** The first `count` groups, for a writer that goes on behind them. */
  state(count: number): TableState;
  /** What closes a file of the first `count` groups. */
  closing(count: number, metadata: Metadata): Uint8Array;
  /** Rows of one group. */
  read(group: number, columns: readonly Column[]): Promise<Rows>;
}

/** A file that does not hold what it should: says what is wrong in it. */
export class DamagedFileError extends Error {
  override readonly name = 'DamagedFileError';
}

/** Strings as the codes of their column; a word that the column does not know is an error. */
export function codesOf(values: ArrayLike<unknown>, { name, words = [] }: Column): Uint8Array {
  const known = new Map<unknown, number>(words.map((word, code) => [word, code]));
  return Uint8Array.from({ length: values.length }, (_, i) => {
    const code = known.get(values[i]);
    if (code === undefined)
      throw new DamagedFileError(`column ${name} holds a word that it cannot hold`);
    return code;
  });
}

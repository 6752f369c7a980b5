/** Parquet physical type of a column; a STRING column lives in memory as codes into its `words`. */
export type ColumnType = 'INT64' | 'INT32' | 'DOUBLE' | 'STRING';

/** One column of a table: what it is called, how it is stored, and what its numbers mean. */
export interface Column<Name extends string = string, Type extends ColumnType = ColumnType> {
  readonly name: Name;
  readonly type: Type;
  /** Symbol in the formulas of the model. */
  readonly symbol: string;
  readonly unit: string;
  readonly meaning: string;
  /** STRING columns only: the words that the codes 0, 1, … stand for. */
  readonly words?: readonly string[];
  /** DOUBLE columns only: whether values may be missing; NaN in memory, NULL in a file. */
  readonly nullable?: boolean;
}

/** The columns of a table, in order. */
export type Schema = readonly Column[];

/** In memory: step counts as float64 (exact to 2⁵³), strings as codes. */
export type ColumnArray = Float64Array | Int32Array | Uint8Array;

export type ArrayOf<T extends ColumnType> = T extends 'INT32'
  ? Int32Array
  : T extends 'STRING'
    ? Uint8Array
    : Float64Array;

/** The typed array of each column of a schema, by name. */
export type ArraysOf<S extends Schema> = {
  readonly [C in S[number] as C['name']]: ArrayOf<C['type']>;
};

/** A fresh array of `length` values for a column of that type. */
export function columnArray(type: ColumnType, length: number): ColumnArray {
  if (type === 'INT32') return new Int32Array(length);
  if (type === 'STRING') return new Uint8Array(length);
  return new Float64Array(length);
}

/** Fresh arrays of `length` values for all columns of a schema. */
export function arraysOf<const S extends Schema>(schema: S, length: number): ArraysOf<S> {
  return Object.fromEntries(
    schema.map(({ name, type }) => [name, columnArray(type, length)]),
  ) as ArraysOf<S>;
}

/** Makes the arrays of columns by name, the same ones each time: for readers that keep nothing. */
export function reusedArrays(pool = new Map<string, ColumnArray>()): typeof arraysOf {
  return <const S extends Schema>(schema: S, length: number) =>
    Object.fromEntries(
      schema.map(({ name, type }) => {
        const known = pool.get(name);
        const array = known && known.length >= length ? known : columnArray(type, length);
        pool.set(name, array);
        return [name, array.subarray(0, length)];
      }),
    ) as ArraysOf<S>;
}

/**
 * The schema with these columns behind it; a column of the same name takes the place of the old
 * one.
 */
export function extendSchema(schema: Schema, added: Schema): Schema {
  const names = new Set(added.map(({ name }) => name));
  return [...schema.filter(({ name }) => !names.has(name)), ...added];
}

/** The columns in the order of these names; columns that are not named come last, as they stand. */
export function orderSchema(schema: Schema, names: readonly string[]): Schema {
  const place = (name: string) => {
    const at = names.indexOf(name);
    return at < 0 ? names.length : at;
  };
  return [...schema].sort((a, b) => place(a.name) - place(b.name));
}

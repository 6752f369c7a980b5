import { unsupported } from '../../pipeline/formats/limits.ts';
import type { TableFile, Values } from '../../pipeline/formats/table-file.ts';

/** Rows of some columns: as many of a row group as are handed over at once. */
export interface Piece {
  readonly length: number;
  readonly columns: readonly Values[];
}

/** A table whose rows are handed over piece by piece, however large its row groups are. */
export interface TableInPieces extends Omit<TableFile, 'read'> {
  /** @throws DamagedFileError where one of the columns cannot be read */
  read(fields: readonly number[], group: number, from: number): Promise<Piece>;
}

/** Bytes of values that a piece holds, and those that a single row may hold. */
const PIECE = 1 << 21;
const ROW = 1 << 24;
const BYTES_A_NUMBER = 8;
/** What an object takes beside its content. */
const BYTES_AN_OBJECT = 16;

/** The same table in pieces; of the row group that is being read its columns are kept. */
export function inPieces(table: TableFile): TableInPieces {
  let held = { group: -1, columns: new Map<number, Values>() };

  const columnOf = async (field: number, group: number): Promise<Values> => {
    const { columns } = held;
    const values = columns.get(field) ?? compact(await table.read(field, group));
    columns.set(field, values);
    return values;
  };
  return {
    ...table,
    async read(fields, group, from) {
      if (held.group !== group) held = { group, columns: new Map() };
      const columns: Values[] = [];
      for (const field of fields) columns.push(await columnOf(field, group));
      const rows = table.groups[group]?.rows ?? 0;
      const to = endOfPiece(columns, from, rows);
      if (to === rows) held = { group: -1, columns: new Map() };
      return { length: to - from, columns: columns.map((values) => part(values, from, to)) };
    },
  };
}

/** Numbers, none of which is missing, take half as much in an array of their own. */
function compact(values: Values): Values {
  if (ArrayBuffer.isView(values)) return values;
  for (let i = 0; i < values.length; i++) if (typeof values[i] !== 'number') return values;
  return Float64Array.from(values as ArrayLike<number>);
}

/** The row behind the last one of the piece that begins with row `from`. */
function endOfPiece(columns: readonly Values[], from: number, rows: number): number {
  const texts = columns.filter((values) => !ArrayBuffer.isView(values));
  const numbers = (columns.length - texts.length) * BYTES_A_NUMBER;
  let left = PIECE;
  for (let row = from; row < rows; row++) {
    const bytes = texts.reduce((sum, values) => sum + bytesOf(values[row]), numbers);
    if (bytes > left && row > from) return row;
    if (bytes > ROW) unsupported(`one of its rows holds ${bytes} bytes, more than is read at once`);
    left -= bytes;
  }
  return rows;
}

function bytesOf(value: unknown): number {
  if (typeof value === 'string') return BYTES_AN_OBJECT + 2 * value.length;
  if (ArrayBuffer.isView(value)) return BYTES_AN_OBJECT + value.byteLength;
  if (!Array.isArray(value)) return BYTES_A_NUMBER;
  return value.reduce<number>((sum, each) => sum + bytesOf(each), BYTES_AN_OBJECT);
}

function part(values: Values, from: number, to: number): Values {
  return ArrayBuffer.isView(values)
    ? (values as unknown as Float64Array).subarray(from, to)
    : Array.prototype.slice.call(values, from, to);
}

import { DataType, type Schema, type Table, type Vector } from 'apache-arrow';
import { openAnyArrow } from '../../pipeline/formats/arrow/arrow-any.ts';
import { DamagedFileError } from '../../pipeline/formats/stored-table.ts';
import type { ByteSource } from './bytes.ts';
import {
  type ColumnValues,
  MAX_ROWS,
  RunFileError,
  type TableColumn,
  type TableSource,
  wordCoder,
} from './table.ts';

/** Bytes of record batches that are kept, unpacked: one is read again for every column otherwise. */
const KEPT_BYTES = 256 * 1024 * 1024;

/**
 * Opens an Arrow IPC file or stream. Its record batches are read when they are asked for.
 *
 * @throws RunFileError where it is cut off or no Arrow file
 */
export async function openArrow(file: ByteSource): Promise<TableSource> {
  const table = await refused(() => openAnyArrow(file));
  if (table.rows > MAX_ROWS)
    throw new RunFileError(
      `it has ${table.rows} rows; this page shows up to ${MAX_ROWS} (thin the run with --every)`,
    );
  const columns = tableColumns(table.schema);
  const coders = new Map(
    columns.filter(({ kind }) => kind === 'string').map(({ name }) => [name, wordCoder()]),
  );
  const batch = keptBatches(table.read);
  let start = 0;
  const groups = table.batches.map(({ rows }, index) => {
    const group = { start, rows, key: `${index}:${rows}` };
    start += rows;
    return group;
  });
  return {
    rows: table.rows,
    bytes: file.byteLength,
    columns,
    groups,
    metadata: Object.fromEntries(table.schema.metadata),
    words: (column) => coders.get(column)?.words ?? [],
    async read(column, index) {
      const vector = (await refused(() => batch(index))).getChild(column);
      if (!vector) throw new RunFileError(`the file has no column ${column}`);
      try {
        const coder = coders.get(column);
        return coder ? toCodes(vector, coder.code) : toNumbers(vector);
      } catch (error) {
        if (error instanceof RunFileError) throw error;
        throw new RunFileError(
          `the file is damaged: column ${column} cannot be read (${error instanceof Error ? error.message : error})`,
        );
      }
    },
  };
}

/** Tells what is wrong in words of this page. */
async function refused<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (!(error instanceof DamagedFileError)) throw error;
    const { message } = error;
    if (message.includes('not read')) throw new RunFileError(message);
    const help = message.includes('no Arrow footer') ? ' (eos recover may save it)' : '';
    throw new RunFileError(`the file is damaged: ${message}${help}`);
  }
}

/** The batches that were asked for last, as many as memory allows. */
function keptBatches(read: (index: number) => Promise<Table>): (index: number) => Promise<Table> {
  const kept = new Map<number, { readonly table: Promise<Table>; bytes: number }>();
  return (index) => {
    const known = kept.get(index);
    const entry = known ?? { table: read(index), bytes: 0 };
    kept.delete(index);
    kept.set(index, entry);
    if (known) return entry.table;
    entry.table.then(
      ({ data }) => {
        entry.bytes = data.reduce((sum, { byteLength }) => sum + byteLength, 0);
        let bytes = [...kept.values()].reduce((sum, other) => sum + other.bytes, 0);
        for (const [oldest, other] of kept) {
          if (bytes <= KEPT_BYTES || oldest === index) break;
          kept.delete(oldest);
          bytes -= other.bytes;
        }
      },
      () => kept.delete(index),
    );
    return entry.table;
  };
}

function tableColumns({ fields }: Schema): TableColumn[] {
  // Of columns of one name it is the first that is read.
  const named = new Map(fields.toReversed().map((field) => [field.name, field]));
  return fields.flatMap((field): TableColumn[] => {
    const { name, type } = field;
    if (named.get(name) !== field) return [];
    if (DataType.isInt(type) || DataType.isFloat(type)) return [{ name, kind: 'number' }];
    if (isText(DataType.isDictionary(type) ? type.dictionary : type))
      return [{ name, kind: 'string' }];
    return [];
  });
}

function isText(type: DataType): boolean {
  return DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type);
}

function toNumbers(vector: Vector): ColumnValues {
  const out = new Float64Array(vector.length);
  const raw = vector.nullCount === 0 ? vector.toArray() : undefined;
  if (raw instanceof Float64Array && raw.length === out.length) return raw.slice();
  if ((raw instanceof BigInt64Array || raw instanceof Int32Array) && raw.length === out.length) {
    for (let i = 0; i < out.length; i++) out[i] = Number(raw[i]);
    return out;
  }
  for (let i = 0; i < out.length; i++) {
    const value: unknown = vector.get(i);
    out[i] =
      typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : Number.NaN;
  }
  return out;
}

function toCodes(vector: Vector, code: (word: string) => number): ColumnValues {
  const out = new Uint16Array(vector.length);
  for (let i = 0; i < out.length; i++) {
    const value: unknown = vector.get(i);
    out[i] = code(typeof value === 'string' ? value : '');
  }
  return out;
}

import { DataType, type RecordBatch, RecordBatchReader, type Vector } from 'apache-arrow';
import { startGuard } from './arrow-guard.ts';
import type { ByteSource } from './bytes.ts';
import { type ColumnValues, MAX_ROWS, RunFileError, type TableColumn, type TableSource, wordCoder } from './table.ts';

/**
 * Opens an Arrow IPC file. The whole file is held, since its batches are views into it.
 *
 * @throws RunFileError where it is cut off or no Arrow file
 */
export async function openArrow(file: ByteSource): Promise<TableSource> {
  const bytes = new Uint8Array(await file.slice(0, file.byteLength));
  const { batches, metadata } = readBatches(bytes);
  const first = batches[0];
  const columns = first ? tableColumns(first) : [];
  const coders = new Map(columns.filter(({ kind }) => kind === 'string').map(({ name }) => [name, wordCoder()]));
  let rows = 0;
  const groups = batches.map((batch, index) => {
    const group = { start: rows, rows: batch.numRows, key: `${index}:${batch.numRows}` };
    rows += batch.numRows;
    return group;
  });
  // Every row takes at least the four bytes of a step.
  if (batches.some(({ numRows }) => !(numRows >= 0 && numRows * 4 <= file.byteLength)) || rows * 4 > file.byteLength) {
    throw new RunFileError(`the file is damaged: it claims ${rows} rows in ${file.byteLength} bytes`);
  }
  if (rows > MAX_ROWS)
    throw new RunFileError(`it has ${rows} rows; this page shows up to ${MAX_ROWS} (thin the run with --every)`);
  return {
    rows,
    bytes: file.byteLength,
    columns,
    groups,
    metadata,
    words: (column) => coders.get(column)?.words ?? [],
    async read(column, index) {
      const vector = batches[index]?.getChild(column);
      if (!vector) throw new RunFileError(`the file has no column ${column}`);
      if (vector.length !== batches[index]?.numRows) {
        throw new RunFileError(`the file is damaged: column ${column} claims ${vector.length} rows`);
      }
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

function readBatches(bytes: Uint8Array): { batches: RecordBatch[]; metadata: Record<string, string> } {
  const tail = String.fromCharCode(...bytes.subarray(-6));
  if (tail !== 'ARROW1')
    throw new RunFileError('the file is cut off: it has no Arrow footer at its end (eos recover may save it)');
  startGuard(bytes.length);
  try {
    const reader = RecordBatchReader.from(bytes).open();
    // The footer's schema: only there does a run's summary stand. Iterating closes the reader and forgets it.
    const metadata = Object.fromEntries(reader.schema.metadata);
    return { batches: [...reader], metadata };
  } catch (error) {
    if (error instanceof RunFileError) throw error;
    throw new RunFileError(
      `the file is damaged: not readable as Arrow (${error instanceof Error ? error.message : error})`,
    );
  }
}

function tableColumns(batch: RecordBatch): TableColumn[] {
  return batch.schema.fields.flatMap(({ name, type }): TableColumn[] => {
    if (DataType.isInt(type) || DataType.isFloat(type)) return [{ name, kind: 'number' }];
    if (DataType.isUtf8(type) || (DataType.isDictionary(type) && DataType.isUtf8(type.dictionary)))
      return [{ name, kind: 'string' }];
    return [];
  });
}

function toNumbers(vector: Vector): ColumnValues {
  const out = new Float64Array(vector.length);
  const raw = vector.nullCount === 0 ? vector.toArray() : undefined;
  if (raw instanceof Float64Array && raw.length === out.length) return raw.slice();
  if (raw instanceof BigInt64Array || raw instanceof Int32Array) {
    for (let i = 0; i < out.length; i++) out[i] = Number(raw[i]);
    return out;
  }
  for (let i = 0; i < out.length; i++) {
    const value: unknown = vector.get(i);
    out[i] = typeof value === 'number' ? value : typeof value === 'bigint' ? Number(value) : Number.NaN;
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

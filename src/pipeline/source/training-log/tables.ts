import type { AsyncBuffer } from 'hyparquet';
import { parseValue } from './cell.ts';
import { chooseColumns, type GivenColumns } from './column-names.ts';
import { LogError, type Tally } from './log-error.ts';
import { ROW_FIELDS, type RowField, type RowTaker } from './row-block.ts';

/** Rows read at once. */
const SLICE = 1 << 15;

type Columns = { readonly [F in RowField]?: ArrayLike<unknown> };

/** Reads the rows of a Parquet file; yields after each slice of them. */
export async function* readParquet(
  file: AsyncBuffer,
  rows: RowTaker,
  tally: Tally,
  given: GivenColumns,
): AsyncGenerator<void> {
  const { parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  const metadata = await parquetMetadataAsync(file).catch((error: unknown) => {
    throw new LogError(`a damaged or unfinished Parquet file: ${reason(error)}`);
  });
  const names = topLevelNames(metadata.schema);
  const chosen = chooseColumns(names, given, null);
  const wanted = ROW_FIELDS.filter((field) => chosen[field] >= 0).map(
    (field) => [field, names[chosen[field]]!] as const,
  );
  const columns = [...new Set(wanted.map(([, name]) => name))];
  let first = 0;
  for (const group of metadata.row_groups) {
    const end = first + Number(group.num_rows);
    for (let rowStart = first; rowStart < end; rowStart += SLICE) {
      const rowEnd = Math.min(end, rowStart + SLICE);
      const objects = await parquetReadObjects({ file, metadata, columns, compressors, rowStart, rowEnd }).catch(
        (error: unknown) => {
          throw new LogError(`rows ${rowStart + 1} to ${rowEnd} of the Parquet file cannot be read: ${reason(error)}`);
        },
      );
      const slice = Object.fromEntries(
        wanted.map(([field, name]) => [field, objects.map((object) => object[name] as unknown)]),
      );
      takeColumns(slice, objects.length, rowStart + 1, rows, tally);
      yield;
    }
    first = end;
  }
}

/** Reads the rows of an Arrow file or stream; yields after each record batch. */
export async function* readArrow(
  chunks: AsyncIterable<Uint8Array>,
  rows: RowTaker,
  tally: Tally,
  given: GivenColumns,
): AsyncGenerator<void> {
  const { RecordBatchReader } = await import('apache-arrow');
  let row = 1;
  try {
    const reader = await RecordBatchReader.from(chunks);
    await reader.open();
    const names = reader.schema.fields.map(({ name }) => name);
    const chosen = chooseColumns(names, given, null);
    for await (const batch of reader) {
      const slice: { [F in RowField]?: unknown[] } = {};
      for (const field of ROW_FIELDS) {
        if (chosen[field] >= 0) slice[field] = Array.from(batch.getChildAt(chosen[field]) ?? []) as unknown[];
      }
      takeColumns(slice, batch.numRows, row, rows, tally);
      row += batch.numRows;
      yield;
    }
  } catch (error) {
    if (error instanceof LogError) throw error;
    throw new LogError(`a damaged, unfinished or compressed Arrow file: ${reason(error)}`);
  }
}

function takeColumns(columns: Columns, length: number, first: number, rows: RowTaker, tally: Tally): void {
  const values = new Float64Array(ROW_FIELDS.length);
  for (let i = 0; i < length; i++) {
    const line = first + i;
    let good = true;
    for (let f = 0; f < ROW_FIELDS.length && good; f++) {
      const field = ROW_FIELDS[f]!;
      const value = parseValue(columns[field]?.[i]);
      if (value === undefined) {
        tally.add(`${field} is not a number`, line);
        good = false;
      } else values[f] = value;
    }
    if (!good) continue;
    const [step, loss, sharpness, eta] = values;
    if (Number.isNaN(loss) && Number.isNaN(sharpness)) tally.add('no loss and no sharpness', line);
    else rows.row(line, step!, loss!, sharpness!, eta!);
  }
}

function topLevelNames(schema: readonly { readonly name: string; readonly num_children?: number }[]): string[] {
  const names: string[] = [];
  let at = 1;
  const skip = (index: number): number => {
    let next = index + 1;
    for (let n = 0; n < (schema[index]?.num_children ?? 0); n++) next = skip(next);
    return next;
  };
  while (at < schema.length) {
    names.push(schema[at]!.name);
    at = skip(at);
  }
  return names;
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!.slice(0, 160);
}

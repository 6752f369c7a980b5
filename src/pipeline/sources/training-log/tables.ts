import type { Table, Vector } from 'apache-arrow';
import type { AsyncBuffer, Compressors, FileMetaData } from 'hyparquet';
import { memorySource } from '../../formats/byte-source.ts';
import { concatBytes } from '../../formats/byte-target.ts';
import { parseValue } from './cell.ts';
import { chooseColumns, type GivenColumns } from './column-names.ts';
import { LogError, type Tally } from './log-error.ts';
import { ROW_FIELDS, type RowField, type RowTaker } from './row-block.ts';

/** Bytes of an Arrow file that comes through a pipe. */
const LARGEST = 1 << 28;
/** Rows read at once. */
const SLICE = 1 << 15;

/** Types of lists, as apache-arrow numbers them: list, list of fixed size, large list. */
const LISTS: ReadonlySet<number> = new Set([12, 16, 21]);
const NO_NUMBER = {};

type Columns = { readonly [F in RowField]?: ArrayLike<unknown> };

/** Reads the rows of a Parquet file; yields after each slice of them. */
export async function* readParquet(
  file: AsyncBuffer,
  rows: RowTaker,
  tally: Tally,
  given: GivenColumns,
): AsyncGenerator<void> {
  const { openParquet } = await import('../../formats/parquet/parquet-table.ts');
  const { compressors } = await import('../../formats/parquet/parquet-compressors.ts');
  const source = {
    byteLength: file.byteLength,
    slice: async (start: number, end?: number) => file.slice(start, end),
  };
  const { footer, fields, read } = await openParquet(source, compressors).catch(
    (error: unknown) => {
      throw new LogError(`a damaged or unfinished Parquet file: ${reason(error)}`);
    },
  );
  const names = topLevelNames(footer.schema);
  const chosen = chooseColumns(names, given, null);
  const flat = new Set(fields.map(({ name }) => name));
  let first = 0;
  for (const [group, { num_rows }] of footer.row_groups.entries()) {
    const length = Number(num_rows);
    const columns: { [F in RowField]?: ArrayLike<unknown> } = {};
    try {
      for (const field of ROW_FIELDS) {
        const name = names[chosen[field]];
        if (name === undefined) continue;
        columns[field] = flat.has(name)
          ? await read(name, group)
          : await readNested(file, footer, name, first, first + length, compressors);
      }
    } catch (error) {
      throw new LogError(
        `rows ${first + 1} to ${first + length} of the Parquet file cannot be read: ${reason(error)}`,
      );
    }
    for (let from = 0; from < length; from += SLICE) {
      const to = Math.min(length, from + SLICE);
      takeColumns(columns, from, to, first + 1, rows, tally);
      yield;
    }
    first += length;
  }
}

/** A column of lists, such as all eigenvalues of each row, for rows of one row group. */
async function readNested(
  file: AsyncBuffer,
  metadata: FileMetaData,
  name: string,
  rowStart: number,
  rowEnd: number,
  compressors: Compressors,
): Promise<readonly unknown[]> {
  const { parquetReadObjects } = await import('hyparquet');
  const { LIMITS } = await import('../../formats/limits.ts');
  for (const { columns } of metadata.row_groups) {
    for (const { meta_data } of columns) {
      if (
        meta_data?.path_in_schema[0] === name &&
        meta_data.total_uncompressed_size > LIMITS.chunk
      ) {
        throw new LogError(`its column ${name} is too large`);
      }
    }
  }
  const objects = await parquetReadObjects({
    file,
    metadata,
    columns: [name],
    compressors,
    rowStart,
    rowEnd,
  });
  return objects.map((object): unknown => object[name]);
}

/** Reads the rows of an Arrow file or stream; yields after each slice of them. */
export async function* readArrow(
  chunks: AsyncIterable<Uint8Array>,
  rows: RowTaker,
  tally: Tally,
  given: GivenColumns,
  file?: AsyncBuffer,
): AsyncGenerator<void> {
  let row = 1;
  try {
    for await (const table of arrowTables(chunks, file)) {
      const chosen = chooseColumns(
        table.schema.fields.map(({ name }) => String(name)),
        given,
        null,
      );
      for (let from = 0; from < table.numRows; from += SLICE) {
        const part = table.slice(from, from + SLICE);
        const columns: { [F in RowField]?: ArrayLike<unknown> } = {};
        for (const field of ROW_FIELDS) {
          const column = chosen[field] >= 0 ? part.getChildAt(chosen[field]) : null;
          if (column) columns[field] = arrowValues(column);
        }
        takeColumns(columns, 0, part.numRows, row, rows, tally);
        row += part.numRows;
        yield;
      }
    }
  } catch (error) {
    if (error instanceof LogError) throw error;
    const problem = reason(error);
    throw new LogError(
      problem.includes('not read')
        ? `an Arrow file of a kind that is not read here: ${problem}`
        : `a damaged or unfinished Arrow file: ${problem}`,
    );
  }
}

/** Values of a column; of lists the largest number at once, since a list of them all would take far more memory. */
function arrowValues(column: Vector): unknown[] {
  const { type } = column;
  const [item] = type.children ?? [];
  if (!item) return Array.from<unknown>(column);
  if (!LISTS.has(type.typeId) || item.type.children?.length) {
    // There is no number in anything else, and looking into each row would take long.
    return Array.from({ length: column.length }, (_, i) => (column.isValid(i) ? NO_NUMBER : null));
  }
  return Array.from(column as Iterable<unknown>, (value) => {
    const number = parseValue(value) ?? NO_NUMBER;
    return Number.isNaN(number) ? null : number;
  });
}

/** Record batches of a file, which has its footer at the end, or of a stream. */
async function* arrowTables(
  chunks: AsyncIterable<Uint8Array>,
  file?: AsyncBuffer,
): AsyncGenerator<Table> {
  const iterator = chunks[Symbol.asyncIterator]();
  const { value: head = new Uint8Array(0) } = await iterator.next();
  const rest = prefixed(head, iterator);
  if (new TextDecoder('latin1').decode(head.subarray(0, 6)) !== 'ARROW1') {
    const { readArrowStream } = await import('../../formats/arrow/arrow-stream.ts');
    yield* readArrowStream(rest);
    return;
  }
  const { openArrow } = await import('../../formats/arrow/arrow-table.ts');
  const { batches, read } = await openArrow(
    file
      ? { byteLength: file.byteLength, slice: async (start, end) => file.slice(start, end) }
      : memorySource(await collected(rest)),
  );
  for (let batch = 0; batch < batches.length; batch++) yield read(batch);
}

async function* prefixed(
  head: Uint8Array,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield head;
  for (;;) {
    const { value, done } = await iterator.next();
    if (done) return;
    yield value;
  }
}

async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > LARGEST)
      throw new LogError('an Arrow file that is too large to be read from a pipe; name the file');
    parts.push(chunk);
  }
  return concatBytes(parts);
}

function takeColumns(
  columns: Columns,
  from: number,
  to: number,
  first: number,
  rows: RowTaker,
  tally: Tally,
): void {
  const values = new Float64Array(ROW_FIELDS.length);
  for (let i = from; i < to; i++) {
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

function topLevelNames(
  schema: readonly { readonly name: string; readonly num_children?: number }[],
): string[] {
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

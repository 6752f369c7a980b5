import {
  type ColumnMetaData,
  type DecodedArray,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
} from 'hyparquet';
import type { ByteSource } from './bytes.ts';
import { checkChunk, checkFooter } from './guard.ts';
import {
  type ColumnValues,
  MAX_STRING,
  RunFileError,
  type TableColumn,
  type TableGroup,
  type TableSource,
  wordCoder,
} from './table.ts';

/** Row groups are fetched whole, with their neighbours, up to this size; of larger ones only the asked column is. */
const SEGMENT_BYTES = 1 << 20;
const SEGMENTS_KEPT = 8;
const NUMBERS = new Set(['INT32', 'INT64', 'FLOAT', 'DOUBLE']);

/**
 * Opens a Parquet file: reads its footer, and later only the column chunks that are asked for.
 *
 * @throws RunFileError where the file is no Parquet file, is cut off, or its footer cannot be true
 */
export async function openParquet(file: ByteSource): Promise<TableSource> {
  const footer = await readFooter(file);
  const columns = tableColumns(footer);
  const optional = new Set(
    footer.schema
      .filter((element) => element.repetition_type !== 'REQUIRED')
      .map(({ name }) => name),
  );
  const bytes = segments(file, footer);
  const coders = new Map(
    columns.filter(({ kind }) => kind === 'string').map(({ name }) => [name, wordCoder()]),
  );
  return {
    rows: Number(footer.num_rows),
    bytes: file.byteLength,
    columns,
    groups: tableGroups(footer),
    metadata: Object.fromEntries(
      (footer.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']),
    ),
    words: (column) => coders.get(column)?.words ?? [],
    async read(column, index) {
      const group = footer.row_groups[index];
      const chunk = group?.columns.find(
        ({ meta_data }) => meta_data?.path_in_schema[0] === column,
      )?.meta_data;
      if (!group || !chunk) throw new RunFileError(`the file has no column ${column}`);
      const start = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
      const chunkBytes = await bytes(index, start, start + Number(chunk.total_compressed_size));
      try {
        checkChunk(chunkBytes, chunk, optional.has(column));
      } catch (error) {
        throw unreadable(column, error);
      }
      const rows = Number(group.num_rows);
      const pages = await decode(
        chunkBytes,
        start,
        file.byteLength,
        { ...footer, row_groups: [group] },
        column,
        rows,
      );
      const coder = coders.get(column);
      return coder ? toCodes(pages, rows, coder.code) : toNumbers(pages, rows);
    },
  };
}

async function readFooter(file: ByteSource): Promise<FileMetaData> {
  if (file.byteLength < 12) throw new RunFileError('the file is empty or cut off');
  const magic = file.slice(0, 4);
  let footer: FileMetaData;
  try {
    footer = await parquetMetadataAsync(
      { byteLength: file.byteLength, slice: (start, end) => file.slice(start, end) },
      { geoparquet: false },
    );
  } catch (error) {
    checkMagic(await magic);
    if (error instanceof RunFileError) throw error;
    throw new RunFileError(
      'the file is cut off or damaged: it has no readable Parquet footer at its end (eos recover may save it)',
    );
  }
  checkMagic(await magic);
  checkFooter(footer, file.byteLength);
  return footer;
}

function checkMagic(start: ArrayBuffer): void {
  if (String.fromCharCode(...new Uint8Array(start)) === 'PAR1') return;
  throw new RunFileError('this is neither a Parquet nor an Arrow file');
}

function tableColumns(footer: FileMetaData): TableColumn[] {
  // The root comes first; only leaves directly below it are columns that the page can draw.
  const columns: TableColumn[] = [];
  for (let i = 1; i < footer.schema.length; i++) {
    const element = footer.schema[i]!;
    if (element.num_children) {
      i += element.num_children;
      continue;
    }
    if (element.repetition_type === 'REPEATED' || !element.type) continue;
    if (NUMBERS.has(element.type)) columns.push({ name: element.name, kind: 'number' });
    else if (element.type === 'BYTE_ARRAY') columns.push({ name: element.name, kind: 'string' });
  }
  return columns;
}

function tableGroups(footer: FileMetaData): TableGroup[] {
  let start = 0;
  return footer.row_groups.map((group) => {
    const rows = Number(group.num_rows);
    const step = group.columns.find(
      ({ meta_data }) => meta_data?.path_in_schema[0] === 'step',
    )?.meta_data;
    const first = group.columns[0]?.meta_data;
    const key = `${first?.data_page_offset}:${rows}:${group.total_byte_size}`;
    const low = Number(step?.statistics?.min_value ?? Number.NaN);
    const high = Number(step?.statistics?.max_value ?? Number.NaN);
    const steps =
      Number.isFinite(low) && Number.isFinite(high) && low <= high
        ? { steps: [low, high] as const }
        : {};
    const entry = { start, rows, key, ...steps };
    start += rows;
    return entry;
  });
}

/** Reads byte ranges of row groups, small neighbouring groups by one request and kept for the next column. */
function segments(file: ByteSource, footer: FileMetaData) {
  const ranges = footer.row_groups.map((group) => {
    const chunks = group.columns.map(({ meta_data }) => meta_data as ColumnMetaData);
    const starts = chunks.map((chunk) =>
      Number(chunk.dictionary_page_offset || chunk.data_page_offset),
    );
    return {
      start: Math.min(...starts),
      end: Math.max(...chunks.map((chunk, i) => starts[i]! + Number(chunk.total_compressed_size))),
    };
  });
  const segmentOf: number[] = [];
  const bounds: { start: number; end: number }[] = [];
  for (const { start, end } of ranges) {
    const last = bounds.at(-1);
    if (last && start >= last.end && end - last.start <= SEGMENT_BYTES) last.end = end;
    else bounds.push({ start, end });
    segmentOf.push(bounds.length - 1);
  }
  const kept = new Map<number, Promise<ArrayBuffer>>();
  return async (group: number, start: number, end: number): Promise<ArrayBuffer> => {
    const index = segmentOf[group]!;
    const segment = bounds[index]!;
    if (segment.end - segment.start > SEGMENT_BYTES) return file.slice(start, end);
    let whole = kept.get(index);
    if (!whole) {
      whole = file.slice(segment.start, segment.end);
      whole.catch(() => kept.delete(index));
      kept.set(index, whole);
      const oldest = kept.keys().next().value;
      if (kept.size > SEGMENTS_KEPT && oldest !== undefined) kept.delete(oldest);
    }
    return (await whole).slice(start - segment.start, end - segment.start);
  };
}

async function decode(
  chunk: ArrayBuffer,
  offset: number,
  byteLength: number,
  metadata: FileMetaData,
  column: string,
  rows: number,
): Promise<DecodedArray[]> {
  const pages: DecodedArray[] = [];
  try {
    await parquetRead({
      file: {
        byteLength,
        slice: (start, end = byteLength) => chunk.slice(start - offset, end - offset),
      },
      metadata: { ...metadata, num_rows: BigInt(rows) },
      columns: [column],
      geoparquet: false,
      parsers: { stringFromBytes: shortString },
      onChunk: ({ columnData }) => pages.push(columnData),
    });
  } catch (error) {
    throw unreadable(column, error);
  }
  return pages;
}

function unreadable(column: string, error: unknown): RunFileError {
  if (error instanceof RunFileError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new RunFileError(`the file is damaged: column ${column} cannot be read (${why})`);
}

const decoder = new TextDecoder();
const shortString = (bytes: Uint8Array | undefined): string =>
  bytes ? decoder.decode(bytes.subarray(0, 4 * MAX_STRING)) : '';

function toNumbers(pages: readonly DecodedArray[], rows: number): ColumnValues {
  const only = pages[0];
  // A fresh copy where the page is a view into the chunk: the chunk's bytes can then be let go.
  if (pages.length === 1 && only instanceof Float64Array && only.length === rows)
    return only.slice();
  const out = new Float64Array(rows).fill(Number.NaN);
  let at = 0;
  for (const page of pages) {
    if (page instanceof Float64Array) out.set(page.subarray(0, rows - at), at);
    else for (let i = 0; i < page.length && at + i < rows; i++) out[at + i] = toNumber(page[i]);
    at += page.length;
  }
  return out;
}

const toNumber = (value: unknown): number => {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  return Number.NaN;
};

function toCodes(
  pages: readonly DecodedArray[],
  rows: number,
  code: (word: string) => number,
): ColumnValues {
  const out = new Uint16Array(rows);
  let at = 0;
  for (const page of pages) {
    for (let i = 0; i < page.length && at < rows; i++)
      out[at++] = code(typeof page[i] === 'string' ? (page[i] as string) : '');
  }
  return out;
}

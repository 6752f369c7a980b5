import type { ColumnMetaData, FileMetaData } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { snappyUncompress } from 'hyparquet/src/snappy.js';
import { readVarInt } from 'hyparquet/src/thrift.js';
import { MAX_ROWS, RunFileError } from './table.ts';

/** A page never needs more memory than this; a writer's usual page is 1 MB. */
const MAX_PAGE_BYTES = 1 << 28;
/** Snappy copies at most 64 bytes for 2 bytes of input. */
const SNAPPY_MAX_RATIO = 64;

/**
 * Checks what a Parquet footer claims before anything is allocated or fetched on its word: counts that agree with each
 * other, and column chunks that lie inside the file.
 *
 * @throws RunFileError naming the first claim that cannot hold
 */
export function checkFooter(footer: FileMetaData, byteLength: number): void {
  if (!Array.isArray(footer.schema) || !Array.isArray(footer.row_groups))
    damaged('its footer has no schema or no row groups');
  let rows = 0;
  for (const [index, group] of footer.row_groups.entries()) {
    const count = Number(group.num_rows);
    if (!Number.isSafeInteger(count) || count < 0)
      damaged(`row group ${index} claims ${group.num_rows} rows`);
    rows += count;
    for (const { meta_data } of group.columns) {
      if (!meta_data) damaged(`row group ${index} has a column without metadata`);
      const start = Number(meta_data.dictionary_page_offset || meta_data.data_page_offset);
      const size = Number(meta_data.total_compressed_size);
      if (!(start >= 4 && size >= 0 && start + size <= byteLength))
        damaged(`row group ${index} lies outside the file`);
      if (Number(meta_data.num_values) !== count)
        damaged(`row group ${index} has columns of different lengths`);
    }
  }
  if (BigInt(rows) !== footer.num_rows)
    damaged(`it claims ${footer.num_rows} rows and has ${rows}`);
  if (rows > MAX_ROWS)
    throw new RunFileError(
      `it has ${rows} rows; this page shows up to ${MAX_ROWS} (thin the run with --every)`,
    );
}

/**
 * Walks the pages of one column chunk before the decoder does, and refuses those that would make it allocate or loop
 * far beyond what the chunk can hold.
 *
 * @param bytes the chunk, from its first page header on
 * @param optional whether the pages begin with definition levels (a column that may hold nulls)
 */
export function checkChunk(bytes: ArrayBuffer, chunk: ColumnMetaData, optional: boolean): void {
  const reader = { view: new DataView(bytes), offset: 0 };
  const rows = Number(chunk.num_values);
  let seen = 0;
  while (seen < rows && reader.offset < bytes.byteLength - 1) {
    const header = parquetHeader(reader);
    const packed = header.compressed_page_size;
    const size = header.uncompressed_page_size;
    if (!(packed >= 0 && reader.offset + packed <= bytes.byteLength)) damaged('a page is cut off');
    const limit =
      chunk.codec === 'SNAPPY' ? packed * SNAPPY_MAX_RATIO + 64 : Number.POSITIVE_INFINITY;
    if (!(size >= 0 && size <= Math.min(MAX_PAGE_BYTES, limit)))
      damaged(`a page claims ${size} bytes`);
    const body = new Uint8Array(bytes, reader.offset, packed);
    reader.offset += packed;
    if (header.dictionary_page_header) {
      const count = header.dictionary_page_header.num_values;
      // Every value takes at least one byte but for a dictionary of empty strings, which take four.
      if (!(count >= 0 && count <= size)) damaged(`a dictionary claims ${count} values`);
      continue;
    }
    const page = header.data_page_header ?? header.data_page_header_v2;
    if (!page) damaged('a page of unknown kind');
    const count = page.num_values;
    if (!(count > 0 && seen + count <= rows))
      damaged(`a page claims ${count} values where ${rows - seen} are left`);
    if (header.data_page_header_v2 && header.data_page_header_v2.num_rows !== count)
      damaged('a page claims nested values');
    seen += count;
    const runLengths = page.encoding === 'RLE_DICTIONARY' || page.encoding === 'PLAIN_DICTIONARY';
    if (!header.data_page_header || !(runLengths || optional)) {
      if (!runLengths && !optional && page.encoding === 'PLAIN')
        checkPlain(chunk.type, count, size);
      if (header.data_page_header_v2)
        checkRunsV2(body, size, header.data_page_header_v2, chunk, runLengths);
      continue;
    }
    const plain = { view: view(unpack(body, size, chunk)), offset: 0 };
    if (optional) {
      const length = plain.view.getUint32(0, true);
      checkRuns(plain.view, 4, 4 + length, 1, count);
      plain.offset = 4 + length;
    }
    if (runLengths)
      checkRuns(
        plain.view,
        plain.offset + 1,
        plain.view.byteLength,
        plain.view.getUint8(plain.offset),
        count,
      );
  }
  if (seen !== rows) damaged(`a column holds ${seen} values where ${rows} are claimed`);
}

function checkRunsV2(
  body: Uint8Array,
  size: number,
  page: {
    num_values: number;
    num_nulls: number;
    definition_levels_byte_length: number;
    repetition_levels_byte_length: number;
    is_compressed?: boolean;
  },
  chunk: ColumnMetaData,
  runLengths: boolean,
): void {
  const levels = page.definition_levels_byte_length + page.repetition_levels_byte_length;
  if (
    !(
      page.repetition_levels_byte_length >= 0 &&
      page.definition_levels_byte_length >= 0 &&
      levels <= body.length
    )
  )
    damaged('a page is cut off');
  if (!(page.num_nulls >= 0 && page.num_nulls <= page.num_values))
    damaged('a page claims more nulls than values');
  if (page.definition_levels_byte_length > 0)
    checkRuns(view(body), page.repetition_levels_byte_length, levels, 1, page.num_values);
  if (!runLengths) return;
  const rest = body.subarray(levels);
  const plain = page.is_compressed === false ? rest : unpack(rest, size - levels, chunk);
  checkRuns(view(plain), 1, plain.length, plain[0] ?? 0, page.num_values);
}

/** The decoder writes whatever a run-length run claims, so no run may claim more than the page has values. */
function checkRuns(
  bytes: DataView,
  start: number,
  end: number,
  width: number,
  count: number,
): void {
  if (width > 32) damaged('a page has an impossible bit width');
  const reader = { view: bytes, offset: start };
  const stop = Math.min(end, bytes.byteLength);
  let seen = 0;
  while (seen < count && reader.offset < stop) {
    const header = readVarInt(reader);
    if (header < 0) damaged('a run of values is longer than its page');
    // Bit-packed runs come in eights, of which the last may be filling.
    const run = header & 1 ? (header >> 1) << 3 : header >>> 1;
    if (run > count - seen + (header & 1 ? 1 << 16 : 0))
      damaged('a run of values is longer than its page');
    reader.offset += header & 1 ? (run >> 3) * width : (width + 7) >> 3;
    seen += run;
    if (run === 0 && header === 0 && reader.offset >= stop) break;
  }
}

function checkPlain(type: string, count: number, size: number): void {
  const width = type === 'DOUBLE' || type === 'INT64' ? 8 : type === 'BOOLEAN' ? 0 : 4;
  if (count * width > size) damaged(`a page claims ${count} values in ${size} bytes`);
}

function unpack(body: Uint8Array, size: number, chunk: ColumnMetaData): Uint8Array {
  if (chunk.codec === 'UNCOMPRESSED') return body;
  if (chunk.codec !== 'SNAPPY')
    throw new RunFileError(
      `it is compressed with ${chunk.codec}; this page reads SNAPPY and uncompressed files`,
    );
  const out = new Uint8Array(size);
  snappyUncompress(body, out);
  return out;
}

const view = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function damaged(what: string): never {
  throw new RunFileError(`the file is damaged: ${what}`);
}

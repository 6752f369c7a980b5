import type { FileMetaData, SchemaElement } from 'hyparquet';
import type { ByteSource } from '../byte-source.ts';
import { DamagedFileError } from '../file-errors.ts';
import { checkRowCount, damaged, LIMITS, unsupported } from '../limits.ts';
import { parquetMetadata } from './hyparquet-parts.ts';
import { checkThrift } from './thrift-guard.ts';

const MAGIC = 0x31524150;
/** The magic of a file whose footer is encrypted. */
const ENCRYPTED_MAGIC = 0x45524150;
/** Length of the footer, and the closing magic. */
const SUFFIX = 8;

/** The footer of a Parquet file, and the byte where it begins. */
export interface ParquetEnd {
  readonly footer: FileMetaData;
  readonly start: number;
}

/**
 * Reads the footer of a Parquet file, and believes nothing of it that cannot be so.
 * @throws DamagedFileError
 */
export async function readParquetFooter(source: ByteSource): Promise<ParquetEnd> {
  const size = source.byteLength;
  if (size < 12) damaged('it is empty or cut off');
  const suffix = new DataView(await source.slice(size - SUFFIX, size));
  const length = suffix.getUint32(0, true);
  if (suffix.getUint32(4, true) === ENCRYPTED_MAGIC)
    unsupported('it is encrypted, which is not read');
  if (suffix.getUint32(4, true) !== MAGIC)
    damaged('it is cut off: there is no Parquet footer at its end');
  if (length > size - 12) damaged(`its footer claims ${length} bytes`);
  if (length > LIMITS.footer) unsupported(`its footer has ${length} bytes`);
  const start = size - SUFFIX - length;
  const footer = parseParquetFooter(new Uint8Array(await source.slice(start, size)));
  checkParquetFooter(footer, start, size);
  return { footer, start };
}

/** The footer that these bytes end with; what it says of the file is not looked at. */
export function parseParquetFooter(bytes: Uint8Array): FileMetaData {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length - SUFFIX;
  if (end < 0 || view.getUint32(end + 4, true) !== MAGIC)
    damaged('there is no Parquet footer at its end');
  const length = view.getUint32(end, true);
  if (length > end) damaged(`its footer claims ${length} bytes`);
  checkThrift(view, end - length, end);
  try {
    const footer = parquetMetadata(bytes, { geoparquet: false });
    checkSchema(footer.schema);
    return footer;
  } catch (error) {
    if (error instanceof DamagedFileError) throw error;
    return damaged('its footer lacks what a Parquet footer holds');
  }
}

function checkSchema(schema: readonly SchemaElement[]): void {
  if (schema.length === 0) damaged('it claims no columns');
  if (schema.length > LIMITS.columns) unsupported(`it claims ${schema.length} columns`);
  /** Children that are still to come, of each group that is open. */
  const open: number[] = [1];
  for (const { num_children: children = 0, name, type } of schema) {
    while (open.at(-1) === 0) open.pop();
    if (open.length === 0) damaged('its columns do not make one table');
    open[open.length - 1]!--;
    if (!(children >= 0 && children < schema.length))
      damaged(`a column of it claims ${children} children`);
    if (typeof name !== 'string') damaged('a column of it has no name');
    if (children === 0 && type === undefined && schema.length > 1)
      damaged(`its column ${name} has no type`);
    if (children > 0) open.push(children);
    if (open.length > LIMITS.depth) unsupported('its columns are nested too deeply');
  }
  if (open.some((left) => left > 0)) damaged('its columns do not make one table');
}

/** Whether counts agree with each other, and all that is pointed at lies inside the file. */
export function checkParquetFooter(
  { row_groups, num_rows, schema }: FileMetaData,
  end: number,
  size: number,
): void {
  let rows = 0;
  for (const [g, group] of row_groups.entries()) {
    const count = Number(group.num_rows);
    if (!(Number.isSafeInteger(count) && count >= 0))
      damaged(`its row group ${g} claims ${group.num_rows} rows`);
    rows += count;
    if (group.columns.length > schema.length)
      damaged(`its row group ${g} has more columns than the table`);
    for (const { meta_data, crypto_metadata } of group.columns) {
      if (crypto_metadata) unsupported('it has encrypted columns, which are not read');
      if (!meta_data) damaged(`its row group ${g} has a column without metadata`);
      const start = Number(meta_data.dictionary_page_offset || meta_data.data_page_offset);
      const length = Number(meta_data.total_compressed_size);
      // Writers of no rows may write no pages.
      const nothing = count === 0 && length === 0;
      if (!nothing && !(start >= 4 && length >= 0 && start + length <= end))
        damaged(`its row group ${g} lies outside the file`);
      if (!Array.isArray(meta_data.path_in_schema))
        damaged(`its row group ${g} has a column without a name`);
    }
  }
  if (BigInt(rows) !== num_rows)
    damaged(`it claims ${num_rows} rows, and its row groups have ${rows}`);
  checkRowCount(rows, size);
}

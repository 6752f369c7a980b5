import { type Compressors, type DecodedArray, parquetRead, type SchemaElement } from 'hyparquet';
import type { ByteSource } from '../byte-source.ts';
import { damaged, LIMITS } from '../limits.ts';
import { DamagedFileError } from '../stored-table.ts';
import { type ParquetEnd, readParquetFooter } from './parquet-footer.ts';
import { checkPages } from './parquet-pages.ts';

/** A Parquet file of anybody, opened for reading its flat columns, row group by row group. */
export interface ParquetTable extends ParquetEnd {
  /** Columns that are not nested; the others cannot be read. */
  readonly fields: readonly SchemaElement[];
  /** Values of one column in one row group, nulls as null. */
  read(column: string, group: number): Promise<ArrayLike<unknown>>;
}

/** Opens a Parquet file. @throws DamagedFileError where it is none, or cannot be as it says */
export async function openParquet(
  source: ByteSource,
  compressors?: Compressors,
): Promise<ParquetTable> {
  const end = await readParquetFooter(source);
  return {
    ...end,
    fields: flatFields(end.footer.schema),
    read: (name, group) => readParquetColumn(source, end, name, group, compressors),
  };
}

/** Reads one column of one row group. */
export async function readParquetColumn(
  source: ByteSource,
  { footer }: Pick<ParquetEnd, 'footer'>,
  name: string,
  group: number,
  compressors?: Compressors,
): Promise<ArrayLike<unknown>> {
  const element = flatFields(footer.schema).find((field) => field.name === name);
  const one = footer.row_groups[group];
  const chunk = one?.columns.find(
    ({ meta_data }) => meta_data?.path_in_schema[0] === name,
  )?.meta_data;
  if (!element || !one || !chunk) return damaged(`it has no column ${name} that can be read`);
  const rows = Number(one.num_rows);
  if (rows > LIMITS.groupRows) damaged(`it has row groups of ${rows} rows`);
  if (rows === 0) return [];
  const start = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
  const bytes = new Uint8Array(
    await source.slice(start, start + Number(chunk.total_compressed_size)),
  );
  checkPages(bytes, chunk, element, rows, compressors);
  try {
    return await decode(bytes, start, source.byteLength, { footer, one, name, rows, compressors });
  } catch (error) {
    if (error instanceof DamagedFileError) throw error;
    return damaged(`its column ${name} cannot be decoded`);
  }
}

async function decode(
  bytes: Uint8Array,
  offset: number,
  byteLength: number,
  {
    footer,
    one,
    name,
    rows,
    compressors,
  }: {
    readonly footer: ParquetEnd['footer'];
    readonly one: ParquetEnd['footer']['row_groups'][number];
    readonly name: string;
    readonly rows: number;
    readonly compressors: Compressors | undefined;
  },
): Promise<ArrayLike<unknown>> {
  const parts: DecodedArray[] = [];
  const columns = one.columns.filter(({ meta_data }) => meta_data?.path_in_schema[0] === name);
  await parquetRead({
    file: {
      byteLength,
      slice: (from, to = byteLength) =>
        bytes.slice(from - offset, to - offset).buffer as ArrayBuffer,
    },
    metadata: { ...footer, row_groups: [{ ...one, columns }], num_rows: one.num_rows },
    columns: [name],
    geoparquet: false,
    ...(compressors ? { compressors } : {}),
    // What is thrown in here would be nobody's to catch.
    onChunk: ({ columnData }) => parts.push(columnData),
  });
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length !== rows) damaged(`its column ${name} has ${length} values where ${rows} are claimed`);
  if (parts.length === 1) return parts[0]!;
  return parts.flatMap((part) => Array.from<unknown>(part));
}

/** Leaves right below the root. */
export function flatFields(schema: readonly SchemaElement[]): SchemaElement[] {
  const fields: SchemaElement[] = [];
  let inside = 0;
  for (const element of schema.slice(1)) {
    const children = element.num_children ?? 0;
    if (inside > 0) inside += children - 1;
    else if (children > 0) inside = children;
    else if (element.repetition_type !== 'REPEATED' && element.type) fields.push(element);
  }
  return fields;
}

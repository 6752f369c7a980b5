import type { ColumnMetaData, DecodedArray, RowGroup, SchemaElement } from 'hyparquet';
import type { ByteSource } from '../byte-source.ts';
import type { DecoderOf } from '../codecs.ts';
import { decimalNumber, littleEndian } from '../decimal.ts';
import { DamagedFileError } from '../file-errors.ts';
import {
  checkedMetadata,
  checkedTexts,
  damaged,
  decoded,
  decodedLater,
  LIMITS,
  unsupported,
} from '../limits.ts';
import { jsonObject, type TableFile, type TableGroup, type Values } from '../table-file.ts';
import { COLUMNS_KEY } from '../table-format.ts';
import { decodeOutline, decodeRuns, OUTLINE_KEY } from './chunk-outline.ts';
import { parquetRead } from './hyparquet-parts.ts';
import { type ParquetEnd, readParquetFooter } from './parquet-footer.ts';
import { checkPages } from './parquet-pages.ts';
import {
  decimalScale,
  isDate,
  kindOf,
  narrowRange,
  type ParquetField,
  parquetFields,
  timeScale,
} from './parquet-schema.ts';

/** A Parquet file, opened, with its footer. */
export interface ParquetTable extends TableFile, ParquetEnd {
  readonly kind: 'parquet';
}

export interface ParquetOptions {
  /** Bytes of a text that are read; all of them unless given. */
  readonly longestText?: number;
}

/** Opens a Parquet file. @throws DamagedFileError where it is none, or cannot be as it says */
export async function openParquet(
  source: ByteSource,
  decoderOf: DecoderOf,
  options?: ParquetOptions,
): Promise<ParquetTable> {
  return decodedLater(async () =>
    parquetTable(source, await readParquetFooter(source), decoderOf, options),
  );
}

/** The row groups that a footer tells of, in `source`. */
export function parquetTable(
  source: ByteSource,
  end: ParquetEnd,
  decoderOf: DecoderOf,
  options: ParquetOptions = {},
): ParquetTable {
  const { footer } = end;
  const described = decoded(() => {
    const metadata = checkedMetadata(
      (footer.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']),
    );
    const fields = parquetFields(footer.schema, jsonObject(metadata[COLUMNS_KEY]) ?? {});
    return {
      metadata,
      fields,
      groups: footer.row_groups.map((group) => tableGroup(group, fields)),
    };
  });
  const { fields } = described;
  return {
    ...end,
    ...described,
    kind: 'parquet',
    bytes: source.byteLength,
    rows: Number(footer.num_rows),
    read(field, group) {
      const one = footer.row_groups[group];
      const wanted = fields[field];
      if (!one || !wanted) return damaged(`it has no column ${field} in its row group ${group}`);
      return decodedLater(
        () => readField(source, one, wanted, decoderOf, options),
        `its column ${wanted.name} cannot be decoded`,
      );
    },
  };
}

function tableGroup(group: RowGroup, fields: readonly ParquetField[]): TableGroup {
  const spans = group.columns.map(({ meta_data }) => {
    const start = Number(meta_data?.dictionary_page_offset || meta_data?.data_page_offset);
    return { start, end: start + Number(meta_data?.total_compressed_size) };
  });
  const outlineText = (field: number) =>
    group.columns[fields[field]?.place ?? -1]?.meta_data?.key_value_metadata?.find(
      ({ key }) => key === OUTLINE_KEY,
    )?.value;
  return {
    rows: Number(group.num_rows),
    start: Math.min(...spans.map(({ start }) => start)),
    end: Math.max(...spans.map(({ end }) => end)),
    bounds(field) {
      const { place, kind } = fields[field]!;
      const { min_value, max_value } = group.columns[place]?.meta_data?.statistics ?? {};
      if (kind !== 'number' || min_value == null || max_value == null) return undefined;
      const [low, high] = [Number(min_value), Number(max_value)];
      return low <= high ? [low, high] : undefined;
    },
    outline: (field) => decodeOutline(outlineText(field), Number(group.num_rows)),
    runs: (field) => decodeRuns(outlineText(field), Number(group.num_rows)),
  };
}

/** Where a chunk stands for the decoder: not at 0, which means nowhere. */
const FIRST = 4;

const decoder = new TextDecoder();

async function readField(
  source: ByteSource,
  group: RowGroup,
  field: ParquetField,
  decoderOf: DecoderOf,
  options: ParquetOptions,
): Promise<Values> {
  const { name, kind, leaf, place } = field;
  const rows = Number(group.num_rows);
  if (kind === 'nested') unsupported(`its column ${name} holds structs, which are not read`);
  if (rows > LIMITS.groupRows) unsupported(`it has row groups of ${rows} rows`);
  if (rows === 0) return [];
  const chunk = group.columns[place]?.meta_data ?? damaged(`it has no column ${name}`);
  const start = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
  const length = Number(chunk.total_compressed_size);
  const bytes = new Uint8Array(await source.slice(start, start + length));
  const listed = Math.min(LIMITS.listed, LIMITS.leastRows + source.byteLength * LIMITS.rowsPerByte);
  const { unpacked, values } = checkPages(
    bytes,
    chunk,
    leaf,
    { rows, listed },
    await decoderOf(chunk.codec),
  );
  try {
    const { statistics, bloom_filter_offset, dictionary_page_offset, ...rest } = chunk;
    const meta_data: ColumnMetaData = {
      ...rest,
      ...(dictionary_page_offset ? { dictionary_page_offset: BigInt(FIRST) } : {}),
      data_page_offset: chunk.data_page_offset - BigInt(start) + BigInt(FIRST),
      path_in_schema: [...leaf.path],
    };
    const columns = [{ file_offset: 0n, meta_data }];
    const all = await decode(field, { ...group, columns }, bytes, unpacked, options);
    const result = checkedTexts(converted(all, field), name);
    if (kind !== 'list' && present(result) !== values)
      damaged(`its column ${name} points at words that it does not have`);
    return result;
  } catch (error) {
    if (error instanceof DamagedFileError) throw error;
    return damaged(`its column ${name} cannot be decoded`);
  }
}

/** @param unpacked what the decoder will ask for, in this order */
async function decode(
  { name, schema }: ParquetField,
  group: RowGroup,
  bytes: Uint8Array,
  unpacked: readonly Uint8Array[],
  { longestText }: ParquetOptions,
): Promise<Values> {
  const parts: DecodedArray[] = [];
  let page = 0;
  const root: SchemaElement = { name: 'root', num_children: 1 };
  await parquetRead({
    file: {
      byteLength: FIRST + bytes.length,
      slice: (from, to = FIRST + bytes.length) =>
        bytes.slice(from - FIRST, to - FIRST).buffer as ArrayBuffer,
    },
    metadata: {
      version: 2,
      metadata_length: 0,
      schema: [root, ...schema.map(undressed)],
      row_groups: [group],
      num_rows: group.num_rows,
    },
    columns: [name],
    geoparquet: false,
    utf8: false,
    compressors: { [group.columns[0]!.meta_data!.codec]: () => unpacked[page++] },
    parsers: {
      timestampFromNanoseconds: (nanos) => decimalNumber(nanos, 6),
      stringFromBytes: (text) => decoder.decode(text.subarray(0, longestText)),
    },
    // What is thrown in here would be nobody's to catch.
    onChunk: ({ columnData }) => parts.push(columnData),
  });
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (BigInt(length) !== group.num_rows)
    damaged(`its column ${name} has ${length} values where ${group.num_rows} are claimed`);
  if (parts.length === 1) return parts[0]!;
  return parts.flatMap((part) => Array.from<unknown>(part));
}

/**
 * The element as the decoder is told of it: what it would turn into dates and inexact numbers stays
 * as it is.
 */
function undressed(element: SchemaElement): SchemaElement {
  const { converted_type, logical_type, ...bare } = element;
  if (element.num_children) return element;
  switch (kindOf(element)) {
    case 'text':
      return logical_type?.type === 'UUID' ? element : { ...bare, converted_type: 'UTF8' };
    case 'number':
      return decimalScale(element) === undefined ? element : bare;
    default:
      return bare;
  }
}

/** Values in the terms of `Values`. */
function converted(values: Values, { name, kind, leaf: { element } }: ParquetField): Values {
  const scale = decimalScale(element);
  if (scale !== undefined) return mapped(values, (value) => decimalNumber(whole(value), scale));
  const time = timeScale(element);
  if (time !== undefined) return mapped(values, (value) => decimalNumber(whole(value), time));
  if (isDate(element)) return mapped(values, (value) => Number(value) * 86_400_000);
  if (values instanceof BigInt64Array || values instanceof BigUint64Array)
    return Float64Array.from(values, Number);
  const range = narrowRange(element);
  if (range) {
    return mapped(values, (value) => {
      const number = Number(value);
      if (!(number >= range[0] && number <= range[1]))
        damaged(`its column ${name} holds ${number}, which is too large for it`);
      return number;
    });
  }
  if (ArrayBuffer.isView(values) || !['number', 'time', 'list'].includes(kind)) return values;
  return mapped(values, (value) => (typeof value === 'bigint' ? Number(value) : value));
}

function mapped(values: Values, convert: (value: unknown) => unknown): unknown[] {
  return Array.from(values, (value) => {
    if (value === null || value === undefined) return null;
    return Array.isArray(value) ? mapped(value, convert) : convert(value);
  });
}

/** The whole number that a decimal or time is stored as; bytes hold the highest first. */
function whole(value: unknown): bigint {
  if (value instanceof Uint8Array) return littleEndian(value.slice().reverse());
  return BigInt(value as number | bigint);
}

function present(values: Values): number {
  if (ArrayBuffer.isView(values)) return values.length;
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] != null) count++;
  return count;
}

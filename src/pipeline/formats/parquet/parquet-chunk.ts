import type { ColumnChunk, Encoding, RowGroup, Statistics } from 'hyparquet';
import { base64Of } from '../../core/base64.ts';
import type { ColumnArray } from '../../core/schema.ts';
import { crc32 } from '../platform.ts';
import { SEAL_KEY, sealOf } from '../seal.ts';
import { bigints, type Cells, type TableColumn, type WideRows } from '../table-format.ts';
import { encodeOutline, encodeRuns, OUTLINE_KEY, OUTLINE_ROWS } from './chunk-outline.ts';
import {
  ByteWriter,
  deltaBinaryPack,
  writePageHeader,
  writeRleBitPackedHybrid,
} from './hyparquet-writer-parts.ts';
import { EXTREMES, placed } from './pack.ts';
import { type Packer, SNAPPY } from './parquet-compression.ts';

interface ChunkOptions {
  /** Numbers stay unpacked: the rows are written again with others. */
  readonly draft?: boolean;
  /** With what overviews are drawn from. */
  readonly outlined?: boolean;
}

/**
 * Encodes a row group of typed arrays with the parts of hyparquet-writer. Its own entrance takes
 * any JavaScript values: it makes a string of each code and a BigInt of each step, checks and
 * compares them one by one, and spends nine tenths of its time on that. Here the bytes of a float64
 * column are its page, a string column goes from codes to codes, and one plain loop finds the
 * bounds.
 */
export function writeRowGroup(
  writer: ByteWriter,
  specs: readonly TableColumn[],
  { length, columns }: WideRows,
  packer?: Packer,
  how: ChunkOptions = {},
): RowGroup {
  // Doubling on the way to the size of a row group would leave three times as much behind.
  writer.ensure(groupRoom({ length, columns }));
  const start = writer.offset;
  const chunks = specs.map((spec, c) => writeChunk(writer, spec, columns[c]!, packer, how));
  const step = specs.findIndex(({ name }) => name === 'step');
  return {
    columns: chunks,
    ...(step < 0
      ? {}
      : { sorting_columns: [{ column_idx: step, descending: false, nulls_first: false }] }),
    total_byte_size: chunks.reduce(
      (sum, { meta_data }) => sum + meta_data!.total_uncompressed_size,
      0n,
    ),
    num_rows: BigInt(length),
    total_compressed_size: BigInt(writer.offset - start),
  };
}

/** Bytes that a row group hardly ever exceeds. */
export const groupRoom = ({ columns }: WideRows): number =>
  columns.reduce((sum, { length }) => sum + 8 * length + 1024, 0);

/** What overviews are drawn from; of free texts, truth values and nulls there is none. */
function outlineOf(
  { type, nullable, words, listed }: TableColumn,
  cells: Cells,
  extremes: Uint8Array | undefined,
): string | undefined {
  if (nullable || listed !== undefined || !isTyped(cells)) return undefined;
  if (words) return encodeRuns(cells, words);
  if (extremes) return base64Of(extremes);
  return type === 'DOUBLE' || type === 'INT32' || type === 'INT64'
    ? encodeOutline(cells)
    : undefined;
}

/** One column of a row group: a page of data, for strings behind a page with their words. */
function writeChunk(
  writer: ByteWriter,
  spec: TableColumn,
  cells: Cells,
  numbers: Packer | undefined,
  { draft = false, outlined = false }: ChunkOptions,
): ColumnChunk {
  const start = writer.offset;
  const { levels, values, nulls } = spec.nullable
    ? presence(cells)
    : { levels: NO_LEVELS, values: cells, nulls: 0 };
  const { listed } = spec;
  const repetition = listed === undefined ? NO_LEVELS : beginnings(cells.length, listed);
  const definition = listed === undefined ? levels : constantLevels(cells.length);
  const packer = spec.type === 'TEXT' ? SNAPPY : spec.type === 'DOUBLE' ? numbers : undefined;
  const encoded = encode(spec, values, packer, draft);
  const { encoding, bounds: minMax, page, words, extremes, unpacked = page.length } = encoded;
  const outline = outlined ? outlineOf(spec, cells, extremes) : undefined;
  if (words) writeDictionary(writer, words);
  const dataStart = writer.offset;
  // Fastparquet takes differences of 64-bit numbers in newer pages for the numbers themselves.
  const pageType = spec.type === 'INT64' && !spec.nullable ? 'DATA_PAGE' : 'DATA_PAGE_V2';
  const sizes = {
    uncompressed_page_size: repetition.length + definition.length + unpacked,
    compressed_page_size: repetition.length + definition.length + page.length,
    crc: crc32(page, crc32(definition, crc32(repetition))) | 0,
  };
  writePageHeader(
    writer,
    pageType === 'DATA_PAGE'
      ? {
          type: pageType,
          ...sizes,
          data_page_header: {
            num_values: cells.length,
            encoding,
            definition_level_encoding: 'RLE',
            repetition_level_encoding: 'RLE',
          },
        }
      : {
          type: pageType,
          ...sizes,
          data_page_header_v2: {
            num_values: cells.length,
            num_nulls: nulls,
            num_rows: cells.length / (listed ?? 1),
            encoding,
            definition_levels_byte_length: definition.length,
            repetition_levels_byte_length: repetition.length,
            is_compressed: packer !== undefined,
          },
        },
  );
  writer.appendBytes(repetition);
  writer.appendBytes(definition);
  writer.appendBytes(page);
  const size = writer.offset - start;
  return {
    file_offset: BigInt(start),
    meta_data: {
      type: spec.type === 'STRING' || spec.type === 'TEXT' ? 'BYTE_ARRAY' : spec.type,
      encodings: words ? ['PLAIN', encoding] : [encoding],
      path_in_schema: listed === undefined ? [spec.name] : [...listPath(spec.name)],
      codec: packer?.codec ?? 'UNCOMPRESSED',
      num_values: BigInt(cells.length),
      total_compressed_size: BigInt(size),
      total_uncompressed_size: BigInt(size + unpacked - page.length),
      data_page_offset: BigInt(dataStart),
      ...(words ? { dictionary_page_offset: BigInt(start) } : {}),
      statistics: { ...minMax, null_count: BigInt(nulls) },
      key_value_metadata: [
        { key: SEAL_KEY, value: sealOf(crc32(writer.getBytes().subarray(-size))) },
        ...(outline === undefined ? [] : [{ key: OUTLINE_KEY, value: outline }]),
      ],
      encoding_stats: [
        ...(words ? [{ page_type: 'DICTIONARY_PAGE', encoding: 'PLAIN', count: 1 } as const] : []),
        { page_type: pageType, encoding, count: 1 },
      ],
    },
  };
}

const NO_LEVELS = new Uint8Array(0);

/** Where the numbers of a column of lists stand in the schema of a file. */
export const listPath = (name: string) => [name, 'list', 'element'] as const;

/** Which numbers begin a list, of lists of one length: as repetition levels, 0 and then 1. */
function beginnings(length: number, listed: number): Uint8Array {
  const levels = new ByteWriter();
  for (let at = 0; at < length; at += listed) {
    levelRun(levels, 1, 0);
    if (listed > 1) levelRun(levels, listed - 1, 1);
  }
  return levels.getBytes();
}

/** Definition levels of numbers that are all there. */
function constantLevels(length: number): Uint8Array {
  const levels = new ByteWriter();
  levelRun(levels, length, 1);
  return levels.getBytes();
}

/** A level that so many values share, of one bit. */
function levelRun(levels: ByteWriter, count: number, level: number): void {
  levels.appendVarInt(2 * count);
  levels.appendUint8(level);
}

/** Which rows have a value, as definition levels, and these values. */
function presence(cells: Cells): {
  readonly levels: Uint8Array;
  readonly values: Cells;
  readonly nulls: number;
} {
  const isThere = (cell: Cells[number]) => cell !== null && !Number.isNaN(cell);
  const there = new Uint8Array(cells.length);
  let count = 0;
  for (let i = 0; i < cells.length; i++) {
    if (!isThere(cells[i]!)) continue;
    there[i] = 1;
    count++;
  }
  const levels = new ByteWriter();
  writeRleBitPackedHybrid(levels, there as unknown as number[], 1);
  const nulls = cells.length - count;
  if (nulls === 0) return { levels: levels.getBytes(), values: cells, nulls };
  const values = isTyped(cells) ? cells.filter(isThere) : cells.filter(isThere);
  return { levels: levels.getBytes(), values, nulls };
}

interface Encoded {
  readonly encoding: Encoding;
  readonly bounds: Statistics;
  readonly page: Uint8Array;
  /** Of numbers the extremes of each `OUTLINE_ROWS` of them, where all are finite. */
  readonly extremes?: Uint8Array | undefined;
  /** Its bytes before they were packed, where they are. */
  readonly unpacked?: number;
  /** The dictionary, for strings. */
  readonly words?: readonly string[];
}

function encode(
  spec: TableColumn,
  cells: Cells,
  packer: Packer | undefined,
  draft: boolean,
): Encoded {
  switch (spec.type) {
    case 'DOUBLE': {
      const values =
        cells instanceof Float64Array ? cells : Float64Array.from(cells as readonly number[]);
      const numbers = placed(values);
      const extremes = numbers.extremes(OUTLINE_ROWS);
      const found = { extremes, bounds: doubleBounds(extremes ? ends(extremes) : values) };
      if (!packer) return { encoding: 'PLAIN', ...found, page: bytesOf(values) };
      const unpacked = values.byteLength;
      if (draft)
        return { encoding: 'PLAIN', ...found, page: packer.stored(bytesOf(values)), unpacked };
      const page = packer.packNumbers(numbers);
      return { encoding: 'BYTE_STREAM_SPLIT', ...found, page, unpacked };
    }
    case 'STRING':
      return encodeWords(
        spec,
        cells instanceof Uint8Array ? cells : Uint8Array.from(cells as ArrayLike<number>),
      );
    case 'TEXT': {
      const page = plainTexts(cells as readonly string[]);
      const packed = packer?.pack(page) ?? page;
      return { encoding: 'PLAIN', bounds: {}, page: packed, unpacked: page.length };
    }
    case 'BOOLEAN':
      return { encoding: 'PLAIN', bounds: {}, page: bits(cells as readonly boolean[]) };
    default: {
      const values = isTyped(cells) ? cells : Float64Array.from(cells as readonly number[]);
      if (values.length === 0)
        return {
          encoding: 'DELTA_BINARY_PACKED',
          bounds: {},
          page: packed(spec.type, values, 0, 0),
        };
      const [min, max] = bounds(values);
      const whole = spec.type === 'INT32' ? [min, max] : [BigInt(min), BigInt(max)];
      return {
        encoding: 'DELTA_BINARY_PACKED',
        bounds: { min_value: whole[0]!, max_value: whole[1]! },
        page: packed(spec.type, values, min, max),
      };
    }
  }
}

function isTyped(cells: Cells): cells is ColumnArray {
  return ArrayBuffer.isView(cells);
}

const encoder = new TextEncoder();

/** Texts one behind the other, each behind its length in bytes. */
function plainTexts(texts: readonly string[]): Uint8Array {
  const page = new ByteWriter();
  for (const text of texts) {
    const bytes = encoder.encode(text);
    page.appendUint32(bytes.length);
    page.appendBytes(bytes);
  }
  return page.getBytes();
}

/** Eight truth values a byte, the first in the lowest bit. */
function bits(values: readonly boolean[]): Uint8Array {
  const page = new Uint8Array(Math.ceil(values.length / 8));
  values.forEach((value, i) => {
    if (value) page[i >> 3]! |= 1 << (i & 7);
  });
  return page;
}

/** Whole numbers by their differences; as plain numbers wherever 32 bits hold them. */
function packed(
  type: 'INT32' | 'INT64',
  values: ColumnArray,
  min: number,
  max: number,
): Uint8Array {
  const page = new ByteWriter();
  const small = min >= -(2 ** 31) && max < 2 ** 31;
  const numbers =
    values instanceof Int32Array ? values : small ? new Int32Array(values) : bigints(values);
  deltaBinaryPack(page, numbers, type);
  return page.getBytes();
}

/**
 * The words that occur, in the order of the column's own list, and for each row the place of its
 * word among them.
 */
function encodeWords({ name, words: all }: TableColumn, codes: Uint8Array): Encoded {
  if (!all) throw new TypeError(`column ${name} has no list of values`);
  const place = new Int32Array(all.length).fill(-1);
  for (let i = 0; i < codes.length; i++) place[codes[i]!] = 0;
  const words = all.filter((_, code) => place[code] === 0);
  all.forEach((word, code) => {
    place[code] = words.indexOf(word);
  });
  const places = new Uint8Array(codes.length);
  for (let i = 0; i < codes.length; i++) places[i] = place[codes[i]!]!;
  const width = 32 - Math.clz32(words.length - 1);
  const page = new ByteWriter();
  page.appendUint8(width);
  writeRleBitPackedHybrid(page, places as unknown as number[], width);
  const sorted = [...words].sort();
  return {
    encoding: 'RLE_DICTIONARY',
    bounds: { min_value: sorted[0]!, max_value: sorted.at(-1)! },
    page: page.getBytes(),
    words,
  };
}

function writeDictionary(writer: ByteWriter, words: readonly string[]): void {
  const page = plainTexts(words);
  writePageHeader(writer, {
    type: 'DICTIONARY_PAGE',
    uncompressed_page_size: page.length,
    compressed_page_size: page.length,
    crc: crc32(page) | 0,
    dictionary_page_header: { num_values: words.length, encoding: 'PLAIN' },
  });
  writer.appendBytes(page);
}

/**
 * Bounds as the format wants them: NaN counts for nothing, and a zero among them may have either
 * sign.
 */
function doubleBounds(values: Float64Array): Statistics {
  const [min, max] = bounds(values);
  if (min > max) return {};
  return { min_value: min === 0 ? -0 : min, max_value: max === 0 ? 0 : max };
}

/** The least and the largest number of each part. */
function ends(extremes: Uint8Array): Float64Array {
  const view = new DataView(extremes.buffer, extremes.byteOffset, extremes.byteLength);
  return Float64Array.from({ length: (2 * extremes.length) / EXTREMES }, (_, i) =>
    view.getFloat64((i >> 1) * EXTREMES + 8 * (i & 1), true),
  );
}

function bounds(values: ColumnArray): readonly [number, number] {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return [min, max];
}

/**
 * The bytes of an array: little-endian, as all machines that run JavaScript are and as the format
 * wants them.
 */
function bytesOf({ buffer, byteOffset, byteLength }: ColumnArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

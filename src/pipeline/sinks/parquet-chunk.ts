import type { ColumnChunk, Encoding, RowGroup, Statistics } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { deltaBinaryPack } from 'hyparquet-writer/src/delta.js';
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js';
import type { ColumnArray, ColumnSpec } from '../columns.ts';
import { bigints, type Rows } from './table-format.ts';

/**
 * Encodes a row group of typed arrays with the parts of hyparquet-writer. Its own entrance takes any JavaScript values:
 * it makes a string of each code and a BigInt of each step, checks and compares them one by one, and spends nine tenths
 * of its time on that. Here the bytes of a float64 column are its page, a string column goes from codes to codes, and
 * one plain loop finds the bounds.
 */
export function writeRowGroup(writer: ByteWriter, specs: readonly ColumnSpec[], { length, columns }: Rows): RowGroup {
  const start = writer.offset;
  const chunks = specs.map((spec, c) => writeChunk(writer, spec, columns[c]!));
  return {
    columns: chunks,
    total_byte_size: chunks.reduce((sum, { meta_data }) => sum + meta_data!.total_uncompressed_size, 0n),
    num_rows: BigInt(length),
    total_compressed_size: BigInt(writer.offset - start),
  };
}

/** One column of a row group: a page of data, for strings behind a page with their words. */
function writeChunk(writer: ByteWriter, spec: ColumnSpec, values: ColumnArray): ColumnChunk {
  const start = writer.offset;
  const { encoding, statistics, page, words } = encode(spec, values);
  if (words) writeDictionary(writer, words);
  const dataStart = writer.offset;
  writePageHeader(writer, {
    type: 'DATA_PAGE_V2',
    uncompressed_page_size: page.length,
    compressed_page_size: page.length,
    data_page_header_v2: {
      num_values: values.length,
      num_nulls: 0,
      num_rows: values.length,
      encoding,
      definition_levels_byte_length: 0,
      repetition_levels_byte_length: 0,
      is_compressed: false,
    },
  });
  writer.appendBytes(page);
  const size = BigInt(writer.offset - start);
  return {
    file_offset: BigInt(start),
    meta_data: {
      type: spec.type === 'STRING' ? 'BYTE_ARRAY' : spec.type,
      encodings: words ? ['PLAIN', encoding] : [encoding],
      path_in_schema: [spec.name],
      codec: 'UNCOMPRESSED',
      num_values: BigInt(values.length),
      total_compressed_size: size,
      total_uncompressed_size: size,
      data_page_offset: BigInt(dataStart),
      ...(words ? { dictionary_page_offset: BigInt(start) } : {}),
      statistics,
      encoding_stats: [
        ...(words ? [{ page_type: 'DICTIONARY_PAGE', encoding: 'PLAIN', count: 1 } as const] : []),
        { page_type: 'DATA_PAGE_V2', encoding, count: 1 },
      ],
    },
  };
}

interface Encoded {
  readonly encoding: Encoding;
  readonly statistics: Statistics;
  readonly page: Uint8Array;
  /** The dictionary, for strings. */
  readonly words?: readonly string[];
}

function encode(spec: ColumnSpec, values: ColumnArray): Encoded {
  switch (spec.type) {
    case 'DOUBLE':
      // Digits of a trajectory hardly compress: Snappy would save 7 % and take twice the time.
      return { encoding: 'PLAIN', statistics: doubleBounds(values as Float64Array), page: bytesOf(values) };
    case 'STRING':
      return encodeWords(spec, values);
    default: {
      const [min, max] = bounds(values);
      const whole = spec.type === 'INT32' ? [min, max] : [BigInt(min), BigInt(max)];
      const statistics = { min_value: whole[0]!, max_value: whole[1]!, null_count: 0n };
      return { encoding: 'DELTA_BINARY_PACKED', statistics, page: packed(spec.type, values, min, max) };
    }
  }
}

/** Whole numbers by their differences; as plain numbers wherever 32 bits hold them. */
function packed(type: 'INT32' | 'INT64', values: ColumnArray, min: number, max: number): Uint8Array {
  const page = new ByteWriter();
  const small = min >= -(2 ** 31) && max < 2 ** 31;
  const numbers = values instanceof Int32Array ? values : small ? Int32Array.from(values) : bigints(values);
  deltaBinaryPack(page, numbers, type);
  return page.getBytes();
}

/** The words that occur, in the order of the column's own list, and for each row the place of its word among them. */
function encodeWords({ name, values: all }: ColumnSpec, codes: ColumnArray): Encoded {
  if (!all) throw new TypeError(`column ${name} has no list of values`);
  const place = new Int32Array(all.length).fill(-1);
  for (let i = 0; i < codes.length; i++) place[codes[i]!] = 0;
  const words = all.filter((_, code) => place[code] === 0);
  all.forEach((word, code) => {
    place[code] = words.indexOf(word);
  });
  const places = codes.map((code) => place[code]!) as Uint8Array;
  const width = Math.ceil(Math.log2(words.length));
  const page = new ByteWriter();
  page.appendUint8(width);
  writeRleBitPackedHybrid(page, places as unknown as number[], width);
  const sorted = [...words].sort();
  return {
    encoding: 'RLE_DICTIONARY',
    statistics: { min_value: sorted[0]!, max_value: sorted.at(-1)!, null_count: 0n },
    page: page.getBytes(),
    words,
  };
}

function writeDictionary(writer: ByteWriter, words: readonly string[]): void {
  const page = new ByteWriter();
  for (const word of words) {
    const bytes = new TextEncoder().encode(word);
    page.appendUint32(bytes.length);
    page.appendBytes(bytes);
  }
  writePageHeader(writer, {
    type: 'DICTIONARY_PAGE',
    uncompressed_page_size: page.offset,
    compressed_page_size: page.offset,
    dictionary_page_header: { num_values: words.length, encoding: 'PLAIN' },
  });
  writer.appendBytes(page.getBytes());
}

/** Bounds as the format wants them: NaN counts for nothing, and a zero among them may have either sign. */
function doubleBounds(values: Float64Array): Statistics {
  const [min, max] = bounds(values);
  if (min > max) return { null_count: 0n };
  return { min_value: min === 0 ? -0 : min, max_value: max === 0 ? 0 : max, null_count: 0n };
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

/** The bytes of an array: little-endian, as all machines that run JavaScript are and as the format wants them. */
function bytesOf({ buffer, byteOffset, byteLength }: ColumnArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

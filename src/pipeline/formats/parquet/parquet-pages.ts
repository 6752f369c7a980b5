import type { ColumnMetaData, DataPageHeader, PageHeader } from 'hyparquet';
import type { Decode } from '../codecs.ts';
import { damaged, LIMITS, unsupported } from '../limits.ts';
import { crc32 } from '../platform.ts';
import { checkDelta, checkDeltaTexts, checkRuns } from './encoding-guard.ts';
import { parquetHeader } from './hyparquet-parts.ts';
import type { Leaf } from './parquet-schema.ts';
import { checkThrift } from './thrift-guard.ts';

type DataPageHeaderV2 = NonNullable<PageHeader['data_page_header_v2']>;

/**
 * Bytes that one packed byte can become; Snappy's copies make 64 of 3, the others know no such
 * bound.
 */
const RATIO: Readonly<Record<string, number>> = { SNAPPY: 24 };
const WIDTH: Readonly<Record<string, number>> = {
  INT32: 4,
  FLOAT: 4,
  INT64: 8,
  DOUBLE: 8,
  INT96: 12,
  BYTE_ARRAY: 4,
};

/** What the pages of one column in one row group hold. */
export interface CheckedPages {
  /** What was packed of each page, unpacked, in the order in which a decoder asks for it. */
  readonly unpacked: readonly Uint8Array[];
  /** Values that are not null. */
  readonly values: number;
}

interface Claims {
  /** Rows of the row group. */
  readonly rows: number;
  /** Values that lists may hold all together. */
  readonly listed: number;
}

/**
 * Walks over the pages of one column in one row group, and refuses those with which the decoder
 * would take memory or time beyond what they can hold: it believes counts and run lengths.
 * Checksums are compared where there are any.
 *
 * @param bytes the column chunk, from its first page on
 * @throws DamagedFileError
 */
export function checkPages(
  bytes: Uint8Array,
  chunk: ColumnMetaData,
  leaf: Leaf,
  { rows, listed }: Claims,
  decode: Decode,
): CheckedPages {
  const { name } = leaf;
  const view = viewOf(bytes);
  const nested = leaf.repetition > 0;
  const unpacked: Uint8Array[] = [];
  const unpack = (part: Uint8Array, length: number) => {
    if (chunk.codec === 'UNCOMPRESSED') return part;
    const plain = length === 0 ? new Uint8Array(0) : decode(part, length);
    unpacked.push(plain);
    return plain;
  };
  let at = 0;
  let seen = 0;
  let begun = 0;
  let values = 0;
  let total = 0;
  // A decoder of lists reads on to the end: their next page may belong to the last row.
  while (nested ? at < bytes.length - 1 : seen < rows) {
    if (at >= bytes.length - 1)
      damaged(`its column ${name} has ${seen} values where ${rows} are claimed`);
    const body = checkThrift(view, at, bytes.length);
    const header = parquetHeader({ view, offset: at });
    const { compressed_page_size: packed, uncompressed_page_size: size } = header;
    // A number of another width than the format has would be a bigint.
    if (!(Number.isInteger(packed) && packed >= 0 && packed <= bytes.length - body))
      damaged(`a page of its column ${name} is cut off`);
    const most =
      chunk.codec === 'UNCOMPRESSED'
        ? packed
        : Math.min(LIMITS.page, 1024 + packed * (RATIO[chunk.codec] ?? 1e6));
    if (!(Number.isInteger(size) && size >= 0))
      damaged(`a page of its column ${name} claims ${size} bytes`);
    if (size > most)
      (chunk.codec === 'UNCOMPRESSED' ? damaged : unsupported)(
        `a page of its column ${name} claims ${size} bytes`,
      );
    total += size;
    if (total > LIMITS.chunk)
      unsupported(`its column ${name} unpacks to more than ${LIMITS.chunk} bytes`);
    at = body + packed;
    const page = bytes.subarray(body, at);
    if (typeof header.crc === 'number' && crc32(page) !== header.crc >>> 0)
      damaged(`a page of its column ${name} is not what it was when it was written`);

    if (header.type === 'DICTIONARY_PAGE') {
      const count = header.dictionary_page_header?.num_values ?? -1;
      if (!(Number.isInteger(count) && count >= 0 && count * (widthOf(leaf) ?? 1 / 8) <= size))
        damaged(`a dictionary of its claims ${count} values`);
      unpack(page, size);
      continue;
    }
    const read = pageOf(header);
    const { num_values: count, encoding } = read;
    const left = nested ? listed - seen : rows - seen;
    if (!(Number.isInteger(count) && count >= 0 && count <= left))
      (nested ? unsupported : damaged)(
        `a page of its column ${name} claims ${count} values where ${left} are left`,
      );
    seen += count;
    const { plain, start, there, rowsBegun } =
      'num_nulls' in read
        ? levelsV2(read, page, size, leaf, unpack)
        : levelsV1(read, viewOf(unpack(page, size)), leaf);
    begun += rowsBegun;
    values += there;
    checkValues(plain, start, there, encoding, leaf, !('num_nulls' in read));
  }
  if (nested && begun !== rows)
    damaged(`its column ${name} has ${begun} values where ${rows} are claimed`);
  return { unpacked, values };
}

function pageOf(header: PageHeader): DataPageHeader | DataPageHeaderV2 {
  const v1 = header.type === 'DATA_PAGE' ? header.data_page_header : undefined;
  const v2 = header.type === 'DATA_PAGE_V2' ? header.data_page_header_v2 : undefined;
  return v1 ?? v2 ?? damaged('it has a page of unknown kind');
}

interface Levels {
  /** The values, from `start` on. */
  readonly plain: DataView;
  readonly start: number;
  /** How many values there are, and how many rows begin in the page. */
  readonly there: number;
  readonly rowsBegun: number;
}

/**
 * Levels of a page of version 1: each with its length before it, in the packed part of the page.
 */
function levelsV1(header: DataPageHeader, plain: DataView, leaf: Leaf): Levels {
  const { num_values: count } = header;
  let start = 0;
  const levels = (most: number, encoding: string | undefined, wanted: number): number => {
    if (most === 0) return count;
    if (encoding !== 'RLE')
      unsupported(`its column ${leaf.name} has levels encoded as ${encoding}, which is not read`);
    const length = start + 4 <= plain.byteLength ? plain.getUint32(start, true) : -1;
    const end = start + 4 + length;
    if (!(length >= 0 && end <= plain.byteLength)) damaged('it has a page that is cut off');
    const found = checkRuns(plain, start + 4, end, widthOfLevel(most), count, wanted);
    start = end;
    return found;
  };
  const rowsBegun = levels(leaf.repetition, header.repetition_level_encoding, 0);
  const there = levels(leaf.definition, header.definition_level_encoding, leaf.definition);
  return { plain, start, there, rowsBegun };
}

/** Levels of a page of version 2: in front of what is packed. */
function levelsV2(
  header: DataPageHeaderV2,
  page: Uint8Array,
  size: number,
  leaf: Leaf,
  unpack: (part: Uint8Array, length: number) => Uint8Array,
): Levels {
  const {
    num_values: count,
    repetition_levels_byte_length: repetition,
    definition_levels_byte_length: definition,
  } = header;
  const whole = [repetition, definition].every((length) => Number.isInteger(length) && length >= 0);
  const levels = repetition + definition;
  if (!(whole && levels <= Math.min(page.length, size))) damaged('it has a page that is cut off');
  const view = viewOf(page);
  const rowsBegun =
    leaf.repetition > 0
      ? checkRuns(view, 0, repetition, widthOfLevel(leaf.repetition), count, 0)
      : count;
  const there =
    leaf.definition > 0
      ? checkRuns(view, repetition, levels, widthOfLevel(leaf.definition), count, leaf.definition)
      : count;
  if (header.num_rows !== rowsBegun) damaged(`a page of its claims ${header.num_rows} rows`);
  if (header.num_nulls !== count - there) damaged(`a page of its claims ${header.num_nulls} nulls`);
  const rest = page.subarray(levels);
  const plain = header.is_compressed === false ? rest : unpack(rest, size - levels);
  return { plain: viewOf(plain), start: 0, there, rowsBegun };
}

function checkValues(
  view: DataView,
  start: number,
  count: number,
  encoding: string,
  leaf: Leaf,
  older: boolean,
): void {
  const { name, element } = leaf;
  const width = widthOf(leaf);
  const left = view.byteLength - start;
  switch (encoding) {
    case 'PLAIN':
    case 'BYTE_STREAM_SPLIT':
      if (count * (width ?? 1 / 8) > left || width === 0)
        damaged(`a page of its column ${name} is cut off`);
      return;
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY':
      if (count === 0) return;
      if (left === 0) damaged(`a page of its column ${name} is cut off`);
      // Where the dictionary has one value the decoder of the older pages looks at no runs, and
      // there may be none.
      if (view.getUint8(start) > 0 || !older)
        checkRuns(view, start + 1, view.byteLength, view.getUint8(start), count);
      return;
    case 'RLE':
      if (element.type !== 'BOOLEAN')
        damaged(`a page of its column ${name} is encoded as none of its kind`);
      if (count > 0) checkRuns(view, start + 4, view.byteLength, 1, count);
      return;
    case 'DELTA_BINARY_PACKED':
      checkDelta(view, start, count);
      return;
    case 'DELTA_LENGTH_BYTE_ARRAY':
    case 'DELTA_BYTE_ARRAY':
      checkDeltaTexts(view, start, count, encoding === 'DELTA_BYTE_ARRAY');
      return;
    default:
      unsupported(`its column ${name} is encoded as ${encoding}, which is not read`);
  }
}

/** Least bytes of a value; undefined for truth values, which take a bit. */
function widthOf({ element: { type, type_length } }: Leaf): number | undefined {
  return type === 'FIXED_LEN_BYTE_ARRAY' ? (type_length ?? 0) : WIDTH[type ?? ''];
}

const widthOfLevel = (most: number): number => 32 - Math.clz32(most);

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

import type { ColumnMetaData, Compressors, SchemaElement } from 'hyparquet';
import { snappyUncompress } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { damaged, LIMITS } from '../limits.ts';
import { checkDelta, checkRuns } from './encoding-guard.ts';
import { checkThrift } from './thrift-guard.ts';

/** Bytes that one packed byte can become; Snappy's copies make 64 of 3, the others know no such bound. */
const RATIO: Readonly<Record<string, number>> = { SNAPPY: 24 };
const WIDTH: Readonly<Record<string, number>> = {
  INT32: 4,
  FLOAT: 4,
  INT64: 8,
  DOUBLE: 8,
  INT96: 12,
  BYTE_ARRAY: 4,
};

/**
 * Walks over the pages of one flat column in one row group, and refuses those with which the decoder would take memory
 * or time beyond what they can hold: it believes counts and run lengths.
 *
 * @param bytes the column chunk, from its first page on
 * @param rows rows of the row group
 * @throws DamagedFileError
 */
export function checkPages(
  bytes: Uint8Array,
  chunk: ColumnMetaData,
  element: SchemaElement,
  rows: number,
  compressors: Compressors = {},
): void {
  const view = viewOf(bytes);
  const optional = element.repetition_type !== 'REQUIRED';
  const width =
    element.type === 'FIXED_LEN_BYTE_ARRAY'
      ? (element.type_length ?? 0)
      : WIDTH[element.type ?? ''];
  let at = 0;
  let seen = 0;
  let total = 0;
  while (seen < rows) {
    if (at >= bytes.length - 1)
      damaged(`its column ${element.name} has ${seen} values where ${rows} are claimed`);
    const body = checkThrift(view, at, bytes.length);
    const header = parquetHeader({ view, offset: at });
    const { compressed_page_size: packed, uncompressed_page_size: size } = header;
    // A number of another width than the format has would be a bigint.
    if (!(Number.isInteger(packed) && packed >= 0 && packed <= bytes.length - body))
      damaged(`a page of its column ${element.name} is cut off`);
    const most =
      chunk.codec === 'UNCOMPRESSED'
        ? packed
        : Math.min(LIMITS.page, 1024 + packed * (RATIO[chunk.codec] ?? 1e6));
    if (!(Number.isInteger(size) && size >= 0 && size <= most))
      damaged(`a page of its column ${element.name} claims ${size} bytes`);
    total += size;
    if (total > LIMITS.chunk)
      damaged(`its column ${element.name} unpacks to more than ${LIMITS.chunk} bytes`);
    at = body + packed;
    const page = bytes.subarray(body, at);
    const unpack = (part: Uint8Array, length: number) => unpacked(part, length, chunk, compressors);

    if (header.type === 'DICTIONARY_PAGE') {
      const count = header.dictionary_page_header?.num_values ?? -1;
      if (!(Number.isInteger(count) && count >= 0 && count * (width ?? 1 / 8) <= size))
        damaged(`a dictionary of its claims ${count} values`);
      continue;
    }
    const v1 = header.data_page_header;
    const v2 = header.data_page_header_v2;
    if (header.type !== (v1 ? 'DATA_PAGE' : 'DATA_PAGE_V2'))
      damaged('it has a page of unknown kind');
    const { num_values: count, encoding } = v1 ?? v2 ?? damaged('it has a page of unknown kind');
    if (!(Number.isInteger(count) && count >= 0 && count <= rows - seen)) {
      damaged(
        `a page of its column ${element.name} claims ${count} values where ${rows - seen} are left`,
      );
    }
    seen += count;
    let plain: DataView;
    let values = count;
    let start = 0;
    if (v2) {
      const { definition_levels_byte_length: levels, repetition_levels_byte_length: repetition } =
        v2;
      if (
        !(
          Number.isInteger(levels) &&
          levels >= 0 &&
          levels <= Math.min(packed, size) &&
          repetition === 0
        )
      )
        damaged('it has a page that is cut off');
      if (v2.num_rows !== count) damaged('it has a page of nested values in a flat column');
      if (optional) values = checkRuns(viewOf(page), 0, levels, 1, count);
      if (v2.num_nulls !== count - values) damaged(`a page of its claims ${v2.num_nulls} nulls`);
      const rest = page.subarray(levels);
      plain = viewOf(v2.is_compressed === false ? rest : unpack(rest, size - levels));
    } else {
      plain = viewOf(unpack(page, size));
      if (optional) {
        const length = size < 4 ? -1 : plain.getUint32(0, true);
        if (!(length >= 0 && length <= size - 4)) damaged('it has a page that is cut off');
        start = 4 + length;
        values = checkRuns(plain, 4, start, 1, count);
      }
    }
    checkValues(plain, start, values, encoding, element, width, v1 !== undefined);
  }
}

function checkValues(
  view: DataView,
  start: number,
  count: number,
  encoding: string,
  { type, name }: SchemaElement,
  width: number | undefined,
  older: boolean,
): void {
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
      // Where the dictionary has one value the decoder of the older pages looks at no runs, and there may be none.
      if (view.getUint8(start) > 0 || !older)
        checkRuns(view, start + 1, view.byteLength, view.getUint8(start), count);
      return;
    case 'RLE':
      if (type !== 'BOOLEAN')
        damaged(`a page of its column ${name} is encoded as none of its kind`);
      checkRuns(view, start + 4, view.byteLength, 1, count);
      return;
    case 'DELTA_BINARY_PACKED':
    case 'DELTA_LENGTH_BYTE_ARRAY':
      checkDelta(view, start, count);
      return;
    default:
      damaged(`its column ${name} is encoded as ${encoding}, which is not read`);
  }
}

function unpacked(
  part: Uint8Array,
  length: number,
  { codec }: ColumnMetaData,
  compressors: Compressors,
): Uint8Array {
  if (codec === 'UNCOMPRESSED') return part;
  const other = compressors[codec];
  if (!other && codec !== 'SNAPPY') damaged(`it is compressed by ${codec}, which is not read`);
  let bytes: Uint8Array | undefined = new Uint8Array(length);
  try {
    if (other) bytes = other(part, length);
    else snappyUncompress(part, bytes);
  } catch {
    damaged('it has a page that cannot be unpacked');
  }
  if (bytes?.length !== length)
    damaged('it has a page that unpacks to another size than it claims');
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

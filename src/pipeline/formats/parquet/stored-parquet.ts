import type { FileMetaData, RowGroup } from 'hyparquet';
import type { ColumnArray } from '../../core/schema.ts';
import { decoderOf } from '../all-codecs.ts';
import type { ByteSource } from '../byte-source.ts';
import { damaged } from '../limits.ts';
import { memoryArray, type StoredTable } from '../stored-table.ts';
import { fieldNamed } from '../table-file.ts';
import { COLUMNS_KEY } from '../table-format.ts';
import { keyValues, parquetFooter } from './hyparquet.ts';
import { deserializeTCompactProtocol } from './hyparquet-parts.ts';
import { compressionOf } from './parquet-compression.ts';
import { checkParquetFooter, parseParquetFooter } from './parquet-footer.ts';
import { parquetTable } from './parquet-table.ts';

/** The footer that these bytes end with, fit to be written again to the last bit. */
export function decodeParquetFooter(bytes: Uint8Array): FileMetaData {
  const footer = parseParquetFooter(bytes);
  keepNanCounts(footer, bytes);
  return footer;
}

/**
 * Row groups that a Parquet footer tells of and that stand in `source`; `end` is the first byte
 * behind the last one.
 */
export function storedParquet(source: ByteSource, footer: FileMetaData, end: number): StoredTable {
  checkParquetFooter(footer, end, source.byteLength);
  const starts = footer.row_groups.map(groupStart);
  const groups = footer.row_groups.map(({ num_rows }, i) => ({
    rows: Number(num_rows),
    end: starts[i + 1] ?? end,
  }));
  const first = (count: number): FileMetaData => {
    const row_groups = footer.row_groups.slice(0, count);
    return {
      ...footer,
      row_groups,
      num_rows: row_groups.reduce((sum, { num_rows }) => sum + num_rows, 0n),
    };
  };
  const table = parquetTable(source, { footer, start: end }, decoderOf);
  const columns = table.metadata[COLUMNS_KEY];
  const described = columns === undefined ? {} : { [COLUMNS_KEY]: columns };
  const numbers = footer.row_groups
    .at(0)
    ?.columns.find(({ meta_data }) => meta_data?.type === 'DOUBLE')?.meta_data;
  const compression = numbers && compressionOf(numbers.codec);
  const endOf = (count: number) => (count === 0 ? MAGIC_LENGTH : groups[count - 1]!.end);

  return {
    kind: 'parquet',
    groups,
    columns: table.fields.map(({ name }) => name),
    metadata: table.metadata,
    state: (count) => ({ kind: 'parquet', end: endOf(count), footer: first(count), compression }),
    closing: (count, metadata) =>
      parquetFooter({
        ...first(count),
        key_value_metadata: keyValues({ ...described, ...metadata }),
      }),
    async read(group, columns) {
      const read: ColumnArray[] = [];
      for (const spec of columns) {
        const field = fieldNamed(table, spec.name) ?? damaged(`it has no column ${spec.name}`);
        read.push(memoryArray(await table.read(field, group), spec));
      }
      return { length: groups[group]!.rows, columns: read };
    },
  };
}

const MAGIC_LENGTH = 4;

function groupStart({ columns }: RowGroup): number {
  let start = Number.POSITIVE_INFINITY;
  for (const { meta_data } of columns) {
    for (const offset of [meta_data?.dictionary_page_offset, meta_data?.data_page_offset]) {
      if (offset !== undefined && offset > 0n) start = Math.min(start, Number(offset));
    }
  }
  return start;
}

/** The parts of a raw footer on the way to the number of NaNs in a column chunk. */
interface RawFooter {
  readonly field_4?: readonly {
    readonly field_1?: readonly {
      readonly field_3?: { readonly field_12?: { readonly field_9?: bigint } };
    }[];
  }[];
}

/** The reader of footers passes over the number of NaNs, which their writer notes. */
function keepNanCounts(footer: FileMetaData, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const offset = bytes.length - 8 - view.getUint32(bytes.length - 8, true);
  const raw: RawFooter = deserializeTCompactProtocol({ view, offset });
  footer.row_groups.forEach(({ columns }, g) => {
    columns.forEach(({ meta_data }, c) => {
      const nan_count = raw.field_4?.[g]?.field_1?.[c]?.field_3?.field_12?.field_9;
      if (meta_data?.statistics && nan_count !== undefined)
        Object.assign(meta_data.statistics, { nan_count });
    });
  });
}

import parquet, { type FieldDefinition } from 'parquetjs-lite';
import parquetTypes from 'parquetjs-lite/gen-nodejs/parquet_types.js';
import parquetUtil from 'parquetjs-lite/lib/util.js';
import type { Column, ColumnArray } from '../core/schema.ts';
import { concatBytes } from '../formats/concat-bytes.ts';
import { parquetFooter } from '../formats/parquet/hyparquet.ts';
import {
  columnsMetadata,
  type Metadata,
  type Rows,
  type TableFormat,
  type TableState,
} from '../formats/table-format.ts';

/**
 * Parquet by parquetjs-lite. It shreds row objects one at a time, which is some thirty times slower
 * than the rest; here its column buffers are filled directly, and only the last row of a group goes
 * through `appendRow`, which then encodes and writes the group. No dictionary and no statistics:
 * its own are built from a Set of all values.
 */
export const parquetjsFormat: TableFormat = (target, columns, from) => {
  const schema = new parquet.ParquetSchema(
    Object.fromEntries(columns.map((spec) => [spec.name, fieldOf(spec)])),
  );
  let encoded: Uint8Array[] = [];
  const envelope = new parquet.ParquetEnvelopeWriter(
    schema,
    async (bytes) => {
      encoded.push(bytes);
    },
    async () => {},
    0,
    // One page a group and column, since pages are cut by calls of appendRow: an index of pages
    // would say nothing.
    { useDataPageV2: false, pageSize: 1, pageIndex: false },
  );
  const writer = new parquet.ParquetWriter(schema, envelope, { rowGroupSize: 1 });
  if (from?.kind === 'parquet') {
    encoded = [];
    envelope.offset = from.end;
    envelope.rowCount = Number(from.footer.num_rows);
    envelope.rowGroups = rowGroupsOf(from);
  }

  const take = () => {
    const bytes = concatBytes(encoded);
    encoded = [];
    return bytes;
  };
  const encode = async (rows: Rows) => {
    const values = columns.map((spec, c) => plainValues(spec, rows.columns[c]!));
    const last = rows.length - 1;
    const levels = new Array<number>(last).fill(0);
    const there = (value: number | Buffer) => !Number.isNaN(value);
    writer.setRowGroupSize(rows.length);
    writer.rowBuffer = {
      rowCount: last,
      pageRowCount: last,
      columnData: Object.fromEntries(
        columns.map(({ name, nullable }, c) => [
          name,
          {
            dlevels: nullable
              ? values[c]!.slice(0, last).map((value) => Number(there(value)))
              : levels.slice(),
            rlevels: levels.slice(),
            values: nullable ? values[c]!.slice(0, last).filter(there) : values[c]!.slice(0, last),
            distinct_values: new Set(),
            count: last,
          },
        ]),
      ),
      pages: Object.fromEntries(columns.map(({ name }) => [name, []])),
    };
    await writer.appendRow(
      Object.fromEntries(
        columns.flatMap(({ name, nullable }, c) => {
          const value = values[c]![last]!;
          return nullable && !there(value) ? [] : [[name, rowValue(value)]];
        }),
      ),
    );
  };
  /** Encodes something and then puts the writer back where it was. */
  const aside = async (task: () => Promise<void>) => {
    const { offset, rowCount, rowGroups } = envelope;
    envelope.rowGroups = [...rowGroups];
    await task();
    Object.assign(envelope, { offset, rowCount, rowGroups });
    return take();
  };

  return {
    async write(rows, metadata) {
      await encode(rows);
      const bytes = take();
      if (!metadata) return target.write(bytes);
      const footer = await aside(async () => {
        envelope.rowGroups = envelope.rowGroups.slice(-1);
        envelope.rowCount = rows.length;
        await envelope.writeFooter({ ...metadata, ...columnsMetadata(columns) });
      });
      await target.write(bytes, footer);
    },
    async closing(rows, metadata) {
      const header = take();
      if (header.length > 0) await target.write(header);
      return aside(async () => {
        if (rows.length > 0) await encode(rows);
        await envelope.writeFooter({ ...metadata, ...columnsMetadata(columns) });
      });
    },
    async finish(metadata: Metadata) {
      await envelope.writeFooter({ ...metadata, ...columnsMetadata(columns) });
      await target.write(take());
    },
  };
};

/** A value as `appendRow` takes it: it passes numbers through text, which loses the sign of −0. */
function rowValue(value: number | Buffer): number | string | Buffer {
  return Object.is(value, -0) ? '-0' : value;
}

/** Row groups of a footer as objects of parquetjs-lite. */
function rowGroupsOf({ footer }: Extract<TableState, { kind: 'parquet' }>): unknown[] {
  const metadata = new parquetTypes.FileMetaData();
  parquetUtil.decodeThrift(metadata, Buffer.from(parquetFooter(footer)));
  return metadata.row_groups;
}

function fieldOf({ type, nullable = false }: Column): FieldDefinition {
  const common = {
    optional: nullable,
    statistics: false,
    compression: type === 'DOUBLE' ? 'UNCOMPRESSED' : 'SNAPPY',
  } as const;
  return { type: type === 'STRING' ? 'UTF8' : type, ...common };
}

/** Values in the form in which its buffers hold them: numbers as they are, strings as bytes. */
function plainValues(spec: Column, values: ColumnArray): (number | Buffer)[] {
  if (!spec.words) return Array.from(values);
  const encoded = spec.words.map((word) => Buffer.from(word));
  return Array.from(values, (code) => encoded[code]!);
}

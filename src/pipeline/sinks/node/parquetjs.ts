import parquet, { type FieldDefinition, type ParquetWriter } from 'parquetjs-lite';
import type { ColumnArray, ColumnSpec } from '../../columns.ts';
import type { Rows, TableFormat } from '../table-format.ts';

/**
 * Parquet by parquetjs-lite. It shreds row objects one at a time, which is some thirty times slower than the rest;
 * here its column buffers are filled directly, and only the last row of a group goes through `appendRow`, which then
 * encodes and writes the group. No dictionary and no statistics: its own are built from a Set of all values.
 */
export const parquetjsFormat: TableFormat = (target, columns) => {
  const schema = new parquet.ParquetSchema(Object.fromEntries(columns.map((spec) => [spec.name, fieldOf(spec)])));
  const envelope = new parquet.ParquetEnvelopeWriter(
    schema,
    (bytes) => target.write(bytes),
    async () => {},
    0,
    // One page a group and column: pages are cut by calls of appendRow, and there is one a group.
    { useDataPageV2: false, pageSize: 1 },
  );
  let writer: ParquetWriter | undefined;

  return {
    async write(rows) {
      writer ??= new parquet.ParquetWriter(schema, envelope, { rowGroupSize: rows.length });
      await writeGroup(writer, columns, rows);
    },
    async finish(metadata) {
      writer ??= new parquet.ParquetWriter(schema, envelope, { rowGroupSize: 1 });
      for (const [key, value] of Object.entries(metadata)) writer.setMetadata(key, value);
      await writer.close();
    },
  };
};

async function writeGroup(writer: ParquetWriter, columns: readonly ColumnSpec[], rows: Rows): Promise<void> {
  const values = columns.map((spec, c) => plainValues(spec, rows.columns[c]!));
  const last = rows.length - 1;
  writer.setRowGroupSize(rows.length);
  const levels = new Array<number>(last).fill(0);
  writer.rowBuffer = {
    rowCount: last,
    pageRowCount: last,
    columnData: Object.fromEntries(
      columns.map(({ name }, c) => [
        name,
        {
          dlevels: levels.slice(),
          rlevels: levels.slice(),
          values: values[c]!.slice(0, last),
          distinct_values: new Set(),
          count: last,
        },
      ]),
    ),
    pages: Object.fromEntries(columns.map(({ name }) => [name, []])),
  };
  await writer.appendRow(Object.fromEntries(columns.map(({ name }, c) => [name, values[c]![last]!])));
}

function fieldOf({ type }: ColumnSpec): FieldDefinition {
  const common = { statistics: false, compression: type === 'DOUBLE' ? 'UNCOMPRESSED' : 'SNAPPY' } as const;
  return { type: type === 'STRING' ? 'UTF8' : type, ...common };
}

/** Values in the form in which its buffers hold them: numbers as they are, strings as bytes. */
function plainValues(spec: ColumnSpec, values: ColumnArray): (number | Buffer)[] {
  if (!spec.values) return Array.from(values);
  const encoded = spec.values.map((word) => Buffer.from(word));
  return Array.from(values, (code) => encoded[code]!);
}

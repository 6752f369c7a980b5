import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Field, Float64, makeData, RecordBatch, Schema, Struct, tableFromIPC } from 'apache-arrow';
import fc from 'fast-check';
import { type PageHeader, parquetMetadata } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { FileWriter } from '../../src/pipeline/formats/arrow/apache-arrow-parts.ts';
import { arrowFooter } from '../../src/pipeline/formats/arrow/arrow-footer.ts';
import { ByteCollector } from '../../src/pipeline/formats/arrow/arrow-format.ts';
import { concatBytes } from '../../src/pipeline/formats/concat-bytes.ts';
import { checkDelta, checkRuns } from '../../src/pipeline/formats/parquet/encoding-guard.ts';
import {
  deltaBinaryUnpack,
  deserializeTCompactProtocol,
  parquetHeader,
} from '../../src/pipeline/formats/parquet/hyparquet-parts.ts';
import {
  deltaBinaryPack,
  writeMetadata,
  writePageHeader,
  writeRleBitPackedHybrid,
} from '../../src/pipeline/formats/parquet/hyparquet-writer-parts.ts';
import { crc32 } from '../../src/pipeline/formats/platform.ts';
import { root } from '../setup/parts.ts';

const viewOf = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

test('the versions whose private parts are used: whoever changes one runs these tests', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(manifest.devDependencies).toMatchObject({
    'apache-arrow': '21.2.0',
    hyparquet: '1.31.5',
    'hyparquet-compressors': '1.1.2',
    'hyparquet-writer': '0.17.0',
    zstddec: '0.3.4',
  });
});

describe('the parts of hyparquet and hyparquet-writer', () => {
  test('a page header is read as it was written', () => {
    const header: PageHeader = {
      type: 'DATA_PAGE_V2',
      uncompressed_page_size: 100,
      compressed_page_size: 70,
      crc: -5,
      data_page_header_v2: {
        num_values: 9,
        num_nulls: 2,
        num_rows: 9,
        encoding: 'BYTE_STREAM_SPLIT',
        definition_levels_byte_length: 3,
        repetition_levels_byte_length: 0,
        is_compressed: false,
      },
    };
    const writer = new ByteWriter();
    writePageHeader(writer, header);
    const reader = { view: viewOf(writer.getBytes()), offset: 0 };
    expect(parquetHeader(reader)).toMatchObject(header);
    expect(reader.offset).toBe(writer.offset);
  });

  test('numbers are packed and unpacked by differences, and walked over', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 400 }), (numbers) => {
        const writer = new ByteWriter();
        deltaBinaryPack(writer, Int32Array.from(numbers), 'INT32');
        const view = viewOf(writer.getBytes());
        const out = new Int32Array(numbers.length);
        const reader = { view, offset: 0 };
        deltaBinaryUnpack(reader, numbers.length, out);
        expect([...out]).toEqual(numbers);
        expect(checkDelta(view, 0, numbers.length)).toBe(reader.offset);
      }),
    );
  });

  test('runs of levels are as long as they are counted', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 300 }), (levels) => {
        const writer = new ByteWriter();
        writeRleBitPackedHybrid(writer, levels, 2);
        const bytes = writer.getBytes();
        const found = checkRuns(viewOf(bytes), 0, bytes.length, 2, levels.length, 3);
        expect(found).toBe(levels.filter((level) => level === 3).length);
      }),
    );
  });

  test('a footer is read as written, its raw fields with the numbers of the format', () => {
    const writer = new ByteWriter();
    writeMetadata(writer, {
      version: 2,
      created_by: 'test',
      schema: [
        { name: 'root', num_children: 1 },
        { name: 'x', type: 'DOUBLE', repetition_type: 'OPTIONAL' },
      ],
      num_rows: 7n,
      row_groups: [
        {
          columns: [],
          total_byte_size: 0n,
          num_rows: 7n,
          sorting_columns: [{ column_idx: 0, descending: false, nulls_first: false }],
        },
      ],
      metadata_length: 0,
    });
    writer.appendUint32(0x31524150);
    const bytes = writer.getBytes().slice();
    const footer = parquetMetadata(bytes);
    expect(footer).toMatchObject({ created_by: 'test', num_rows: 7n });
    expect(footer.row_groups[0]!.sorting_columns).toEqual([
      { column_idx: 0, descending: false, nulls_first: false },
    ]);
    const raw = deserializeTCompactProtocol({ view: viewOf(bytes), offset: 0 });
    expect(raw).toMatchObject({ field_1: 2, field_3: 7n, field_4: [{ field_3: 7n }] });
  });
});

test('the parts of apache-arrow: a file that is left and gone on with is whole', () => {
  const schema = new Schema([new Field('x', new Float64(), false)]);
  const batch = (...values: number[]) => {
    const data = makeData({ type: new Float64(), data: Float64Array.from(values) });
    const struct = makeData({
      type: new Struct(schema.fields),
      length: values.length,
      nullCount: 0,
      children: [data],
    });
    return new RecordBatch(schema, struct);
  };
  const bytes = new ByteCollector();
  const begun = new FileWriter();
  begun.reset(bytes, schema);
  begun.write(batch(1, 2));
  const first = bytes.take();
  const { seen, ...state } = begun.state();
  expect(state.end).toBe(first.length);
  expect(state.batches).toHaveLength(1);
  const other = new FileWriter();
  other.reset(bytes, schema);
  bytes.take();
  other.restore(state, seen);
  other.write(batch(3));
  const file = concatBytes([first, bytes.take(), arrowFooter(schema, other.state(), { key: 'v' })]);
  expect([...tableFromIPC(file).getChild('x')!]).toEqual([1, 2, 3]);
});

test('a checksum goes on behind another, and is that of zip', () => {
  const text = new TextEncoder().encode('hello');
  expect(crc32(text)).toBe(0x3610a686);
  expect(crc32(text.subarray(2), crc32(text.subarray(0, 2)))).toBe(0x3610a686);
});

import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { decoderOf } from '../../src/pipeline/formats/all-codecs.ts';
import { memorySource } from '../../src/pipeline/formats/byte-source.ts';
import { memoryTarget } from '../../src/pipeline/formats/byte-target.ts';
import { checkIntegrity } from '../../src/pipeline/formats/integrity.ts';
import { hyparquetFormat } from '../../src/pipeline/formats/parquet/hyparquet.ts';
import { openParquet } from '../../src/pipeline/formats/parquet/parquet-table.ts';
import { SEAL_KEY, UNSEALED } from '../../src/pipeline/formats/seal.ts';
import type { TableColumn } from '../../src/pipeline/formats/table-format.ts';

const column = (
  name: string,
  type: TableColumn['type'],
  more: Partial<TableColumn> = {},
): TableColumn => ({
  ...{ name, type, symbol: '', unit: '', meaning: '' },
  ...more,
});
const columns = [
  column('text', 'TEXT'),
  column('maybe_text', 'TEXT', { nullable: true }),
  column('flag', 'BOOLEAN'),
  column('word', 'STRING', { words: ['one', 'two'] }),
  column('whole', 'INT64'),
  column('maybe_whole', 'INT64', { nullable: true }),
  column('real', 'DOUBLE'),
  column('maybe_real', 'DOUBLE', { nullable: true }),
];

const whole = fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 });
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const row = fc.record({
  text,
  maybe_text: fc.option(text),
  flag: fc.boolean(),
  word: fc.integer({ min: 0, max: 1 }),
  whole,
  maybe_whole: fc.option(whole),
  real: fc.double(),
  // NaN is NULL in a column that may lack values.
  maybe_real: fc.option(fc.double({ noNaN: true })),
});

test('texts, truth values and nulls are read back as written, in any mixture', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(row, { minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 3 }),
      async (groups) => {
        const target = memoryTarget();
        const writer = hyparquetFormat()(target, columns);
        for (const rows of groups) {
          const cells = columns.map(({ name }) =>
            rows.map((each) => each[name as keyof typeof each]),
          );
          await writer.write({ length: rows.length, columns: cells });
        }
        await writer.finish({});
        const bytes = target.bytes();
        const file = bytes.buffer.slice(
          bytes.byteOffset,
          bytes.byteOffset + bytes.byteLength,
        ) as ArrayBuffer;
        const expected = groups.flat().map((each) => ({
          ...each,
          word: ['one', 'two'][each.word],
          whole: BigInt(each.whole),
          maybe_whole: each.maybe_whole === null ? null : BigInt(each.maybe_whole),
        }));
        const read = (await parquetReadObjects({ file })).map((each) =>
          Object.fromEntries(Object.entries(each).map(([name, value]) => [name, value ?? null])),
        );
        expect(read).toEqual(expected);
      },
    ),
  );
});

test.each([
  [[0], -0, 0],
  [[-0], -0, 0],
  [[0, 3], -0, 3],
  [[-3, -0], -3, 0],
  [[Number.NaN, 2, 1], 1, 2],
  [[Number.NaN], undefined, undefined],
  [[Number.NEGATIVE_INFINITY, 1], Number.NEGATIVE_INFINITY, 1],
])(
  'the bounds of %j are %d and %d: a zero may have either sign, NaN is no bound',
  async (values, least, most) => {
    const target = memoryTarget();
    const writer = hyparquetFormat()(target, [column('real', 'DOUBLE')]);
    await writer.write({ length: values.length, columns: [Float64Array.from(values)] });
    await writer.finish({});
    const { row_groups } = parquetMetadata(target.bytes().slice().buffer);
    const { statistics } = row_groups[0]!.columns[0]!.meta_data!;
    // toBe tells −0 from 0.
    expect(statistics?.min_value).toBe(least);
    expect(statistics?.max_value).toBe(most);
  },
);

test('lists are read back as they were written, whatever their length', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 300 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 3 }),
      fc.infiniteStream(fc.double({ noNaN: true })),
      fc.constantFrom('none', 'snappy'),
      async (listed, lengths, numbers, compression) => {
        const target = memoryTarget();
        const schema = [column('whole', 'INT64'), column('list', 'DOUBLE', { listed })];
        const writer = hyparquetFormat(compression)(target, schema);
        const rows: { readonly whole: number; readonly list: number[] }[] = [];
        for (const length of lengths) {
          const group = Array.from({ length }, (_, i) => ({
            whole: rows.length + i,
            list: Array.from({ length: listed }, () => numbers.next().value as number),
          }));
          const lists = Float64Array.from(group.flatMap(({ list }) => list));
          await writer.write({ length, columns: [group.map((each) => each.whole), lists] });
          rows.push(...group);
        }
        await writer.finish({ [SEAL_KEY]: UNSEALED });
        const table = await openParquet(memorySource(target.bytes()), decoderOf);
        expect(table.fields.map(({ kind }) => kind)).toEqual(['number', 'list']);
        const lists = await Promise.all(lengths.map((_, group) => table.read(1, group)));
        expect(lists.flatMap((values) => Array.from(values))).toEqual(rows.map(({ list }) => list));
        expect((await checkIntegrity(memorySource(target.bytes()))).problems).toEqual([]);
      },
    ),
    { numRuns: 30 },
  );
});

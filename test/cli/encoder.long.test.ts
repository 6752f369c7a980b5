import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startEncoder } from '../../src/cli/encoder/encoder.ts';
import type { Column } from '../../src/pipeline/core/schema.ts';
import { memoryTarget } from '../../src/pipeline/formats/byte-target.ts';
import {
  type EncodedGroup,
  type EncoderOf,
  hyparquetFormat,
} from '../../src/pipeline/formats/parquet/hyparquet.ts';
import type { TableColumn } from '../../src/pipeline/formats/table-format.ts';

const named = (name: string, type: TableColumn['type'], more: Partial<TableColumn> = {}) =>
  ({ name, type, symbol: '', unit: '', meaning: '', ...more }) as Column;
const COLUMNS = [
  named('step', 'INT64'),
  named('loss', 'DOUBLE'),
  named('ratio', 'DOUBLE', { nullable: true }),
  named('phase', 'STRING', { words: ['a', 'b', 'c'] }),
  named('cycle', 'INT32'),
];
const ROWS = 40_000;

/** The encoder, and a count of the groups that it took. */
function counted(): { readonly encoderOf: EncoderOf; readonly taken: () => number } {
  let taken = 0;
  return {
    taken: () => taken,
    encoderOf(columns, compression) {
      const encoder = startEncoder(columns, compression);
      const noted = (group: Promise<EncodedGroup> | undefined) => {
        if (group) taken++;
        return group;
      };
      return { ...encoder, encode: (task) => noted(encoder.encode(task)) };
    },
  };
}

/** Writes groups of rows until `done` of their number; a flush behind the second is not written. */
async function written(
  format: ReturnType<typeof hyparquetFormat>,
  done: (groups: number) => boolean,
) {
  const target = memoryTarget();
  const writer = format(target, COLUMNS);
  const arrays = writer.arrays?.(ROWS) ?? [
    ...[new Float64Array(ROWS), new Float64Array(ROWS), new Float64Array(ROWS)],
    ...[new Uint8Array(ROWS), new Int32Array(ROWS)],
  ];
  const closings: Uint8Array[] = [];
  let groups = 0;
  for (; !done(groups); groups++) {
    for (let i = 0; i < ROWS; i++) {
      const t = groups * ROWS + i;
      const ratio = t % 3 === 0 ? Number.NaN : 1 / t;
      for (const [c, value] of [t, 1 / (1 + t), ratio, t % 3, t >> 9].entries())
        arrays[c]![i] = value;
    }
    const rows = { length: ROWS, columns: arrays };
    if (groups === 2) closings.push(await writer.closing(rows, { of: 'a flush' }));
    await writer.write(rows, { of: 'a group' });
    await pause(1);
  }
  await writer.finish({ of: 'the file' });
  return { groups, closings, bytes: target.bytes() };
}

test.each(['none', 'snappy'] as const)(
  'a thread encodes row groups to the bytes that the writer makes itself (%s)',
  async (compression) => {
    const { encoderOf, taken } = counted();
    const format = hyparquetFormat(compression, encoderOf);
    const { groups, ...found } = await written(format, (n) => n > 2 && taken() > 2);
    const alone = await written(hyparquetFormat(compression), (n) => n === groups);
    expect(Buffer.compare(found.bytes, alone.bytes)).toBe(0);
    expect(found.closings).toEqual(alone.closings);
  },
);

test('an error of the thread is that of its row group; further ones it does not take', async () => {
  const encoder = startEncoder([named('phase', 'STRING')], 'snappy');
  const rows = { length: 10, columns: [new Uint8Array(10)] };
  const task = { rows, offset: 4, outlined: false };
  let group = encoder.encode(task);
  for (; !group; group = encoder.encode(task)) await pause(1);
  await expect(group).rejects.toThrow('column phase has no list of values');
  expect(encoder.encode(task)).toBeUndefined();
});

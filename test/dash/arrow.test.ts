import { Float64, Table, tableFromArrays, tableToIPC, vectorFromArray } from 'apache-arrow';
import { expect, test } from 'vitest';
import { openBytes } from '../../src/dash/load/bytes.ts';
import { openAny } from '../../src/dash/load/open-any.ts';

const opened = async (bytes: Uint8Array) =>
  openAny(await openBytes({ kind: 'bytes', bytes: bytes.slice().buffer }));

test('an Arrow file gives numbers and words', async () => {
  const table = tableFromArrays({
    step: BigInt64Array.of(0n, 1n, 2n),
    loss: Float64Array.of(1, 0.5, Number.NEGATIVE_INFINITY),
    cycle: Int32Array.of(0, 1, 1),
    phase: ['a', 'b', 'a'],
  });
  const source = await opened(tableToIPC(table, 'file'));
  expect(source.rows).toBe(3);
  expect(source.columns).toEqual([
    { name: 'step', kind: 'number' },
    { name: 'loss', kind: 'number' },
    { name: 'cycle', kind: 'number' },
    { name: 'phase', kind: 'string' },
  ]);
  expect([...(await source.read('step', 0))]).toEqual([0, 1, 2]);
  expect([...(await source.read('loss', 0))]).toEqual([1, 0.5, Number.NEGATIVE_INFINITY]);
  expect([...(await source.read('cycle', 0))]).toEqual([0, 1, 1]);
  expect([...(await source.read('phase', 0))].map((code) => source.words('phase')[code])).toEqual([
    'a',
    'b',
    'a',
  ]);
});

test('nulls are NaN', async () => {
  const table = new Table({
    step: vectorFromArray([0, 1], new Float64()),
    loss: vectorFromArray([1, null], new Float64()),
  });
  const source = await opened(tableToIPC(table, 'file'));
  expect([...(await source.read('loss', 0))]).toEqual([1, Number.NaN]);
});

test('a file cut off anywhere is refused in plain words', async () => {
  const whole = tableToIPC(
    tableFromArrays({ step: Float64Array.of(0, 1), loss: Float64Array.of(3, 4) }),
    'file',
  );
  for (let cut = 0; cut < whole.length; cut += 7) {
    await expect(opened(whole.slice(0, cut))).rejects.toThrow(/cut off|damaged/);
  }
});

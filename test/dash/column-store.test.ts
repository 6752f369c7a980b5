import { expect, test } from 'vitest';
import { columnStore } from '../../src/dash/load/columns.ts';
import { cycles } from '../../src/dash/load/intervals.ts';
import type { TableSource } from '../../src/dash/load/table.ts';

/** A source of one number a group that counts what is read; each group claims so many rows. */
function countedSource(groups: number, rows: number) {
  const reads: string[] = [];
  const source: TableSource = {
    rows: groups * rows,
    bytes: groups * rows * 8,
    columns: [{ name: 'loss', kind: 'number' }],
    groups: Array.from({ length: groups }, (_, i) => ({ start: i * rows, rows, key: `${i}` })),
    metadata: {},
    words: () => [],
    async read(column, group) {
      reads.push(`${column}:${group}`);
      return Float64Array.of(group);
    },
  };
  return { source, reads };
}

/** Rows of a group that take 4 MB decoded: four of them are kept. */
const ROWS = 2 ** 19;

test('what was used least lately is read again once 16 MB are kept, and nothing else', async () => {
  const { source, reads } = countedSource(8, ROWS);
  const store = columnStore(source);
  const look = async (...groups: number[]) => {
    reads.length = 0;
    for (const group of groups)
      expect(await store.values('loss', group)).toEqual(Float64Array.of(group));
    return reads.map((read) => Number(read.split(':')[1]));
  };
  expect(await look(0, 1, 2, 3)).toEqual([0, 1, 2, 3]);
  expect(await look(3, 2, 1, 0)).toEqual([]);
  // 3 is now the one that was used first.
  expect(await look(4)).toEqual([4]);
  expect(await look(0, 1, 2, 4)).toEqual([]);
  expect(await look(3)).toEqual([3]);
  expect(await look(1, 2, 4, 3)).toEqual([]);
  expect(await look(0)).toEqual([0]);
});

test('a group larger than all that is kept can be read, and pushes the others out', async () => {
  const { source, reads } = countedSource(2, 5 * ROWS);
  const store = columnStore(source);
  await store.values('loss', 0);
  await store.values('loss', 1);
  await store.values('loss', 1);
  await store.values('loss', 0);
  expect(reads).toEqual(['loss:0', 'loss:1', 'loss:0']);
});

test('the peak of a cycle is its largest number: a row without one is none', async () => {
  const columns = {
    step: [0, 1, 2, 3, 4, 5, 6, 7],
    cycle: [1, 1, 1, 1, 2, 2, 3, 3],
    l1: [Number.NaN, 0.5, Number.NaN, 0.2, 0.3, Number.NaN, Number.NaN, Number.NaN],
    sharpness_ratio: [1, 2, Number.NaN, 1.5, Number.NaN, 1.25, Number.NaN, 1],
  };
  // In one group, and in two with the seam within a cycle.
  for (const seam of [8, 2, 5]) {
    const parts = [
      [0, seam],
      [seam, 8],
    ].filter(([from, to]) => from! < to!) as [number, number][];
    const source: TableSource = {
      rows: 8,
      bytes: 256,
      columns: Object.keys(columns).map((name) => ({ name, kind: 'number' })),
      groups: parts.map(([from, to]) => ({ start: from, rows: to - from, key: `${from}` })),
      metadata: {},
      words: () => [],
      read: async (column, group) =>
        Float64Array.from(columns[column as keyof typeof columns].slice(...parts[group]!)),
    };
    expect(await cycles(columnStore(source))).toEqual([
      { cycle: 1, first: 0, last: 3, peakL1: 0.5, peakRatio: 2 },
      { cycle: 2, first: 4, last: 5, peakL1: 0.3, peakRatio: 1.25 },
      { cycle: 3, first: 6, last: 7, peakL1: Number.NaN, peakRatio: 1 },
    ]);
  }
});

test('the cycles of a file that has neither L₁ nor the ratio have no peaks', async () => {
  const columns = { step: [0, 1, 2], cycle: [0, 1, 1] };
  const source: TableSource = {
    rows: 3,
    bytes: 48,
    columns: Object.keys(columns).map((name) => ({ name, kind: 'number' })),
    groups: [{ start: 0, rows: 3, key: '0' }],
    metadata: {},
    words: () => [],
    read: async (column) => Float64Array.from(columns[column as keyof typeof columns]),
  };
  expect(await cycles(columnStore(source))).toEqual([
    { cycle: 1, first: 1, last: 2, peakL1: Number.NaN, peakRatio: Number.NaN },
  ]);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { segmented } from '../../src/dash/load/segments.ts';
import type { TableGroup } from '../../src/pipeline/formats/table-file.ts';

const SIZE = 3_000_000;
const bytes = Uint8Array.from({ length: SIZE }, (_, i) => (i * 7919) >> 3);

function counted() {
  const requests: string[] = [];
  const file = {
    byteLength: SIZE,
    version: 'v',
    async slice(start: number, end = SIZE) {
      requests.push(`${start}-${end}`);
      return bytes.slice(start, end).buffer;
    },
  };
  return { requests, source: segmented(file) };
}

const group = (start: number, end: number) => ({ start, end, rows: 1 }) as unknown as TableGroup;

test('what is asked for in one go, and stands close together, is one request', async () => {
  const { requests, source } = counted();
  source.divide([group(4, 2_900_000)]);
  const columns = Array.from({ length: 10 }, (_, i) => [4 + i * 100_000, 100_004 + i * 100_000]);
  await Promise.all(columns.toReversed().map(([start, end]) => source.slice(start!, end!)));
  await Promise.all([source.slice(10, 20), source.slice(2_000_000, 2_000_010)]);
  expect(requests).toEqual(['4-1000004', '10-20', '2000000-2000010']);
});

test('the end of a file is fetched at once, before anything is known of it', async () => {
  const { requests, source } = counted();
  await source.slice(SIZE - 8, SIZE);
  await source.slice(SIZE - 5000, SIZE);
  expect(requests).toEqual([`${SIZE - 65_536}-${SIZE}`]);
});

test('of a large file so much of its end that the footer of a long run is among it', async () => {
  const requests: number[] = [];
  const size = 270_449_168;
  const file = {
    byteLength: size,
    version: 'v',
    async slice(start: number, end = size) {
      requests.push(start);
      return new ArrayBuffer(end - start);
    },
  };
  const source = segmented(file);
  await source.slice(size - 8, size);
  // Measured: of 5,000,000 rows with outlines.
  expect((await source.slice(size - 1_246_271, size)).byteLength).toBe(1_246_271);
  expect(requests).toEqual([size - 1_287_854]);
});

test('whatever is asked for, in whatever company, is what stands there', async () => {
  const range = fc
    .tuple(fc.nat(SIZE), fc.nat(200_000))
    .map(([start, length]) => [start, Math.min(SIZE, start + length)] as const);
  await fc.assert(
    fc.asyncProperty(fc.array(range, { maxLength: 12 }), fc.boolean(), async (ranges, divided) => {
      const { source } = counted();
      if (divided) source.divide([group(4, 500_000), group(500_000, 2_900_000)]);
      const all = await Promise.all(ranges.map(([start, end]) => source.slice(start, end)));
      for (const [i, [start, end]] of ranges.entries())
        expect(Buffer.compare(new Uint8Array(all[i]!), bytes.subarray(start, end))).toBe(0);
    }),
    { numRuns: 60 },
  );
});

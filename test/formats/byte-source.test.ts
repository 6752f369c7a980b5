import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memorySource, windowed } from '../../src/pipeline/formats/byte-source.ts';

const SIZE = 300_000;
const bytes = Uint8Array.from({ length: SIZE }, (_, i) => (i * 2654435761) >>> 24);

test('bytes that are fetched with their neighbours are those that were asked for', async () => {
  const place = fc.integer({ min: 0, max: SIZE });
  const span = fc.tuple(place, fc.oneof(fc.nat(100), fc.nat(SIZE)));
  await fc.assert(
    fc.asyncProperty(fc.array(span, { minLength: 1, maxLength: 20 }), async (spans) => {
      const source = windowed(memorySource(bytes));
      const all = await Promise.all(spans.map(([at, n]) => source.slice(at, at + n)));
      for (const [i, [at, n]] of spans.entries())
        expect(Buffer.compare(new Uint8Array(all[i]!), bytes.subarray(at, at + n))).toBe(0);
    }),
  );
});

test('pieces one behind the other are fetched with few calls', async () => {
  let calls = 0;
  const source = memorySource(bytes);
  const counted = windowed({
    ...source,
    slice(...span) {
      calls++;
      return source.slice(...span);
    },
  });
  for (let at = 0; at < SIZE; at += 100) await counted.slice(at, at + 100);
  expect(calls).toBeLessThan(10);
});

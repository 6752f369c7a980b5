import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deltaOf, patched } from '../../src/pipeline/node/delta.ts';

const bytes = fc.uint8Array({ maxLength: 400, max: 3 });

test('what is patched is what the delta was made of, whatever the two have in common', () => {
  fc.assert(
    fc.property(bytes, bytes, bytes, bytes, (a, b, c, d) => {
      const [before, after] = [Buffer.concat([a, b, c]), Buffer.concat([a, d, b, c, d])];
      expect(Buffer.compare(patched(before, deltaOf(before, after)), after)).toBe(0);
      expect(Buffer.compare(patched(a, deltaOf(a, d)), d)).toBe(0);
    }),
  );
});

test('of columns that have grown by a few values it holds little more than these', () => {
  const table = (rows: number, constant: boolean) =>
    Buffer.concat(
      Array.from({ length: 12 }, (_, c) => {
        const values = Float64Array.from({ length: rows }, (_, i) =>
          constant && c % 2 ? 7 : Math.sin(i * (c + 1)),
        );
        return Buffer.concat([Buffer.from(`head of ${c}: ${rows} `), Buffer.from(values.buffer)]);
      }),
    );
  for (const constant of [false, true]) {
    const [before, after] = [table(60_000, constant), table(60_020, constant)];
    const delta = deltaOf(before, after);
    expect(delta.length).toBeLessThan(12 * (20 * 8 + 2000));
    expect(Buffer.compare(patched(before, delta), after)).toBe(0);
  }
});

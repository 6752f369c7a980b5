import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeOutline,
  decodeRuns,
  encodeOutline,
  encodeRuns,
  OUTLINE_ROWS,
} from '../../src/pipeline/formats/parquet/chunk-outline.ts';

const values = fc
  .array(fc.double({ noDefaultInfinity: false }), { minLength: 1, maxLength: 40 })
  .chain((some) =>
    fc
      .integer({ min: 1, max: 3 * OUTLINE_ROWS })
      .map((length) => Float64Array.from({ length }, (_, i) => some[(i * i) % some.length]!)),
  );

describe('the outline of a column chunk', () => {
  test('has the extremes of each block of rows, at their rows', () => {
    fc.assert(
      fc.property(values, (column) => {
        const outline = decodeOutline(encodeOutline(column), column.length)!;
        for (let b = 0; b * OUTLINE_ROWS < column.length; b++) {
          const block = column.slice(b * OUTLINE_ROWS, (b + 1) * OUTLINE_ROWS);
          const finite = block.filter(Number.isFinite);
          const [low, high] = [outline.low[b]!, outline.high[b]!];
          if (finite.length === 0) {
            expect([low, high]).toEqual([Number.NaN, Number.NaN]);
            continue;
          }
          expect(low).toBe(finite.reduce((a, c) => Math.min(a, c)));
          expect(high).toBe(finite.reduce((a, c) => Math.max(a, c)));
          expect(column[outline.lowRow[b]!]).toBe(low);
          expect(column[outline.highRow[b]!]).toBe(high);
          expect(Math.floor(outline.highRow[b]! / OUTLINE_ROWS)).toBe(b);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('tells where words change', () => {
    const lengths = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 30 })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(lengths, (runs) => {
        const codes = Uint8Array.from(runs.flatMap(([code, n]) => Array<number>(n).fill(code)));
        const words = ['a', 'b', 'c', 'd'];
        const found = decodeRuns(encodeRuns(codes, words), codes.length)!;
        const back = Array.from(found.rows).flatMap((row, i) =>
          Array<string>((found.rows[i + 1] ?? codes.length) - row).fill(words[found.codes[i]!]!),
        );
        expect(back).toEqual(Array.from(codes, (code) => words[code]));
      }),
    );
    expect(
      encodeRuns(
        Uint8Array.from({ length: 5000 }, (_, i) => i % 2),
        ['a', 'b'],
      ),
    ).toBe(undefined);
  });

  test('of a stranger is believed only as far as it can be so', () => {
    const good = encodeOutline(new Float64Array(5000));
    for (const bad of [undefined, '', '%', good.slice(4), `${good}AAAA`])
      expect(decodeOutline(bad, 5000)).toBe(undefined);
    expect(decodeOutline(good, 10_000)).toBe(undefined);
    const codes = Uint8Array.of(0, 0, 1);
    const told = JSON.parse(encodeRuns(codes, ['a', 'b'])!);
    for (const change of [
      { words: 3 },
      { words: ['a'] },
      { rows: '' },
      { codes: 'AA' },
      { rows: 7 },
    ])
      expect(decodeRuns(JSON.stringify({ ...told, ...change }), 3)).toBe(undefined);
    for (const bad of [undefined, '', 'null', '[]', '{}', '{'])
      expect(decodeRuns(bad, 3)).toBe(undefined);
    expect(decodeRuns(JSON.stringify(told), 1)).toBe(undefined);
  });
});

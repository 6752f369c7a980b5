import fc from 'fast-check';
import { expect, test } from 'vitest';
import { envelope } from '../src/pipeline/formats/envelope.ts';

const series = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), {
  minLength: 1,
  maxLength: 3000,
});

test('keeps the smallest and the largest value of every pixel column', () => {
  fc.assert(
    fc.property(series, fc.integer({ min: 1, max: 60 }), (y, columns) => {
      const x = y.map((_, i) => i);
      const rows = envelope(x, y, columns);
      const column = (row: number) =>
        Math.min(columns - 1, Math.floor((row * columns) / (y.length - 1)));
      const extremes = (some: readonly number[]) => {
        const found = new Map<number, [number, number]>();
        for (const row of some) {
          const [low, high] = found.get(column(row)) ?? [Infinity, -Infinity];
          found.set(column(row), [Math.min(low, y[row]!), Math.max(high, y[row]!)]);
        }
        return found;
      };
      if (y.length > 4 * columns) expect(extremes(rows)).toEqual(extremes(x));
      else expect(rows).toEqual(x);
    }),
  );
});

test('rows stand in order, each once, at most four a column, first and last among them', () => {
  fc.assert(
    fc.property(series, fc.integer({ min: 1, max: 60 }), (y, columns) => {
      const rows = envelope(
        y.map((_, i) => i),
        y,
        columns,
      );
      expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b));
      expect(rows.length).toBeLessThanOrEqual(
        Math.max(4 * columns, y.length <= 4 * columns ? y.length : 0),
      );
      expect([rows[0], rows.at(-1)]).toEqual([0, y.length - 1]);
    }),
  );
});

test('a spike of one row among a million is drawn', () => {
  const y = new Float64Array(1_000_000);
  y[654_321] = 1;
  const x = y.map((_, i) => i);
  expect(envelope(x, y, 500)).toContain(654_321);
});

test('values that are not finite do not hide the others', () => {
  const y = Float64Array.from({ length: 1000 }, (_, i) =>
    i % 7 === 0 ? Number.NaN : i === 500 ? 9 : 0,
  );
  const x = y.map((_, i) => i);
  expect(envelope(x, y, 10)).toContain(500);
});

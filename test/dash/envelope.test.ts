import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addPoints,
  BUCKET,
  emptyEnvelope,
  envelopePoints,
  foldBuckets,
  makeBuckets,
  pixelRows,
} from '../../src/pipeline/formats/envelope.ts';

const value = fc.oneof(
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);
const series = fc.array(value, { minLength: 1, maxLength: 800 });
const width = fc.integer({ min: 1, max: 60 });

/** Extremes of the finite values of each pixel column, found the slow way. */
function extremes(
  y: readonly number[],
  from: number,
  to: number,
  pixels: number,
): Map<number, { low: number; high: number }> {
  const found = new Map<number, { low: number; high: number }>();
  for (const [x, v] of y.entries()) {
    if (x < from || x > to || !Number.isFinite(v)) continue;
    const pixel = Math.min(pixels - 1, Math.floor(((x - from) * pixels) / (to - from || 1)));
    const old = found.get(pixel) ?? { low: v, high: v };
    found.set(pixel, { low: Math.min(old.low, v), high: Math.max(old.high, v) });
  }
  return found;
}

const hasPoint = (points: { x: Float64Array; y: Float64Array }, v: number) => points.y.includes(v);

describe('addPoints', () => {
  test('keeps both extremes of every pixel column', () => {
    fc.assert(
      fc.property(series, width, fc.nat(), fc.nat(), (y, pixels, a, b) => {
        const [from, to] = [
          Math.min(a % y.length, b % y.length),
          Math.max(a % y.length, b % y.length),
        ];
        const envelope = emptyEnvelope(from, to, pixels);
        addPoints(
          envelope,
          y.map((_, x) => x),
          y,
        );
        const points = envelopePoints(envelope);
        for (const { low, high } of extremes(y, from, to, pixels).values()) {
          expect(hasPoint(points, low)).toBe(true);
          expect(hasPoint(points, high)).toBe(true);
        }
      }),
    );
  });

  test('draws points of the series, in order, two a column at most, one outside each side', () => {
    fc.assert(
      fc.property(series, width, (y, pixels) => {
        const [from, to] = [Math.floor(y.length / 4), Math.floor((3 * y.length) / 4)];
        const envelope = emptyEnvelope(from, to, pixels);
        addPoints(
          envelope,
          y.map((_, x) => x),
          y,
        );
        const { x, y: drawn } = envelopePoints(envelope);
        expect(x.length).toBeLessThanOrEqual(2 * pixels + 2);
        for (let i = 0; i < x.length; i++) {
          expect(drawn[i]).toBe(y[x[i]!]);
          if (i > 0) expect(x[i]!).toBeGreaterThan(x[i - 1]!);
        }
        const inside = y.flatMap((v, i) => (Number.isFinite(v) && i < from ? [i] : []));
        if (inside.length > 0) expect(x[0]).toBe(inside.at(-1));
      }),
    );
  });

  test('is the same whether the points come at once or in parts', () => {
    fc.assert(
      fc.property(series, width, fc.nat(), (y, pixels, cut) => {
        const x = y.map((_, i) => i);
        const once = emptyEnvelope(0, y.length - 1, pixels);
        addPoints(once, x, y);
        const parts = emptyEnvelope(0, y.length - 1, pixels);
        addPoints(parts, x, y, pixelRows(parts, x, 0, cut % y.length));
        addPoints(parts, x, y, pixelRows(parts, x, cut % y.length));
        expect(parts).toEqual(once);
      }),
    );
  });
});

describe('buckets', () => {
  test('keep both extremes of every block, with the steps where they were', () => {
    fc.assert(
      fc.property(series, (y) => {
        const x = Float64Array.from(y, (_, i) => 3 * i);
        const buckets = makeBuckets(x, y);
        for (let b = 0; b < buckets.low.length; b++) {
          const block = y.slice(b * BUCKET, (b + 1) * BUCKET).filter(Number.isFinite);
          expect(buckets.low[b]).toBe(block.length > 0 ? Math.min(...block) : Number.NaN);
          expect(buckets.high[b]).toBe(block.length > 0 ? Math.max(...block) : Number.NaN);
          if (block.length > 0) expect(y[buckets.lowX[b]! / 3]).toBe(buckets.low[b]);
        }
      }),
    );
  });

  test('folded into columns, keep the extremes of each column and lose none of the run', () => {
    fc.assert(
      fc.property(series, fc.integer({ min: 1, max: 9 }), (y, merge) => {
        const buckets = makeBuckets(
          Float64Array.from(y, (_, i) => i),
          y,
        );
        const columns = Math.ceil(buckets.low.length / merge);
        const envelope = emptyEnvelope(0, y.length, columns);
        expect(foldBuckets(envelope, buckets, 0, buckets.low.length, merge, 0)).toBe(columns);
        const points = envelopePoints(envelope);
        for (let c = 0; c < columns; c++) {
          const block = y
            .slice(c * merge * BUCKET, (c + 1) * merge * BUCKET)
            .filter(Number.isFinite);
          if (block.length === 0) continue;
          expect(hasPoint(points, Math.min(...block))).toBe(true);
          expect(hasPoint(points, Math.max(...block))).toBe(true);
        }
      }),
    );
  });
});

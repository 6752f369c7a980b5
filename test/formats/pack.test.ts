import fc from 'fast-check';
import { snappyUncompress } from 'hyparquet';
import { expect, test, vi } from 'vitest';
import { EXTREMES, placed, snappy } from '../../src/pipeline/formats/parquet/pack.ts';

function unpacked(packed: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  snappyUncompress(packed, bytes);
  return bytes;
}

/** Bytes with runs, with what stood before at any distance, and with what stood nowhere. */
const bytesWithRepeats = fc
  .array(
    fc.oneof(
      fc.record({ fresh: fc.uint8Array({ maxLength: 300 }) }),
      fc.record({ byte: fc.nat(255), times: fc.nat(5000) }),
      fc.record({ back: fc.integer({ min: 1, max: 80_000 }), times: fc.nat(3000) }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => {
    const bytes: number[] = [];
    for (const part of parts) {
      if ('fresh' in part) bytes.push(...part.fresh);
      else if ('byte' in part) for (let i = 0; i < part.times; i++) bytes.push(part.byte);
      else for (let i = 0; i < part.times; i++) bytes.push(bytes.at(-part.back) ?? 7);
    }
    return Uint8Array.from(bytes);
  });

test('Snappy gives back the bytes that it took', () => {
  fc.assert(
    fc.property(bytesWithRepeats, (bytes) => {
      expect(Buffer.compare(unpacked(snappy(bytes), bytes.length), bytes)).toBe(0);
    }),
  );
});

test('Snappy gives back a run of every length, short and around its longest copies', () => {
  for (let length = 0; length < 300; length++) {
    const bytes = new Uint8Array(length).fill(9);
    expect(unpacked(snappy(bytes), length)).toEqual(bytes);
  }
});

test.each([60, 61, 256, 257, 65_536, 65_537, (1 << 24) + 1])(
  'Snappy gives back %d bytes that hold nothing twice',
  (length) => {
    // Whole numbers under a multiplication that has an inverse: no four bytes come again.
    const words = Uint32Array.from({ length: Math.ceil(length / 4) }, (_, i) =>
      Math.imul(i, 0x9e3779b1),
    );
    const bytes = new Uint8Array(words.buffer).subarray(0, length);
    const packed = snappy(bytes).slice();
    expect(packed.length).toBeLessThan(length + 10);
    expect(Buffer.compare(unpacked(packed, length), bytes)).toBe(0);
  },
);

test('the streams of numbers are their first bytes, their second ones …', () => {
  fc.assert(
    fc.property(fc.float64Array({ maxLength: 70 }), (values) => {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      const streams = Uint8Array.from(
        bytes,
        (_, i) => bytes[8 * (i % values.length) + Math.floor(i / values.length)]!,
      );
      expect(placed(values).split().slice()).toEqual(streams);
      expect(unpacked(placed(values).snappySplit(), bytes.length)).toEqual(streams);
    }),
  );
});

test.each(['split', 'snappySplit'] as const)(
  '%s: the first numbers may need more memory than there is',
  async (name) => {
    vi.resetModules();
    const fresh = await import('../../src/pipeline/formats/parquet/pack.ts');
    const values = Float64Array.from({ length: 200_000 }, (_, i) => i);
    const { byteLength } = values;
    const found = fresh.placed(values)[name]();
    const streams = name === 'split' ? found : unpacked(found, byteLength);
    const signs = Buffer.from(streams.subarray(-values.length));
    expect([...new Set(signs)].sort()).toEqual([0x00, 0x3f, 0x40, 0x41]);
    expect([...streams.subarray(0, 3), streams.length]).toEqual([0, 0, 0, byteLength]);
  },
);

const zeros = fc.constantFrom(0, -0);
const numbers = fc.oneof(
  fc.float64Array({ maxLength: 90, noDefaultInfinity: true }),
  fc.array(zeros, { maxLength: 90 }).map((some) => Float64Array.from(some)),
  fc.array(fc.oneof(fc.double(), zeros), { maxLength: 90 }).map((some) => Float64Array.from(some)),
);

/** The least, or by `sign` the largest, and the first row that holds it, by a plain loop. */
function first(values: Float64Array, sign: number): readonly [number, number] {
  let at = -1;
  for (let i = 0; i < values.length; i++)
    if (at < 0 ? !Number.isNaN(values[i]!) : sign * values[i]! < sign * values[at]!) at = i;
  return [values[at] ?? Number.NaN, at];
}

test('extremes of numbers are those of a plain loop, at their rows, zeros with their sign', () => {
  fc.assert(
    fc.property(numbers, fc.integer({ min: 1, max: 40 }), (values, rows) => {
      const parts = Array.from({ length: Math.ceil(values.length / rows) }, (_, k) => {
        const part = values.slice(k * rows, (k + 1) * rows);
        return { low: first(part, 1), high: first(part, -1) };
      });
      const found = placed(values).extremes(rows);
      const finite = parts.every((part) =>
        [part.low, part.high].every(([value]) => Number.isFinite(value)),
      );
      expect(found !== undefined).toBe(finite);
      if (!found) return;
      const view = new DataView(found.buffer);
      const told = parts.map((_, k) => ({
        low: [view.getFloat64(k * EXTREMES, true), view.getUint16(k * EXTREMES + 16, true)],
        high: [view.getFloat64(k * EXTREMES + 8, true), view.getUint16(k * EXTREMES + 18, true)],
      }));
      expect(told).toEqual(parts);
    }),
    { numRuns: 400 },
  );
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { patched } from '../../src/pipeline/formats/patched.ts';
import { deltaOf } from '../../src/pipeline/node/delta.ts';

const bytes = fc.uint8Array({ maxLength: 400, max: 3 });

test('what is patched is what the delta was made of, whatever the two have in common', () => {
  fc.assert(
    fc.property(bytes, bytes, bytes, bytes, (a, b, c, d) => {
      const [before, after] = [Buffer.concat([a, b, c]), Buffer.concat([a, d, b, c, d])];
      expect(Buffer.compare(patched(before, [deltaOf(before, after)]), after)).toBe(0);
      expect(Buffer.compare(patched(a, [deltaOf(a, d)]), d)).toBe(0);
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
    expect(Buffer.compare(patched(before, [delta]), after)).toBe(0);
  }
});

test('many deltas make what one after the other would', () => {
  fc.assert(
    fc.property(fc.array(bytes, { minLength: 1, maxLength: 30 }), (parts) => {
      const states = parts.map((_, i) =>
        Buffer.concat([...parts.slice(0, i + 1), ...parts.slice(i % 3, i)]),
      );
      const deltas = states.slice(1).map((state, i) => deltaOf(states[i]!, state));
      expect(Buffer.compare(patched(states[0]!, deltas), states.at(-1)!)).toBe(0);
    }),
  );
});

test('thousands of deltas of a large table cost what they hold', () => {
  const columns = Array.from({ length: 30 }, (_, c) => Buffer.alloc(30_000, c + 1));
  const states = (rows: number) =>
    Buffer.concat(columns.map((column, c) => Buffer.concat([column, Buffer.alloc(rows, 100 + c)])));
  const first = states(0);
  const deltas = Array.from({ length: 2000 }, (_, i) => {
    const pieces = columns.flatMap((column, c) => [c * (column.length + i), column.length + i, 1]);
    return Buffer.concat([
      Buffer.from(Uint32Array.from([pieces.length, ...pieces]).buffer),
      Buffer.from(columns.map((_, c) => 100 + c)),
    ]);
  });
  expect(Buffer.compare(patched(first, deltas), states(2000))).toBe(0);
});

const delta = (numbers: readonly number[], inserted = 0) =>
  Buffer.concat([
    Buffer.from(Uint32Array.from([numbers.length, ...numbers]).buffer),
    Buffer.alloc(inserted),
  ]);

test.each([
  ['copies the same bytes again', delta([0, 9, 0, 0, 9, 0])],
  ['copies more than there is', delta([1, 9, 0])],
  ['inserts more than it holds', delta([0, 0, 4], 3)],
  ['is cut off', delta([0, 1])],
  ['claims more than it holds', Buffer.from(Uint32Array.of(2 ** 32 - 1).buffer)],
])('a delta that %s is refused', (_, bad) => {
  expect(() => patched(new Uint8Array(9), [bad])).toThrow(RangeError);
});

test('deltas of endlessly many pieces are given up', () => {
  const pieces = Array.from({ length: 60_000 }, (_, i) => [i, 1, 0]).flat();
  const deltas = new Array<Buffer>(400).fill(delta(pieces));
  expect(() => patched(new Uint8Array(60_000), deltas)).toThrow('too many pieces');
});

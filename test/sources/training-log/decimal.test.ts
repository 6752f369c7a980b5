import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDecimalReader } from '../../../src/pipeline/sources/training-log/decimal.ts';

const reader = createDecimalReader();
const encoder = new TextEncoder();

function read(text: string): number {
  const bytes = encoder.encode(`${text},`);
  const value = reader.read(bytes, 0, bytes.length);
  expect(reader.end).toBe(text.length);
  return value;
}

test('every double reads as itself from its shortest form', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
      expect(read(JSON.stringify(x))).toBe(JSON.parse(JSON.stringify(x)));
    }),
    { numRuns: 20_000 },
  );
});

test('any digits with any point and exponent read as Number reads them', () => {
  const digits = fc.stringMatching(/^(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?$/);
  fc.assert(
    fc.property(fc.boolean(), digits, (negative, text) => {
      const number = negative ? `-${text}` : text;
      expect(read(number)).toBe(Number(number));
    }),
    { numRuns: 20_000 },
  );
});

test('digits close to the middle between two doubles are rounded right', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2 ** 51, max: 2 ** 53 - 1 }),
      fc.integer({ min: -3, max: 3 }),
      (m, off) => {
        // m + 1/2 in units of 2^-30, exactly, and a little beside it.
        const text = (BigInt(2 * m + 1) * 5n ** 31n + BigInt(off)).toString();
        const decimal = `0.${text.padStart(40, '0')}`;
        expect(read(decimal)).toBe(Number(decimal));
        const short = `${text.slice(0, 4)}.${text.slice(4, 20)}`;
        expect(read(short)).toBe(Number(short));
      },
    ),
    { numRuns: 2000 },
  );
});

test.each(['', '-', '.5', '01', '1.', '1e', '1e+', '+1', 'NaN', '-Infinity', '1.e5'])(
  '%s is no JSON number',
  (text) => {
    const bytes = encoder.encode(text);
    reader.read(bytes, 0, bytes.length);
    expect(reader.end === -1 || reader.end < text.length).toBe(true);
  },
);

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/pipeline/models/minimal/config.ts';
import { type Axis, parseAxis, parseStarts } from '../../src/pipeline/sweep/axis.ts';
import type { SweepParameterName } from '../../src/pipeline/sweep/parameters.ts';

function values<T>(axis: Axis<T>): T[] {
  return Array.from({ length: axis.count }, (_, i) => axis.at(i));
}

describe('parseAxis', () => {
  test.each<[SweepParameterName, string, number[]]>([
    ['eta', '0.05', [0.05]],
    ['eta', '1/20, 1/12', [1 / 20, 1 / 12]],
    ['eta', '0.1:0.3:lin:3', [0.1, 0.2, 0.3]],
    ['floor', '0:0.9:4', [0, 0.3, 0.6, 0.9]],
    ['lambda2', '0.001:1:log:4', [0.001, 0.01, 0.1, 1]],
    ['eta', '1/3:1/3:lin:1', [1 / 3]],
    ['seed', '0..3', [0, 1, 2, 3]],
    ['seed', '0..2,7,1', [0, 1, 2, 7]],
    ['eta', '0.1,0.1,0.2', [0.1, 0.2]],
    ['steps', '10:1000:log:3', [10, 100, 1000]],
    ['steps', '1:4:log:7', [1, 2, 3, 4]],
    ['covariance', '-0.5:0.5:lin:3', [-0.5, 0, 0.5]],
    ['eta', '0.1:0.2:lin:2,0.5', [0.1, 0.2, 0.5]],
  ])('%s %s', (parameter, text, expected) => {
    expect(values(parseAxis(parameter, text))).toEqual(expected);
  });

  test.each<[SweepParameterName, string, RegExp]>([
    ['eta', '', /no values/],
    ['eta', ' ', /no values/],
    ['eta', '0.1,,0.2', /empty place/],
    ['eta', '0.1:0.2:lin:0', /empty/],
    ['eta', '0.2:0.1:lin:5', /backwards/],
    ['seed', '9..0', /backwards/],
    ['eta', '0:1:log:5', /logarithm of 0/],
    ['eta', '-1:1:log:5', /logarithm of -1/],
    ['eta', '0.1:0.2:cubic:5', /is no range/],
    ['eta', '0.1:0.2', /is no range/],
    ['eta', '0.1:0.2:lin:2.5', /is no range/],
    ['eta', '0.1:0.2:lin:1', /one point but two ends/],
    ['eta', '0.1:0.1:lin:3', /two equal ends/],
    ['eta', 'fast', /not a number/],
    ['eta', '0.1:fast:lin:3', /not a number/],
    ['eta', '1..3', /whole numbers/],
    ['steps', '1.5', /whole number/],
    ['samples', '1', /whole number from 2/],
    ['seed', '0..9999999999', /whole number/],
    ['steps', '1:9000000:lin:2000000', /too long/],
    ['eta', '1:1.0000000000001:lin:50', /finer than 12 digits/],
  ])('refuses %s "%s"', (parameter, text, message) => {
    expect(() => parseAxis(parameter, text)).toThrow(ConfigError);
    expect(() => parseAxis(parameter, text)).toThrow(message);
    expect(() => parseAxis(parameter, text)).toThrow(new RegExp(`^${parameter}: `));
  });

  test('a long range is not listed', () => {
    const seeds = parseAxis('seed', '0..2000000000');
    expect(seeds.count).toBe(2_000_000_001);
    expect(seeds.at(1_999_999_999)).toBe(1_999_999_999);
    expect(parseAxis('eta', '0.01:0.5:log:1000000').count).toBe(1_000_000);
  });

  const range = fc
    .record({
      from: fc.double({ min: 1e-6, max: 10, noNaN: true }),
      factor: fc.double({ min: 1.01, max: 1e4, noNaN: true }),
      scale: fc.constantFrom('lin', 'log'),
      count: fc.integer({ min: 2, max: 200 }),
    })
    .map(({ from, factor, scale, count }) => ({ from, to: from * factor, scale, count }));

  test('a range has both ends exactly, rises strictly, and its values can be typed again', () => {
    fc.assert(
      fc.property(range, ({ from, to, scale, count }) => {
        const axis = parseAxis('eta', `${from}:${to}:${scale}:${count}`);
        const all = values(axis);
        expect(all).toHaveLength(count);
        expect(all[0]).toBe(from);
        expect(all.at(-1)).toBe(to);
        for (let i = 1; i < count; i++) expect(all[i]!).toBeGreaterThan(all[i - 1]!);
        for (const value of all) {
          expect(axis.has(value)).toBe(true);
          expect(axis.has(value * (1 + 1e-9))).toBe(false);
          expect(parseAxis('eta', String(value)).at(0)).toBe(value);
        }
      }),
    );
  });

  test('the canonical text reads as the same axis, and is its own canonical text', () => {
    const item = fc.oneof(
      range.map(({ from, to, scale, count }) => `${from}:${to}:${scale}:${count}`),
      fc.double({ min: 1e-6, max: 10, noNaN: true }).map(String),
      fc.constantFrom('1/20', '1e-3', '0.050'),
    );
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 4 }), (items) => {
        const axis = parseAxis('eta', items.join(','));
        const again = parseAxis('eta', axis.text);
        expect(values(again)).toEqual(values(axis));
        expect(again.text).toBe(axis.text);
      }),
    );
  });
});

describe('parseStarts', () => {
  test('reads one or several, each once', () => {
    expect(values(parseStarts('0.3,0.1,0.3'))).toEqual([[0.3, 0.1, 0.3]]);
    expect(values(parseStarts('0.3,0.1,0.3; 0.6,1/100,0.6;0.3,0.1,0.30'))).toEqual([
      [0.3, 0.1, 0.3],
      [0.6, 0.01, 0.6],
    ]);
  });

  test.each(['', '0.3,0.1', '0.3,0.1,0.3;', 'a,b,c'])('refuses "%s"', (text) => {
    expect(() => parseStarts(text)).toThrow(/^init: .* is not three numbers/);
  });
});

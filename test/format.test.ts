import { expect, test } from 'vitest';
import {
  count,
  duration,
  fileSize,
  formatFraction,
  formatNumber,
  percent,
  plainNumber,
  plural,
  rate,
} from '../src/pipeline/format.ts';

test.each([
  [0, '0', '0'],
  [-0, '0', '0'],
  [10_000, '10,000', '10,000'],
  [-1_234_567, '-1,234,567', '−1,234,567'],
  [12_345.678, '12,345.7', '12,345.7'],
  [0.05, '0.05', '0.05'],
  [-0.000123, '-1.23e-4', '−1.23·10⁻⁴'],
  [1e-6, '1e-6', '10⁻⁶'],
  [0.1 + 0.2, '0.3', '0.3'],
  [24.0000001, '24.0000', '24.0000'],
  [-3.99999999e-4, '-4.00000e-4', '−4.00000·10⁻⁴'],
  [999_999.99, '1,000,000', '1,000,000'],
  [-1e-9, '-1e-9', '−10⁻⁹'],
  [1.797e308, '1.797e308', '1.797·10³⁰⁸'],
  [1e15, '1e15', '10¹⁵'],
  [1 / 3, '0.333333', '0.333333'],
  [Number.NaN, 'NaN', '–'],
  [Number.NEGATIVE_INFINITY, '-Infinity', '−∞'],
])('%f reads %s on a terminal and %s in print', (value, plain, printed) => {
  expect(plainNumber(value, 6)).toBe(plain);
  expect(formatNumber(value)).toBe(printed);
});

test('so many digits as are asked for', () => {
  expect([plainNumber(Math.PI), plainNumber(Math.PI, 2), formatNumber(2 / 3e6, 3)]).toEqual([
    '3.142',
    '3.1',
    '6.67·10⁻⁷',
  ]);
});

test('fractions that are meant as such', () => {
  expect([1 / 12, 0.07, 0.05, 3, 1e-9].map(formatFraction)).toEqual([
    '1/12',
    '0.07',
    '1/20',
    '3',
    '10⁻⁹',
  ]);
});

test('counts, shares, rates, times and sizes', () => {
  expect([count(7691), plural(1, 'row'), plural(10_001, 'row')]).toEqual([
    '7,691',
    '1 row',
    '10,001 rows',
  ]);
  expect([percent(0.1234), percent(1e6)]).toEqual(['12.34 %', '1.00e+8 %']);
  expect([3.14, 340_000, 2.1e6].map(rate)).toEqual(['3.1', '340 k', '2.1 M']);
  expect([4, 187, 7500, Number.POSITIVE_INFINITY].map(duration)).toEqual([
    '4.0 s',
    '3:07',
    '2:05:00',
    '?',
  ]);
  expect([999, 1500, 12_345_678].map(fileSize)).toEqual(['999 B', '1.5 kB', '12 MB']);
});

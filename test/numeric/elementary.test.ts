import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hypot, log, log1p, log10 } from '../../src/pipeline/numeric/elementary.ts';
import { exp } from '../../src/pipeline/numeric/exponential.ts';
import { root } from '../setup/parts.ts';

/**
 * Fixed point with so many bits behind the point: many more than float64 has digits in these tests.
 */
const BITS = 1300n;
const ONE = 1n << BITS;
const words = new DataView(new ArrayBuffer(8));

/** A float64 as the exact fraction that it is. */
function exact(x: number): bigint {
  words.setFloat64(0, x);
  const all = words.getBigUint64(0);
  const exponent = Number((all >> 52n) & 0x7ffn);
  const mantissa = (all & 0xfffffffffffffn) | (exponent > 0 ? 1n << 52n : 0n);
  const shift = BigInt(Math.max(1, exponent) - 1075) + BITS;
  const size = shift >= 0n ? mantissa << shift : mantissa >> -shift;
  return x < 0 ? -size : size;
}

/** Distance of a float64 from a true value, in units of the last place of the float64. */
function ulps(value: number, truth: bigint): number {
  words.setFloat64(0, Math.abs(value));
  words.setBigUint64(0, words.getBigUint64(0) + 1n);
  const ulp = exact(words.getFloat64(0)) - exact(Math.abs(value));
  return Number(((exact(value) - truth) * 1000n) / ulp) / 1000;
}

function atanh2(numerator: bigint, denominator: bigint): bigint {
  const s = (numerator * ONE) / denominator;
  const square = (s * s) >> BITS;
  let [sum, power] = [0n, s];
  for (let n = 1n; power !== 0n; n += 2n) {
    sum += power / n;
    power = (power * square) >> BITS;
  }
  return 2n * sum;
}

const TINY = 2 ** -900;
const LN2 = atanh2(1n, 3n);
const LN10 = 3n * LN2 + atanh2(1n, 9n);

function trueLog(x: bigint): bigint {
  let [m, k] = [x, 0n];
  while (m > 2n * ONE) [m, k] = [m >> 1n, k + 1n];
  while (m < ONE) [m, k] = [m << 1n, k - 1n];
  return k * LN2 + atanh2(m - ONE, m + ONE);
}

function trueExp(x: bigint): bigint {
  const k = x / LN2;
  const r = x - k * LN2;
  let [sum, term] = [ONE, ONE];
  for (let n = 1n; term !== 0n; n++) {
    term = (term * r) / (n * ONE);
    sum += term;
  }
  return k >= 0n ? sum << k : sum >> -k;
}

function trueRoot(x: bigint): bigint {
  const target = x << BITS;
  let root = 1n << BigInt(Math.ceil(target.toString(2).length / 2) + 1);
  for (;;) {
    const next = (root + target / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

const real = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const sized = fc
  .tuple(real(0.5, 2), fc.integer({ min: -900, max: 900 }))
  .map(([m, k]) => m * 2 ** k);
const positive = fc.oneof(
  sized,
  real(0.9, 1.1),
  real(0, 100).filter((x) => x > 0),
);

describe('elementary functions are right to 1 ulp', () => {
  test('log', () => {
    fc.assert(
      fc.property(positive, (x) => {
        expect(Math.abs(ulps(log(x), trueLog(exact(x))))).toBeLessThan(1);
      }),
      { numRuns: 1500 },
    );
  });

  test('log10', () => {
    fc.assert(
      fc.property(positive, (x) => {
        const truth = (trueLog(exact(x)) * ONE) / LN10;
        expect(Math.abs(ulps(log10(x), truth))).toBeLessThan(1);
      }),
      { numRuns: 1500 },
    );
  });

  test('log1p', () => {
    const small = fc
      .tuple(real(-0.99, 0.99), fc.integer({ min: -300, max: 0 }))
      .map(([m, k]) => m * 2 ** k);
    fc.assert(
      fc.property(fc.oneof(small, real(-0.999, 10), real(0, 1e6)), (x) => {
        expect(Math.abs(ulps(log1p(x), trueLog(ONE + exact(x))))).toBeLessThan(1);
      }),
      // What was found once.
      { numRuns: 1500, examples: [[0.3931049718948759], [-0.34999999925494135]] },
    );
  });

  test('exp', () => {
    fc.assert(
      fc.property(fc.oneof(real(-700, 700), real(-1, 1)), (x) => {
        expect(Math.abs(ulps(exp(x), trueExp(exact(x))))).toBeLessThan(1);
      }),
      { numRuns: 1500 },
    );
  });

  test('hypot', () => {
    const near = fc.integer({ min: -40, max: 40 }).map((k) => 2 ** k);
    const scale = fc.constantFrom(1, 2 ** -560, 2 ** 550);
    fc.assert(
      fc.property(real(-1, 1), real(-1, 1), real(-1, 1), near, scale, (a, b, c, k, s) => {
        const [x, y, z] = [a * s, b * s * k, c * s];
        const squares = [x, y, z].reduce((sum, v) => sum + exact(v) * exact(v), 0n) >> BITS;
        fc.pre(Math.max(Math.abs(x), Math.abs(y), Math.abs(z)) > 1e-180);
        expect(Math.abs(ulps(hypot(x, y, z), trueRoot(squares)))).toBeLessThan(1.1);
      }),
      { numRuns: 1500 },
    );
  });
});

test('at the ends of their range', () => {
  expect([log(0), log(-1), log(Number.POSITIVE_INFINITY), log(1)]).toEqual([
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    0,
  ]);
  expect(log(5e-324)).toBeCloseTo(-744.4400719213812, 10);
  expect(log10(5e-324)).toBeCloseTo(-323.3062153431158, 10);
  expect(log(Number.MAX_VALUE)).toBeCloseTo(709.782712893384, 10);
  expect([exp(710), exp(-746), exp(0), exp(Number.NaN)]).toEqual([
    Number.POSITIVE_INFINITY,
    0,
    1,
    Number.NaN,
  ]);
  expect(exp(-744) / 1e-323).toBeCloseTo(1, 5);
  expect([log1p(-1), log1p(-2), log1p(0)]).toEqual([Number.NEGATIVE_INFINITY, Number.NaN, 0]);
  expect([hypot(0, 0), hypot(3, 4), hypot(3 * TINY, 4 * TINY), hypot(3e300, 4e300)]).toEqual([
    0,
    5,
    5 * TINY,
    5e300,
  ]);
});

test('powers of ten have whole logarithms', () => {
  for (let k = -300; k <= 300; k++) expect(log10(Number(`1e${k}`)), `1e${k}`).toBeCloseTo(k, 12);
  for (let k = -22; k <= 22; k++) expect(log10(Number(`1e${k}`))).toBe(k);
});

/** What engines round in their own way, and powers of anything but a written 2. */
const FOREIGN =
  /Math\.(?:a?(?:cos|sin|tan)h?|atan2|cbrt|exp|expm1|hypot|log|log10|log1p|log2|pow)\b|(?<!\b2) \*\* (?!$)/;

/** Where the numbers of run files and summaries are made. */
const ON_THE_WAY =
  /^(?:core|dynamics|models\/minimal|numeric|operators|optimizers|sources\/descent|sweep)\//;

test('nothing on the way to a file calls what engines round in their own way', () => {
  const found = readdirSync(join(root, 'src/pipeline'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && ON_THE_WAY.test(path))
    .flatMap((path) =>
      readFileSync(join(root, 'src/pipeline', path), 'utf8')
        .split('\n')
        .map((line, i) => ({ line: line.trim(), at: `${path}:${i + 1}` }))
        .filter(({ line }) => !/^(\*|\/\*)/.test(line) && FOREIGN.test(line))
        .map(({ line, at }) => `${at} ${line}`),
    );
  expect(found).toEqual([]);
});

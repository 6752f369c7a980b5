import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linearTicks, logTicks, stepTicks, wholeTicks } from '../../src/dash/plots/axes.ts';
import { bars } from '../../src/dash/plots/phase-strip.ts';
import { moveInside, shownSteps } from '../../src/dash/runs/steps-shown.ts';

test.each([
  ['none or one', -0.05, 1.05, ['0', '1']],
  ['some', -0.2, 3.2, ['0', '1', '2', '3']],
  ['many', -3, 63, ['0', '10', '20', '30', '40', '50', '60']],
])('an axis of counts has ticks at whole numbers alone: %s', (_, low, high, labels) => {
  const { values, text, label } = wholeTicks([low, high], 'directions');
  expect(values.map(text)).toEqual(labels);
  expect(label).toBe('directions');
});

describe('ticks of a linear axis', () => {
  const labels = (low: number, high: number) => {
    const { values, text, label } = linearTicks([low, high], 'y');
    return { labels: values.map(text), label };
  };

  test('are short; what they have in common stands in the title where it is long', () => {
    expect(labels(0, 1)).toEqual({
      labels: ['0.0', '0.2', '0.4', '0.6', '0.8', '1.0'],
      label: 'y',
    });
    expect(labels(0, 50_000).labels).toContain('10,000');
    expect(labels(-4.787, -4.785)).toEqual({
      labels: ['−4.7870', '−4.7865', '−4.7860', '−4.7855', '−4.7850'],
      label: 'y',
    });
    expect(labels(1.5815301, 1.5815303)).toEqual({
      labels: ['1.5·10⁻⁷', '2·10⁻⁷', '2.5·10⁻⁷', '3·10⁻⁷'],
      label: 'y − 1.58153',
    });
    expect(labels(0, 5.2e-9)).toEqual({
      labels: ['0', '10⁻⁹', '2·10⁻⁹', '3·10⁻⁹', '4·10⁻⁹', '5·10⁻⁹'],
      label: 'y',
    });
  });

  test('no two are alike and none is long, however small or far away the values', () => {
    const size = fc.integer({ min: -300, max: 300 });
    const digits = fc.double({ min: -9.99, max: 9.99, noNaN: true });
    fc.assert(
      fc.property(digits, size, fc.integer({ min: 0, max: 9 }), (factor, power, places) => {
        const low = factor * 10 ** power;
        const high = low + (Math.abs(low) || 1) * 10 ** -places;
        fc.pre(Number.isFinite(high) && high - low > 1e-300);
        const { labels: found } = labels(low, high);
        expect(found.length).toBeGreaterThanOrEqual(2);
        expect(found.length).toBeLessThanOrEqual(12);
        expect(new Set(found).size).toBe(found.length);
        // As many digits as tell neighbours apart, a sign, a point and an exponent.
        for (const label of found) expect(label.length).toBeLessThanOrEqual(places + 11);
      }),
    );
  });

  test('end also where steps between doubles are missing', () => {
    for (const [low, high] of [
      [1e17, 1e17 + 64],
      [0, 5e-324],
      [-1e308, 1e308],
    ] as const) {
      expect(linearTicks([low, high], 'y').values.length).toBeLessThanOrEqual(12);
    }
  });
});

test.each([
  [
    [1e-9, 1],
    ['10⁻⁸', '10⁻⁶', '10⁻⁴', '10⁻²', '10⁰'],
  ],
  [
    [0.02, 3],
    ['0.02', '0.05', '0.1', '0.2', '0.5', '1', '2'],
  ],
  [
    [2e-9, 3e-8],
    ['2·10⁻⁹', '5·10⁻⁹', '10⁻⁸', '2·10⁻⁸'],
  ],
  [
    [3, 4],
    ['3.0', '3.2', '3.4', '3.6', '3.8', '4.0'],
  ],
] as const)('a logarithmic axis over %j has ticks', (domain, expected) => {
  const { values, text } = logTicks(domain, 'y');
  expect(values.map(text)).toEqual(expected);
});

test('ticks of few steps are the steps', () => {
  expect(stepTicks([498.3, 502.3], 600)).toEqual([499, 500, 501, 502]);
  expect(stepTicks([-0.5, 0.5], 600)).toEqual([0]);
  expect(stepTicks([0, 10_000], 600)).toEqual([0, 2000, 4000, 6000, 8000, 10_000]);
});

describe('the steps shown', () => {
  test.each([
    ['of a longer run', [20_000, 30_000], null],
    ['before the run', [-20, -10], null],
    ['more than all', [-1e9, 1e9], null],
    ['beyond the end', [9000, 1e9], [9000, 10_000]],
    ['between two rows', [500.2, 500.4], [498.3, 502.3]],
    ['at the very end', [9999.9, 1e9], [9996, 10_000]],
    ['none asked for', null, null],
  ] as const)('%s', (_, asked, shown) => {
    expect(shownSteps(asked, [0, 10_000])).toEqual(shown);
  });

  test('lie in the run and are never none', () => {
    const step = fc.double({ min: -1e12, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(
        step,
        step,
        fc.integer({ min: 0, max: 1e6 }),
        fc.integer({ min: 1, max: 1e6 }),
        (a, b, first, rows) => {
          for (const shown of [
            shownSteps([a, b], [first, first + rows]),
            moveInside([a, b], [first, first + rows]),
          ]) {
            if (!shown) continue;
            expect(shown[0]).toBeGreaterThanOrEqual(first);
            expect(shown[1]).toBeLessThanOrEqual(first + rows);
            expect(shown[1] - shown[0]).toBeGreaterThan(3.9);
          }
        },
      ),
    );
  });
});

describe('phase bars', () => {
  test('of one row is a whole bar; one row at the end is seen', () => {
    expect(bars([{ word: 'a', first: 0, last: 0 }], [-0.5, 0.5])).toEqual([
      { word: 'a', x1: -0.5, x2: 0.5 },
    ]);
    const phases = [
      { word: 'a', first: 0, last: 99 },
      { word: 'diverged', first: 100, last: 100 },
    ];
    expect(bars(phases, [0, 100], 0.5).at(-1)).toEqual({ word: 'diverged', x1: 99.5, x2: 100 });
    expect(bars(phases, [0, 50], 0.5)).toEqual([{ word: 'a', x1: 0, x2: 50 }]);
  });
});

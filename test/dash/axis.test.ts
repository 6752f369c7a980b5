import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linearTicks, stepTicks } from '../../src/dash/panels/draw.ts';
import { bars } from '../../src/dash/panels/phase-bands.ts';
import { moveInside, shownSteps } from '../../src/dash/steps-shown.ts';

describe('ticks of a linear axis', () => {
  const labels = (low: number, high: number) => {
    const { ticks, text, title } = linearTicks([low, high], 'y');
    return { labels: ticks.map(text), title };
  };

  test('are short, what they have in common stands in the title', () => {
    expect(labels(0, 1)).toEqual({ labels: ['0', '0.2', '0.4', '0.6', '0.8', '1'], title: 'y' });
    expect(labels(-4.787, -4.785)).toEqual({
      labels: ['−4.787', '−4.7865', '−4.786', '−4.7855', '−4.785'],
      title: 'y',
    });
    expect(labels(1.5815301, 1.5815303)).toEqual({
      labels: ['1.0', '1.5', '2.0', '2.5', '3.0'],
      title: 'y − 1.58153 (×10⁻⁷)',
    });
    expect(labels(0, 5.2e-9)).toEqual({ labels: ['0', '2·10⁻⁹', '4·10⁻⁹'], title: 'y' });
    expect(labels(0, 4.4e-4)).toEqual({
      labels: ['0', '10⁻⁴', '2·10⁻⁴', '3·10⁻⁴', '4·10⁻⁴'],
      title: 'y',
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
        for (const label of found) expect(label.length).toBeLessThanOrEqual(8);
      }),
    );
  });

  test('tell the values: label × scale + what the title says', () => {
    const number = (text: string) =>
      Number(
        text
          .replaceAll('−', '-')
          .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹]/g, (digit) => String('⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(digit)))
          .replace('⁻', '-')
          .replace('·10', 'e')
          .replace(/^10(?=-?\d)/, '1e')
          .replace(/^-10(?=-)/, '-1e')
          .replaceAll('\u202f', ''),
      );
    for (const [low, high] of [
      [-4.787, -4.785],
      [1.5815301, 1.5815303],
      [-1.5815303, -1.5815301],
      [123456.7, 123456.9],
      [-3e-5, 4.4e-4],
      [0.3, 0.7],
      [2e-9, 2.0001e-9],
      [5e8, 7e8],
    ] as const) {
      const { ticks, text, title } = linearTicks([low, high], 'y');
      const [, sign = '+', base = '0'] = / ([+−]) (\S+)/.exec(title) ?? [];
      const scale = /×10(\S+)\)/.exec(title)?.[1] ?? '⁰';
      for (const tick of ticks) {
        const told =
          number(text(tick)) * 10 ** number(scale) + (sign === '−' ? 1 : -1) * number(base);
        expect(Math.abs(told - tick)).toBeLessThan((high - low) * 0.01);
      }
    }
  });

  test('end also where steps between doubles are missing', () => {
    for (const [low, high] of [
      [1e17, 1e17 + 64],
      [0, 5e-324],
      [-1e308, 1e308],
    ] as const) {
      expect(linearTicks([low, high], 'y').ticks.length).toBeLessThanOrEqual(12);
    }
  });

  test('of few steps are the steps', () => {
    expect(stepTicks([498.3, 502.3], 6)).toEqual([499, 500, 501, 502]);
    expect(stepTicks([-0.5, 0.5], 6)).toEqual([0]);
    expect(stepTicks([0, 10_000], 6)).toBe(6);
  });
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

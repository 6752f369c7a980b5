import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { robustRange } from '../../src/dash/plots/robust.ts';
import { X_AXES } from '../../src/dash/plots/x-axis.ts';
import { along, meanBand } from '../../src/dash/runs/page-lines.ts';
import { matches } from '../../src/dash/runs/run-query.ts';

describe('axes', () => {
  test('a step has one place, and comes back from it', () => {
    const run = { eta: 0.05, crossing: 200 };
    for (const axis of X_AXES) {
      const place = axis.place(run)!;
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 1e8 }), (step) => {
          const back = place.step(place.at(step));
          expect(Math.abs(back - step)).toBeLessThan(1e-9 * step + 1e-9);
          const value = axis.value(place.at(step));
          expect(axis.at(value)).toBeCloseTo(place.at(step), 9);
        }),
      );
      expect(axis.ticks([place.at(1), place.at(1000)], 800).length).toBeGreaterThan(1);
    }
  });

  test('runs without a learning rate, or without a crossing, have no place on those axes', () => {
    const [step, log, time, crossing] = X_AXES.map((axis) => axis.place({}) !== undefined);
    expect([step, log, time, crossing]).toEqual([true, true, false, false]);
    expect(X_AXES[2]!.place({ eta: 0.1, changes: [5] })).toBeUndefined();
  });
});

describe('a robust range', () => {
  const calm = Array.from({ length: 200 }, (_, i) => 40 + Math.sin(i));

  test('leaves out a few values that are far away, and nothing else', () => {
    const found = robustRange([...calm, 1e4, 1e9, 1e77], false)!;
    expect(found.range[1]).toBeLessThan(42);
    expect(found).toMatchObject({ out: 3, furthest: 1e77 });
    expect(robustRange(calm, false)!.out).toBe(0);
    // A spike of the loss on a logarithmic axis is seen.
    expect(robustRange([...calm.map((y) => y * 1e-4), 5], true)!.out).toBe(0);
    expect(robustRange([...calm, 1e40, 1e90], true)).toMatchObject({ out: 2 });
  });

  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

  test('never leaves out more than a dozen at an end, and holds the rest', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1 }), (values) => {
        const found = robustRange(values, false)!;
        const [low, high] = found.range;
        const outside = values.filter((value) => value < low || value > high);
        expect(outside.length).toBeLessThanOrEqual(found.out);
        expect(found.out).toBeLessThanOrEqual(24);
      }),
    );
  });
});

describe('a query over the table', () => {
  const cells = new Map([
    ['outcome', { text: 'converged', sort: 'converged' }],
    ['=eta', { text: '0.055', sort: 0.055 }],
    ['=beta', { text: '0.9', sort: 0.9 }],
    ['#final_loss', { text: '1.2·10⁻⁵', sort: 1.2e-5 }],
  ]);
  test.each([
    ['', true],
    ['run-7 converged', true],
    ['diverged', false],
    ['eta=0.055', true],
    // Neither another parameter nor the beginning of a number.
    ['eta=0.05', false],
    ['eta=0.9', false],
    ['eta>0.05 eta<=0.055', true],
    ['final_loss<1e-5', false],
    ['outcome=converged beta>=0.9', true],
  ])('%s', (query, holds) => {
    expect(matches(query, 'run-7.parquet', cells)).toBe(holds);
  });
});

describe('means of runs', () => {
  test('a value between rows lies straight between them, and beyond them there is none', () => {
    const line = along([0, 10, 20], [0, 100, 0]);
    expect([line(-1), line(0), line(5), line(10), line(15), line(21)]).toEqual([
      Number.NaN,
      0,
      50,
      100,
      50,
      Number.NaN,
    ]);
  });

  test('mean and deviation are of the lines that are there; of logarithms on a log scale', () => {
    const lines = [along([0, 10], [1, 1]), along([0, 10], [3, 3]), along([5, 10], [8, 8])];
    expect(meanBand(lines, [0], false)).toEqual({ mean: [2], low: [1], high: [3] });
    expect(meanBand(lines, [6], false).mean).toEqual([4]);
    expect(meanBand(lines.slice(0, 2), [0], true).mean[0]).toBeCloseTo(Math.sqrt(3), 12);
  });
});

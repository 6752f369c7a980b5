import fc from 'fast-check';
import { expect, test } from 'vitest';
import { median } from '../../../src/pipeline/phases/measured/median.ts';
import { createRunningMedian } from '../../../src/pipeline/phases/measured/running-median.ts';

const value = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

test('the running median is that of the last values sorted, whatever is saved on the way', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.array(value, { maxLength: 60 }),
      fc.nat(60),
      (window, values, cut) => {
        let running = createRunningMedian(window);
        for (const [i, each] of values.entries()) {
          if (i === cut) running = createRunningMedian(window, running.values());
          running.next(each);
          const last = values.slice(Math.max(0, i + 1 - window), i + 1);
          // −0 and 0 are one number.
          expect(running.values().map((one) => one + 0)).toEqual(last.map((one) => one + 0));
          const sorted = [...last].sort((a, b) => a - b);
          expect(running.median() + 0).toBe(sorted[last.length >> 1]! + 0);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a median is the one in the middle of all sorted, NaN and both zeros among them', () => {
  const any = fc.oneof(value, fc.double(), fc.constantFrom(0, -0, Number.NaN));
  fc.assert(
    fc.property(fc.array(any, { maxLength: 60 }), (values) => {
      const sorted = Float64Array.from(values).sort();
      expect(median(values)).toBe(sorted[sorted.length >> 1] ?? Number.NaN);
    }),
    { numRuns: 2000 },
  );
});

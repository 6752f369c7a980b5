import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createNoiseScale } from '../../../src/pipeline/phases/measured/noise-scale.ts';

const values = fc.array(
  fc.record({
    value: fc.double({ min: -10, max: 10, noNaN: true }),
    error: fc.oneof(fc.constant(Number.NaN), fc.double({ min: 1e-3, max: 1, noNaN: true })),
  }),
  { maxLength: 12 },
);

test('wherever it is stopped and goes on from its state, the noise is the same', () => {
  fc.assert(
    fc.property(values, fc.nat(12), (series, stop) => {
      const whole = createNoiseScale(1e-4);
      let parts = createNoiseScale(1e-4);
      series.forEach(({ value, error }, i) => {
        if (i === stop) parts = createNoiseScale(1e-4, parts.state());
        expect(parts.next(value, error)).toBe(whole.next(value, error));
      });
      expect(parts.state()).toEqual(whole.state());
    }),
  );
});

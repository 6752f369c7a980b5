import { describe, expect, test } from 'vitest';
import { computed, optionsOf, references, summaryDifferences, wrongCells } from './references.ts';

describe.each(references.map((reference) => [reference.case.name, reference] as const))(
  '%s with --precision auto',
  (_, reference) => {
    test('is the true run to the last row', async () => {
      const { steps, summary } = await computed({ ...optionsOf(reference), precision: 'auto' });
      expect(wrongCells(steps, reference.rows, () => 1e-9)).toEqual([]);
      expect(summaryDifferences(summary, reference, 1e-9)).toEqual([]);
      expect(summary.trusted_until).toBeNull();
      // Where the columns of a row cancel, rounding them to float64 costs two of its fifteen
      // digits.
      expect(Math.min(...steps.map(({ digits }) => digits!))).toBeGreaterThanOrEqual(13);
      expect(summary.precision).toBeGreaterThanOrEqual(256);
    });
  },
);

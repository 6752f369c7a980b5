import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../src/pipeline/models/minimal/config.ts';
import { runToResult } from '../../src/pipeline/sweep/run-result.ts';
import { anyOptions, brokenWords, ownRun } from './any-run.ts';

const gradientDescents = anyOptions.filter(({ optimizer }) => optimizer === undefined);

describe('against runs of thousands of bits from the definition alone', () => {
  test('float64: each number is true to as many digits as its row says', () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        expect(brokenWords(options)).toEqual([]);
      }),
      { seed: 2026, numRuns: 300 },
    );
  }, 240_000);

  test('few bits: likewise', () => {
    fc.assert(
      fc.property(
        gradientDescents,
        fc.constantFrom('100' as const, '200' as const),
        (options, precision) => {
          fc.pre(options.init![1] !== 1e-30 && options.init![1] !== 1e-200);
          expect(brokenWords({ ...options, precision })).toEqual([]);
        },
      ),
      { seed: 7, numRuns: 60 },
    );
  }, 120_000);

  test('as many bits as it takes: every number to 1e-9', () => {
    fc.assert(
      fc.property(gradientDescents, (options) => {
        expect(brokenWords({ ...options, precision: 'auto' }, () => 1e-9)).toEqual([]);
      }),
      { seed: 5, numRuns: 60 },
    );
  }, 240_000);
});

test('auto takes enough bits: twice as many give the same rows, labels and summary', () => {
  fc.assert(
    fc.property(gradientDescents, (options) => {
      const { columns, summary } = ownRun(resolveConfig({ ...options, precision: 'auto' }));
      const precision = `${2 * Number(summary.precision)}` as const;
      const twice = ownRun(resolveConfig({ ...options, precision }));
      for (const name of ['phase', 'cycle', 'regime'] as const)
        expect(twice.columns[name]).toEqual(columns[name]);
      const { phases, outcome, cycles, diverged_at, convergence_time } = summary;
      const same = { phases, outcome, cycles, diverged_at, convergence_time };
      expect(twice.summary).toMatchObject(same);
      columns.alpha.forEach((value, t) => {
        expect(Math.abs(twice.columns.alpha[t]! - value)).toBeLessThanOrEqual(
          1e-13 * Math.abs(value),
        );
      });
    }),
    { seed: 3, numRuns: 60 },
  );
}, 240_000);

test('a sweep says of a run what its stream says, and trusts it as far', () => {
  fc.assert(
    fc.property(anyOptions, (options) => {
      const config = resolveConfig(options);
      expect(runToResult(config)!.summary).toEqual(ownRun(config).summary);
    }),
    { seed: 1, numRuns: 250 },
  );
}, 120_000);

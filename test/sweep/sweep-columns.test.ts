import { expect, test } from 'vitest';
import { resolveConfig } from '../../src/pipeline/models/minimal/config.ts';
import { runToResult } from '../../src/pipeline/sweep/run-result.ts';
import { SWEEP_COLUMNS, sweepRows } from '../../src/pipeline/sweep/sweep-columns.ts';

test.each([
  ['gd', {}, 2],
  ['momentum', { momentum: 0.5 }, 3],
] as const)('ratios of a sweep are over the threshold of %s', (optimizer, options, factor) => {
  const config = resolveConfig({ optimizer, ...options, eta: 0.02, steps: 300 });
  const result = runToResult(config)!;
  const rows = sweepRows();
  rows.add(result, 0);
  const at = (column: string) =>
    rows.columns[SWEEP_COLUMNS.findIndex((c) => c.name === column)]![0];
  const ratio = (sharpness: number) => (config.eta * sharpness) / factor;
  expect(at('final_sharpness_ratio')).toBe(ratio(result.finalSharpness));
  expect(at('start_gfs_ratio')).toBe(ratio(result.startSolutionSharpness));
  expect(at('max_sharpness_ratio')).toBeGreaterThanOrEqual(ratio(result.finalSharpness));
});

test('no column of a sweep takes the threshold of gradient descent for that of all', () => {
  for (const { name, symbol, meaning } of SWEEP_COLUMNS)
    if (/2\/η|ηS|2 \+ δ/.test(symbol + meaning))
      expect(meaning, name).toMatch(/\(?2( \+ δ\))?\/η for gradient descent$/);
});

import { expect, test } from 'vitest';
import { runToResult } from '../../src/pipeline/sweep/run-result.ts';
import { openSweep, sweepSpec } from '../../src/pipeline/sweep/sweep.ts';

// Runs of gradient flow end, and end at S∞, only when they have the steps for it: some 1/(ηλ₂).
const cases = [
  { name: 'the paper’s start', init: '0.3,0.1,0.3', lambda2: '0.1:1:log:6', steps: '20000' },
  {
    name: 'a start of positive balance',
    init: '0.8,0.05,0.2',
    lambda2: '0.1:1:log:6',
    steps: '20000',
  },
  {
    name: 'a start of negative balance',
    init: '0.2,0.05,0.9',
    lambda2: '0.1:1:log:6',
    steps: '40000',
  },
];

test.each(cases)(
  'the edge of stability begins at η = 2/S∞(θ₀), to one cell: $name',
  ({ init, lambda2, steps }) => {
    const sweep = openSweep(sweepSpec({ eta: '0.01:0.06:log:40', lambda2, init, steps }));
    const etas = sweep.axes.get('eta')!;
    const lambdas = sweep.axes.get('lambda2')!;
    const outcomes = Array.from({ length: sweep.runs }, (_, i) => runToResult(sweep.config(i))!);
    for (let l = 0; l < lambdas.count; l++) {
      // The last axis of the two varies fastest.
      const row = outcomes.slice(l * etas.count, (l + 1) * etas.count);
      const empirical = row.findIndex(({ summary }) => summary.outcome !== 'gradient-flow');
      const predicted = row.findIndex(
        ({ config, startSolutionSharpness }) => config.eta * startSolutionSharpness >= 2,
      );
      expect(row.every(({ config }) => config.lambda2 === lambdas.at(l))).toBe(true);
      expect(predicted).toBeGreaterThan(0);
      expect(Math.abs(empirical - predicted)).toBeLessThanOrEqual(1);
      // On this side of the border all runs are of one kind.
      expect(
        row.slice(0, empirical).every(({ summary }) => summary.outcome === 'gradient-flow'),
      ).toBe(true);
      expect(row.slice(empirical).some(({ summary }) => summary.outcome === 'gradient-flow')).toBe(
        false,
      );
    }
  },
);

import { expect, test } from 'vitest';
import { runFacts } from '../../src/dash/runs/facts.ts';

const facts = (config: object) => runFacts({ 'eos.config': JSON.stringify(config) });

test('the threshold of a log is its own factor over η, else that of the optimizer', () => {
  expect(facts({ eta: 0.1, threshold_factor: 38 }).threshold).toBeCloseTo(380, 10);
  expect(facts({ eta: 0.1 }).threshold).toBeCloseTo(20, 10);
  expect(facts({ eta: 0.1, optimizer: 'momentum', momentum: 0.9 }).threshold).toBeCloseTo(38, 10);
  expect(facts({}).threshold).toBeUndefined();
});

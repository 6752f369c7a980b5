import { describe, expect, test } from 'vitest';
import { type RunOptions, resolveConfig } from '../../src/pipeline/models/minimal/config.ts';
import { measured } from '../../src/pipeline/theory/measured-run.ts';
import { predict } from '../../src/pipeline/theory/predict.ts';
import { run } from './run.ts';

const within = (value: number | null, truth: number | null, share: number) => {
  expect(Math.abs(value! / truth! - 1)).toBeLessThan(share);
};

describe('what is predicted before a run is what it does', () => {
  test.each(['paper', 'figure3', 'three-phases', 'plain'] as const)(
    'first crossing of %s within 1 %%',
    async (preset) => {
      const { first_crossing } = predict(resolveConfig({ preset }));
      within(first_crossing, measured(await run({ preset })).first_crossing, 0.01);
    },
  );

  test('edge phase and T(δ, ε) of three-phases within 5 %', async () => {
    const predicted = predict(resolveConfig({ preset: 'three-phases' }));
    const found = measured(await run({ preset: 'three-phases' }));
    within(predicted.edge_steps, found.edge_steps, 0.05);
    within(predicted.convergence_time, found.convergence_time, 0.05);
    expect(found).toMatchObject({ edge_steps: 2653, convergence_time: 7691 });
  });

  test('T(δ, ε) where the run never comes to the edge within 5 %', async () => {
    const options: RunOptions = { preset: 'gradient-flow', lambda2: 0.1, steps: 5000 };
    const predicted = predict(resolveConfig(options));
    expect(predicted.first_crossing).toBeNull();
    within(predicted.convergence_time, measured(await run(options)).convergence_time, 0.05);
  });

  test('period and overshoot of each whole cycle of paper within 5 %', async () => {
    const { cycles } = predict(resolveConfig({ preset: 'paper' }));
    const found = measured(await run({ preset: 'paper' })).cycles;
    expect(found).toHaveLength(24);
    expect(cycles).toHaveLength(24);
    found.forEach(({ period, overshoot }, k) => {
      within(cycles[k]!.period, period, 0.05);
      within(cycles[k]!.overshoot, overshoot, 0.05);
    });
  });
});

test('says why it predicts nothing', () => {
  expect(predict(resolveConfig({ covariance: 0.01 })).reason).toContain('covariance 0');
  expect(predict(resolveConfig({ lambda2: 50 })).reason).toContain('λ₁ ≥ 100·λ₂');
  expect(predict(resolveConfig({ init: [1, 0.1, 0.3] })).reason).toContain('starts at the edge');
});

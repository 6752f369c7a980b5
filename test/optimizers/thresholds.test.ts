import fc from 'fast-check';
import { expect, test } from 'vitest';
import { withDecay } from '../../src/pipeline/optimizers/decay.ts';
import { findOptimizer, optimizers, stabilityOf } from '../../src/pipeline/optimizers/index.ts';
import type { Optimizer, OptimizerValues } from '../../src/pipeline/optimizers/optimizer.ts';
import { defaultsOf } from '../../src/pipeline/optimizers/shared-parameters.ts';

const STEPS = 3000;

/**
 * Runs the optimizer's own step on ½hx², and says by how much a step changes the size of x in the
 * end: the growth of the larger of two neighbouring |x| over the second half. Adaptive ones are
 * given gradients whose squares have long averaged out: their slot of squares holds `square` and
 * hardly moves.
 */
function growth(
  optimizer: Optimizer,
  values: OptimizerValues,
  eta: number,
  h: number,
  decay = 0,
): number {
  const theta = Float64Array.of(1e-60);
  const slots = Array.from({ length: optimizer.slots }, () => new Float64Array(1));
  const frozen = optimizer.metric ? { ...values, averaging: 1 - 1e-12 } : values;
  if (optimizer.metric) slots.at(-1)![0] = 4;
  // Long after the start, where the corrections of Adam are 1.
  const t = 1e15;
  const sizes: number[] = [];
  for (let i = 0; i < STEPS; i++) {
    const gradient = Float64Array.of((h + (optimizer.decoupled ? 0 : decay)) * theta[0]!);
    optimizer.step(theta, gradient, slots, { ...frozen, eta, t });
    sizes.push(Math.abs(theta[0]!));
  }
  const top = (from: number) => Math.max(...sizes.slice(from, from + 100));
  return Math.log(top(STEPS - 100) / top(STEPS / 2)) / (STEPS / 2 - 100);
}

/**
 * Sharpness in the optimizer's own metric for a curvature h, from the metric that it says it has.
 */
function scaleOf(optimizer: Optimizer, values: OptimizerValues, eta: number): number {
  if (!optimizer.metric) return 1;
  const slots = Array.from({ length: optimizer.slots }, () => new Float64Array(1));
  slots.at(-1)![0] = 4;
  const metric = new Float64Array(1);
  const frozen = { ...values, averaging: 1 - 1e-12, eta, t: 1e15 };
  optimizer.metric(new Float64Array(1), slots, frozen, metric);
  return metric[0]! ** 2;
}

const share = fc.double({ min: 0.05, max: 0.95, noNaN: true });
const rate = fc.double({ min: 0.01, max: 2, noNaN: true });

test.each(optimizers.map((each) => [each.name, each] as const))(
  '%s: on a quadratic, its own steps shrink just under its threshold and grow just over it',
  (_, optimizer) => {
    const keys = Object.keys(optimizer.parameters).filter((key) => key !== 'damping');
    fc.assert(
      fc.property(fc.array(share, { minLength: 4, maxLength: 4 }), rate, (shares, eta) => {
        const given = keys.map((key, i) => [key, shares[i]!] as const);
        const values = { ...defaultsOf(optimizer), ...Object.fromEntries(given) };
        const { threshold, ratio } = optimizer.stability(values);
        const edge = threshold(eta) / scaleOf(optimizer, values, eta);
        expect(ratio(threshold(eta), eta)).toBeCloseTo(1, 12);
        expect(growth(optimizer, values, eta, edge * (1 - 1e-3))).toBeLessThan(0);
        expect(growth(optimizer, values, eta, edge * (1 + 1e-3))).toBeGreaterThan(0);
      }),
      { numRuns: 25 },
    );
  },
);

test('L₂ decay lowers the threshold by λ', () => {
  for (const name of ['gd', 'momentum', 'nesterov']) {
    const optimizer = findOptimizer(name)!;
    const stability = withDecay(optimizer.stability(defaultsOf(optimizer)), 3);
    const edge = stability.threshold(0.1);
    expect(edge).toBeCloseTo(optimizer.stability(defaultsOf(optimizer)).threshold(0.1) - 3, 12);
    expect(growth(optimizer, defaultsOf(optimizer), 0.1, edge * (1 - 1e-3), 3)).toBeLessThan(0);
    expect(growth(optimizer, defaultsOf(optimizer), 0.1, edge * (1 + 1e-3), 3)).toBeGreaterThan(0);
  }
});

test('a momentum of β with dampening β averages the gradients: (2 + 2β)/((1 − β)η)', () => {
  const { threshold } = findOptimizer('heavy-ball')!.stability({ momentum: 0.9, dampening: 0.9 });
  expect(threshold(0.1)).toBeCloseTo(380, 9);
});

test('Adam: 38/η for β₁ = 0.9, and AdamW less by its decay', () => {
  expect(findOptimizer('adam')!.stability({ momentum: 0.9 }).threshold(0.001)).toBeCloseTo(38e3, 6);
  const adamw = findOptimizer('adamw')!.stability({ momentum: 0.9, 'weight-decay': 0.5 });
  expect(adamw.threshold(0.1)).toBeCloseTo(((2 - 0.05) * 19) / 0.1, 9);
});

test('what a step leaves along a flat direction is what its own steps leave', () => {
  for (const optimizer of optimizers) {
    const values = { ...defaultsOf(optimizer), 'weight-decay': 0 };
    const x = 0.002;
    const h = x / 0.1 / scaleOf(optimizer, values, 0.1);
    expect(growth(optimizer, values, 0.1, h)).toBeCloseTo(optimizer.stability(values).decay(x), 4);
  }
});

test('what a config names is named with the decay that is added to its gradient', () => {
  const named = (optimizer: string, decay: number | null = 0.5) => {
    const { parameters } = findOptimizer(optimizer)!;
    const own = Object.entries(parameters).map(([name, each]) => [name, each.default]);
    const stability = stabilityOf({
      ...Object.fromEntries(own),
      optimizer,
      'weight-decay': decay,
    });
    return [stability.formula, stability.threshold(0.1)];
  };
  expect(named('gd')).toEqual(['2/η − λ', 19.5]);
  expect(named('gd', null)).toEqual(['2/η', 20]);
  expect(named('momentum', 1)[0]).toBe('(2 + 2β)/η − λ');
  // In its metric the sharpness is that of H + λ.
  expect(named('rmsprop')).toEqual(['2/η', 20]);
  expect(named('adamw')[0]).toBe('(2 − ηλ)(1 + β₁)/((1 − β₁)η)');
});

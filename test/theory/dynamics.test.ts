import { lastValueFrom, take, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { dynamics, findDynamics } from '../../src/pipeline/dynamics/index.ts';
import { ConfigError, type RunOptions } from '../../src/pipeline/models/minimal/config.ts';
import { balance } from '../../src/pipeline/models/minimal/solution.ts';
import { edgeAlpha } from '../../src/pipeline/models/minimal/surrogate.ts';
import { classifySharpness } from '../../src/pipeline/operators/classify-sharpness.ts';
import { flowSolution } from '../../src/pipeline/operators/flow-solution.ts';
import { splitLoss } from '../../src/pipeline/operators/split-loss.ts';
import { gd } from '../../src/pipeline/optimizers/gd.ts';
import { trajectory } from '../../src/pipeline/sources/trajectory.ts';
import { constrainedBeta2, edgeDistance } from '../../src/pipeline/theory/checks/constrained.ts';
import { centralL1, cycleMeans } from '../../src/pipeline/theory/checks/cycle-l1.ts';
import { firstCrossing } from '../../src/pipeline/theory/run-table.ts';
import { collected, run } from './run.ts';

const flow = (name: string, options: RunOptions, source = {}) =>
  trajectory(findDynamics(name)!, options, source);
const beside = (name: string, options: RunOptions) =>
  collected(flow(name, options).pipe(splitLoss(), classifySharpness(), flowSolution()));

const paper = await run({ preset: 'paper' });
const alphaHat = edgeAlpha(100, 1 / 20, gd.stability({}));

describe.each(dynamics.map(({ name }) => name))('%s', (name) => {
  test('has a row for each step of the run, with the columns of its operators', async () => {
    const table = await beside(name, { preset: 'paper', steps: 500 });
    expect(Array.from(table.step)).toEqual(Array.from({ length: 501 }, (_, t) => t));
    for (const column of [
      'loss',
      'l1',
      'l2',
      'l_hat',
      'grad_norm',
      'sharpness',
      'gfs_sharpness',
      'balance',
    ] as const) {
      expect(table.column(column).every(Number.isFinite), column).toBe(true);
    }
    for (const column of ['l1', 'sharpness', 'balance'] as const)
      expect(table.stored(column)).toBe(true);
  });

  test('is the same whatever the batch size', async () => {
    const options = { preset: 'three-phases', steps: 700 } as const;
    const columns = async (batchSize: number) => {
      const batches = await lastValueFrom(flow(name, options, { batchSize }).pipe(toArray()));
      return batches.flatMap(
        ({ columns: { alpha, beta1, beta2 } }) =>
          [...alpha, ...beta1, ...beta2].length && [...alpha],
      );
    };
    expect(await columns(7)).toEqual(await columns(4096));
  });

  test('each subscription starts anew', async () => {
    const source = flow(name, { preset: 'paper', steps: 50 });
    const first = await lastValueFrom(source.pipe(toArray()));
    const second = await lastValueFrom(source.pipe(toArray()));
    expect(second[0]!.columns.alpha).toEqual(first[0]!.columns.alpha);
  });

  test('mirrors with its start', async () => {
    const right = await beside(name, { preset: 'three-phases', steps: 1000 });
    const left = await beside(name, {
      preset: 'three-phases',
      init: [-0.3, 0.1, -0.3],
      steps: 1000,
    });
    expect(left.column('alpha').map((value) => -value)).toEqual(right.column('alpha'));
    expect(left.column('l1')).toEqual(right.column('l1'));
  });

  test('says which dynamics it is, and stops where it is asked to', async () => {
    const controller = new AbortController();
    const batches = flow(name, { preset: 'paper' }, { batchSize: 10, signal: controller.signal });
    const [first] = await lastValueFrom(batches.pipe(take(1), toArray()));
    expect(first!.run.config).toMatchObject({ preset: 'paper', dynamics: name });
    controller.abort();
    const rest = await lastValueFrom(batches.pipe(toArray()));
    expect(rest).toHaveLength(1);
    expect(rest[0]!.run.interrupted).toBe(true);
  });

  test('waits for what its readers hold', async () => {
    let held = 0;
    let overlap = 0;
    await new Promise<void>((resolve, reject) => {
      flow(name, { preset: 'paper', steps: 99 }, { batchSize: 10 }).subscribe({
        next({ run }) {
          held++;
          overlap = Math.max(overlap, held);
          run.hold(new Promise<void>((done) => setTimeout(() => done(void held--), 1)));
        },
        complete: resolve,
        error: reject,
      });
    });
    expect(overlap).toBe(1);
  });
});

test('gradient flow conserves the balance and ends where the closed form says', async () => {
  const table = await beside('gradient-flow', { preset: 'paper', steps: 40_000 });
  const q = balance({ alpha: 0.3, beta1: 0.1, beta2: 0.3 });
  for (const value of table.column('balance')) expect(Math.abs(value - q)).toBeLessThan(1e-9);
  const last = table.length - 1;
  expect(table.column('sharpness')[last]).toBeCloseTo(table.column('gfs_sharpness')[0]!, 6);
  expect(table.column('alpha')[last]! ** 2).toBeCloseTo((q + Math.sqrt(q * q + 4)) / 2, 8);
  expect(table.column('beta1')[last]).toBeCloseTo(0, 300);
  expect(table.column('log10_abs_beta1')[last]).toBeLessThan(-30_000);
});

test('gradient flow does with covariance too', async () => {
  const table = await beside('gradient-flow', { covariance: 0.3, steps: 2000 });
  const drift = table
    .column('balance')
    .map((value) => Math.abs(value - table.column('balance')[0]!));
  expect(Math.max(...drift)).toBeLessThan(1e-9);
});

test('the constrained trajectory never leaves |α| ≤ α̂, and shadows the run', async () => {
  const table = await beside('constrained', { preset: 'paper' });
  expect(Math.max(...table.column('alpha'))).toBe(alphaHat);
  expect(table.column('beta1').every((value) => value === 0)).toBe(true);
  expect(table.column('log10_abs_beta1')[5]).toBe(Number.NEGATIVE_INFINITY);
  expect(edgeDistance(paper, table.column('beta2'))).toBeCloseTo(1.01e-2, 4);
  expect(table.column('beta2')).toEqual(constrainedBeta2(paper, 0));
});

test('distance of constrained trajectory and run over the edge phase of paper', () => {
  expect(edgeDistance(paper, constrainedBeta2(paper, firstCrossing(paper)))).toBeCloseTo(3.6e-4, 5);
});

test('the central flow predicts the mean L₁ of each whole cycle of paper to 2 %', async () => {
  const table = await beside('central', { preset: 'paper' });
  const predicted = table.column('l1');
  expect(predicted).toEqual(centralL1(paper));
  const cycles = cycleMeans(paper, predicted);
  expect(cycles).toHaveLength(24);
  for (const { deviation, first_step } of cycles)
    expect(Math.abs(deviation), `cycle from ${first_step}`).toBeLessThan(0.02);
});

test('the central flow is gradient flow before the edge, and holds α there after', async () => {
  const central = await beside('central', { preset: 'paper' });
  const flow = await beside('gradient-flow', { preset: 'paper' });
  const alpha = central.column('alpha');
  const entry = alpha.indexOf(alphaHat);
  expect(alpha.subarray(0, entry)).toEqual(flow.column('alpha').subarray(0, entry));
  expect(alpha.subarray(entry).every((value) => value === alphaHat)).toBe(true);
  // Mean L₁ = ½λ₁α̂²·mean β₁², and both are what holds α: λ₁α̂β₁² = λ₂β₂(1 − α̂β₂).
  const [beta1, beta2] = [central.column('beta1'), central.column('beta2')];
  for (const row of [entry, 5000, 10_000]) {
    const push = 0.01 * beta2[row]! * (1 - alphaHat * beta2[row]!);
    expect((100 * alphaHat * beta1[row]! ** 2) / push).toBeCloseTo(1, 10);
  }
});

test('the central flow takes a start beyond the edge to it, and lets it go', async () => {
  const beyond = await beside('central', { init: [0.9, 0.1, 0.5], steps: 100 });
  expect(beyond.column('alpha')[0]).toBe(alphaHat);
  const over = await beside('central', { init: [0.9, 0.1, 2], steps: 2000 });
  expect(over.column('alpha')[2000]).toBeLessThan(alphaHat);
});

describe('Edge Flow', () => {
  test('begins at the start, and follows gradient flow until it comes to the edge', async () => {
    const edge = await beside('edge', { preset: 'paper', steps: 1500 });
    const flow = await beside('gradient-flow', { preset: 'paper', steps: 1500 });
    for (const [name, value] of [
      ['alpha', 0.3],
      ['beta1', 0.1],
      ['beta2', 0.3],
    ] as const)
      expect(edge.column(name)[0], name).toBeCloseTo(value, 15);
    for (const row of [500, 1000, 1500])
      expect(edge.column('alpha')[row]! / flow.column('alpha')[row]!).toBeCloseTo(1, 1);
    expect(Math.min(...edge.column('beta1'))).toBeCloseTo(1e-6, 12);
  });

  test.each([
    ['paper', 2200, 12_000],
    ['three-phases', 400, 4000],
  ] as const)('%s: swings around the central flow, and settles on it', async (preset, from, to) => {
    const edge = await beside('edge', { preset, steps: to });
    const central = await beside('central', { preset, steps: to });
    const mean = (values: ArrayLike<number>) =>
      Array.from(values)
        .slice(from)
        .reduce((sum, value) => sum + value) /
      (to - from);
    expect(Math.abs(mean(edge.column('l1')) / mean(central.column('l1')) - 1)).toBeLessThan(0.04);
    expect(mean(edge.column('alpha')) / alphaHat).toBeCloseTo(1, 2);
    // α passes through the edge again and again, and each swing is smaller than the one before.
    const swing = (first: number, last: number) =>
      Math.max(...edge.column('alpha').subarray(first, last)) / alphaHat - 1;
    const middle = (from + to) >> 1;
    expect(swing(from, middle)).toBeGreaterThan(2 * Math.abs(swing(middle, to)));
    const end = edge.column('l1')[to]! / central.column('l1')[to]!;
    expect(Math.abs(end - 1)).toBeLessThan(preset === 'paper' ? 0.1 : 0.02);
  });

  test('goes with covariance, and with plain gradient descent alone', async () => {
    const table = await beside('edge', { covariance: 0.3, steps: 3000 });
    expect(Math.max(...table.column('sharpness'))).toBeLessThan(40 * 1.2);
    expect(() => flow('edge', { optimizer: 'momentum' })).toThrow(/^optimizer: .*momentum/);
  });
});

describe('a start whose α changes sign on the way', () => {
  test.each([
    [[-0.2, 0.05, 0.5], 1],
    [[0.2, 0.05, -0.5], -1],
  ] as const)('%j: the central flow is held at the edge to which it comes', async (init, side) => {
    const steps = 20_000;
    const central = await beside('central', { init, steps });
    const descent = await run({ init, steps });
    const alpha = central.column('alpha');
    const entry = alpha.findIndex((value) => Math.abs(value) >= alphaHat);
    expect(entry).toBeGreaterThan(0);
    expect(alpha.subarray(entry).every((value) => value === side * alphaHat)).toBe(true);
    expect(Math.max(...central.column('sharpness'))).toBeLessThan(40 * 1.01);
    expect(Math.abs(descent.column('alpha')[steps]! - alpha[steps]!)).toBeLessThan(0.02);
    // β₁ is that of the oscillation that holds α, and L₁ its mean, on this side too.
    const [beta2, l1] = [central.column('beta2')[steps]!, central.column('l1')[steps]!];
    expect(l1).toBeGreaterThan(0);
    expect(l1 / (0.5 * 0.01 * side * alphaHat * beta2 * (1 - side * alphaHat * beta2))).toBeCloseTo(
      1,
      10,
    );
  });

  test.each([
    [[-0.2, 0, 0.5], 1],
    [[0.2, 0, -0.5], -1],
  ] as const)(
    '%j: so is the constrained trajectory, without ever leaving |α| ≤ α̂',
    async (init, side) => {
      const alpha = (await beside('constrained', { init, floor: 0, steps: 20_000 })).column(
        'alpha',
      );
      expect(Math.max(...alpha.map(Math.abs))).toBe(alphaHat);
      expect(alpha[20_000]).toBe(side * alphaHat);
    },
  );

  test('the central flow predicts the means of cycles, no deviation infinite', async () => {
    const table = await run({ init: [-0.2, 0.05, 0.5], steps: 20_000 });
    const cycles = cycleMeans(table, centralL1(table));
    expect(cycles.length).toBeGreaterThan(20);
    for (const { deviation } of cycles) expect(Math.abs(deviation)).toBeLessThan(0.05);
  });
});

test.each(['constrained', 'central'] as const)(
  '%s says at once that covariance is not for it',
  (name) => {
    expect(() => flow(name, { covariance: 0.1 })).toThrow(ConfigError);
    expect(() => flow(name, { covariance: 0.1 })).toThrow(/^covariance: .*covariance 0 only/);
  },
);

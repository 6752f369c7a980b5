import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/pipeline/core/stored-state.ts';
import {
  classifySharpness,
  detectPhases,
  flowSolution,
  gradientDescent,
  type RunOptions,
  splitLoss,
  summarize,
} from '../../src/pipeline/index.ts';
import { gradientDescent as inNode } from '../../src/pipeline/node/library.ts';
import type { DescentOptions } from '../../src/pipeline/sources/descent/stepper.ts';

async function run(options: RunOptions, source: DescentOptions = {}) {
  const batches = await lastValueFrom(
    gradientDescent(options, source).pipe(
      splitLoss(),
      classifySharpness(),
      flowSolution(),
      detectPhases(),
      summarize(),
      toArray(),
    ),
  );
  const column = (name: keyof (typeof batches)[0]['columns']) =>
    batches.flatMap(({ columns }) => Array.from(columns[name]));
  return { batches, column, run: batches[0]!.run };
}

describe('momentum on the minimal model', () => {
  test('has its own threshold (2 + 2β)/η in ratio, phases and summary', async () => {
    const { run: of, column } = await run({ optimizer: 'momentum', momentum: 0.5, steps: 4000 });
    const threshold = (2 + 2 * 0.5) / 0.05;
    expect(of.config).toMatchObject({ optimizer: 'momentum', momentum: 0.5 });
    expect(of.stability.threshold(0.05)).toBe(threshold);
    const sharpness = column('sharpness');
    const first = sharpness.findIndex((s) => s >= threshold);
    expect(first).toBeGreaterThan(100);
    expect(of.summary!.first_crossing).toBe(first);
    column('sharpness_ratio').forEach((ratio, t) => {
      expect(ratio).toBeCloseTo(sharpness[t]! / threshold, 12);
    });
    expect(Math.max(...sharpness) / threshold).toBeGreaterThan(1.01);
    // Just over the threshold the oscillation grows: gradient descent would have been thrown out at
    // 2/η long before.
    const l1 = column('l1');
    const least = l1.slice(0, first).reduce((a, b) => Math.min(a, b));
    expect(Math.max(...l1.slice(first))).toBeGreaterThan(1e3 * least);
  });

  test('without momentum is gradient descent', async () => {
    const plain = await run({ steps: 1500 });
    const none = await run({ optimizer: 'momentum', momentum: 0, steps: 1500 });
    for (const name of ['alpha', 'beta2', 'sharpness'] as const) {
      const expected = plain.column(name);
      none.column(name).forEach((value, t) => {
        expect(Math.abs(value / expected[t]! - 1), `${name} at ${t}`).toBeLessThan(1e-9);
      });
    }
  });

  test('says how many of its digits are true', async () => {
    const { column, run: of } = await run({
      optimizer: 'momentum',
      momentum: 0.3,
      lambda2: 0.02,
      eta: 0.2,
      steps: 3000,
    });
    const digits = column('digits');
    expect(digits[0]).toBe(15);
    expect(Math.min(...digits)).toBeLessThan(3);
    expect(of.summary!.trusted_until).toBe(digits.findIndex((d) => d < 3) - 1);
  });

  test('goes on from a checkpoint to the last digit, whatever its batches', async () => {
    const options = { optimizer: 'nesterov', momentum: 0.8, steps: 2500 } as const;
    const whole = await run(options, { batchSize: 700 });
    const { after } = whole.batches[1]!;
    const resume = decodeCheckpoint(encodeCheckpoint(1400, after!));
    const rest = await run(options, { resume, batchSize: 333 });
    for (const name of ['beta1', 'sharpness', 'phase', 'cycle', 'digits'] as const) {
      expect(rest.column(name), name).toEqual(whole.column(name).slice(1400));
    }
    expect(rest.run.summary).toEqual(whole.run.summary);
  });

  test.each([
    [{ momentum: 1 }, /^momentum: 1 is not a number from 0 to below 1/],
    [{ optimizer: 'gd', momentum: 0.9 }, /^momentum: 0.9 does not go with --optimizer gd; use/],
    [{ optimizer: 'adam' }, /^optimizer: no optimizer is called 'adam'/],
    [{ optimizer: 'momentum', floor: 0 }, /^floor: 0 goes with the optimizer gd only/],
    [{ optimizer: 'momentum', precision: 'auto' }, /^precision: auto goes with the optimizer gd/],
  ] as const)('%o is refused', (options, message) => {
    expect(() => inNode(options as RunOptions)).toThrow(message);
  });
});

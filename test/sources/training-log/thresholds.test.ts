import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/pipeline/models/minimal/config.ts';
import { stabilityThreshold } from '../../../src/pipeline/optimizers/thresholds.ts';
import {
  createEtaLookup,
  parseEta,
} from '../../../src/pipeline/sources/training-log/eta-schedule.ts';
import { detectLog } from './read-log.ts';

describe('stability thresholds', () => {
  test.each([
    [{}, 'gd', 2],
    [{ optimizer: 'sgd' }, 'gd', 2],
    [{ beta: 0.9 }, 'momentum', 3.8],
    [{ optimizer: 'heavy-ball', beta: 0.5 }, 'momentum', 3],
    [{ optimizer: 'nesterov', beta: 0.9 }, 'nesterov', 3.8 / 2.8],
    [{ optimizer: 'Adam' }, 'adam', 38],
    [{ optimizer: 'adam', beta: 0 }, 'adam', 2],
    [{ optimizer: 'rmsprop' }, 'rmsprop', 2],
  ])('%j', (options, optimizer, factor) => {
    const threshold = stabilityThreshold(options);
    expect(threshold.optimizer).toBe(optimizer);
    expect(threshold.factor).toBeCloseTo(factor, 12);
  });

  /** Largest |root| of x² − b·x + c. */
  const largestRoot = (b: number, c: number) => {
    const d = b * b - 4 * c;
    return d < 0 ? Math.sqrt(c) : (Math.abs(b) + Math.sqrt(d)) / 2;
  };
  /** Spectral radius of one step on ½·s·x², with η = 1. */
  const radius = {
    momentum: (s: number, beta: number) => largestRoot(1 + beta - s, beta),
    nesterov: (s: number, beta: number) => largestRoot((1 + beta) * (1 - s), beta * (1 - s)),
    adam: (s: number, beta: number) => largestRoot(1 + beta - (1 - beta) * s, beta),
  };

  test.each(['momentum', 'nesterov', 'adam'] as const)(
    '%s: the recursion is stable right below and unstable right above',
    (optimizer) => {
      fc.assert(
        fc.property(fc.double({ min: 0.01, max: 0.98, noNaN: true }), (beta) => {
          const { factor } = stabilityThreshold({ optimizer, beta });
          expect(radius[optimizer](factor * (1 - 1e-6), beta)).toBeLessThan(1);
          expect(radius[optimizer](factor * (1 + 1e-6), beta)).toBeGreaterThan(1);
        }),
      );
    },
  );

  /** Spectral radius of one step on ½·s·x² with η = 1, with dampening or weight decay. */
  const decayed = {
    'dampened momentum': (s: number, beta: number, extra: number) =>
      largestRoot(1 + beta - (1 - extra) * s, beta),
    'momentum with L₂': (s: number, beta: number, extra: number) =>
      largestRoot(1 + beta - (s + extra), beta),
    'nesterov with L₂': (s: number, beta: number, extra: number) =>
      largestRoot((1 + beta) * (1 - s - extra), beta * (1 - s - extra)),
    adamw: (s: number, beta: number, extra: number) =>
      largestRoot(1 + beta - extra - (1 - beta) * s, beta * (1 - extra)),
  };
  const optionsOf = {
    'dampened momentum': (beta: number, extra: number) =>
      ({ optimizer: 'momentum', beta, dampening: extra }) as const,
    'momentum with L₂': (beta: number, extra: number) =>
      ({ optimizer: 'momentum', beta, weightDecay: extra }) as const,
    'nesterov with L₂': (beta: number, extra: number) =>
      ({ optimizer: 'nesterov', beta, weightDecay: extra }) as const,
    adamw: (beta: number, extra: number) =>
      ({ optimizer: 'adamw', beta, weightDecay: extra }) as const,
  };

  test.each(['dampened momentum', 'momentum with L₂', 'nesterov with L₂', 'adamw'] as const)(
    '%s: the recursion is stable right below and unstable right above',
    (name) => {
      fc.assert(
        fc.property(
          fc.double({ min: 0.01, max: 0.95, noNaN: true }),
          fc.double({ min: 0, max: 0.9, noNaN: true }),
          (beta, extra) => {
            const { factor } = stabilityThreshold(optionsOf[name](beta, extra));
            expect(decayed[name](factor * (1 - 1e-6), beta, extra)).toBeLessThan(1);
            expect(decayed[name](factor * (1 + 1e-6), beta, extra)).toBeGreaterThan(1);
          },
        ),
      );
    },
  );

  test('plain descent with L₂ decay, RMSProp and AdamW without: the formulas', () => {
    expect(stabilityThreshold({ weightDecay: 0.3 }).factor).toBeCloseTo(1.7, 12);
    expect(stabilityThreshold({ optimizer: 'rmsprop', weightDecay: 0.3 }).factor).toBeCloseTo(
      1.7,
      12,
    );
    expect(stabilityThreshold({ optimizer: 'adamw' }).factor).toBeCloseTo(38, 12);
    expect(stabilityThreshold({ optimizer: 'adamw' }).formula).not.toContain('− λ');
    expect(stabilityThreshold({ weightDecay: 0.3 }).formula).toBe('2/η − λ');
  });

  test('with batches, a largest eigenvalue gives a warning, a batch sharpness none', async () => {
    const text = (name: string) =>
      `step,loss,${name}\n${Array.from({ length: 40 }, (_, t) => `${t},${1 / (t + 1)},${3 + t / 10}`).join('\n')}\n`;
    const warned = await detectLog(text('lambda_max'), { eta: 0.1, optimizer: 'sgd' });
    expect(warned.summary.warnings.map(({ message }) => message).join()).toContain(
      'it is the batch sharpness that settles at 2/η',
    );
    const plain = await detectLog(text('batch_sharpness'), { eta: 0.1, optimizer: 'sgd' });
    expect(plain.summary.warnings.map(({ message }) => message).join()).not.toContain('settles at');
  });

  test('a threshold that is given is that of each step', async () => {
    const { rows } = await detectLog('step,loss,sharpness,lr\n0,1,5,0.1\n1,1,5,0.2\n', {
      expression: '(2 + 2*beta)/eta - lambda',
      optimizer: 'momentum',
      beta: 0.5,
      weightDecay: 1,
    });
    expect(rows.threshold![0]).toBeCloseTo(29, 9);
    expect(rows.threshold![1]).toBeCloseTo(14, 9);
  });

  test.each([
    [
      { optimizer: 'adamw2' },
      "optimizer: 'adamw2' is none of gd, momentum, nesterov, rmsprop, adam, adamw",
    ],
    [
      { optimizer: 'momentum', beta: 1 },
      'momentum: 1 is not a number from 0 to below 1, such as 0.9',
    ],
    [
      { optimizer: 'gd', beta: 0.9 },
      'momentum: 0.9 does not go with --optimizer gd; use momentum or nesterov',
    ],
  ])('%j is refused', (options, message) => {
    expect(() => stabilityThreshold(options)).toThrow(
      new ConfigError(message.split(': ')[0]!, message.split(': ')[1]!),
    );
  });
});

describe('learning rates', () => {
  test.each([
    ['0.01', [0], [0.01]],
    ['1/50', [0], [0.02]],
    ['0:0.1,1000:0.01', [0, 1000], [0.1, 0.01]],
    ['0: 1/10, 1000: 1e-2', [0, 1000], [0.1, 0.01]],
    ['step,eta\n0,0.1\n1000,0.01\n', [0, 1000], [0.1, 0.01]],
    ['# warmup\n0 0.1\n\n1000\t0.01', [0, 1000], [0.1, 0.01]],
  ])('%j', (text, steps, etas) => {
    expect(parseEta(text)).toEqual({ steps, etas });
  });

  test.each(['', 'x', '0', '-1', '0:0.1,0:0.2', '0:0.1,5', '5:1,3:1', '0.5:1', '0:0', '1/0'])(
    '%j is refused',
    (text) => {
      expect(() => parseEta(text)).toThrow(ConfigError);
    },
  );

  test('a schedule holds from each of its steps on, asked in any order', () => {
    const schedule = fc.uniqueArray(
      fc.tuple(fc.nat(1000), fc.double({ min: 0.001, max: 1, noNaN: true })),
      {
        minLength: 1,
        maxLength: 8,
        selector: ([step]) => step,
      },
    );
    fc.assert(
      fc.property(schedule, fc.array(fc.nat(1100)), (pairs, asked) => {
        const sorted = [...pairs].sort(([a], [b]) => a - b);
        const lookup = createEtaLookup({
          steps: sorted.map(([s]) => s),
          etas: sorted.map(([, e]) => e),
        });
        for (const step of asked) {
          expect(lookup(step)).toBe((sorted.filter(([s]) => s <= step).at(-1) ?? sorted[0]!)[1]);
        }
      }),
    );
  });

  const steps = Array.from({ length: 40 }, (_, i) => i);
  test('the threshold follows the schedule, or a column, which keeps its last value', async () => {
    const sharpness = 30;
    const scheduled = await detectLog(
      `step,loss,sharpness\n${steps.map((i) => `${i},1,${sharpness}`).join('\n')}`,
      {
        eta: '0:0.02,20:0.1',
      },
    );
    expect(scheduled.rows.threshold!.slice(18, 22)).toEqual([100, 100, 20, 20]);
    expect(scheduled.rows.sharpness_ratio![20]).toBeCloseTo(1.5, 12);
    expect(scheduled.events).toContainEqual({ event: 'jump', step: 20, from: 100, to: 20 });
    expect(scheduled.summary.phases.map(({ phase, first_step }) => [phase, first_step])).toEqual([
      ['flat', 0],
      ['catapult', 20],
    ]);
    const column = await detectLog(
      `step,loss,sharpness,lr\n${steps.map((i) => `${i},1,${sharpness},${i === 0 ? 0.02 : i === 20 ? 0.1 : ''}`).join('\n')}`,
    );
    expect(column.rows.threshold).toEqual(scheduled.rows.threshold);
    const given = await detectLog(`step,loss,sharpness,lr\n0,1,30,0.5\n`, { eta: 0.1 });
    expect(given.rows.eta).toEqual([0.1]);
  });

  test('Adam at 38/η', async () => {
    const text = `step,loss,preconditioned_sharpness\n${steps.map((i) => `${i},1,${30_010 + 400 * i}`).join('\n')}`;
    const { rows, summary } = await detectLog(text, { eta: 0.001, optimizer: 'adam' });
    expect(rows.threshold![0]).toBeCloseTo(38_000, 6);
    expect(summary.first_crossing).toBe(20);
  });
});

import fc from 'fast-check';
import { lastValueFrom, map, reduce, tap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { arraysOf } from '../../src/pipeline/core/schema.ts';
import {
  ConfigError,
  classifySharpness,
  type DescentOptions,
  flowSolution,
  gradientDescent as inPages,
  type RunOptions,
  splitLoss,
} from '../../src/pipeline/index.ts';
import { plainParameters, resolveConfig } from '../../src/pipeline/models/minimal/config.ts';
import { descend, initialState } from '../../src/pipeline/models/minimal/descend.ts';
import { plainConfig } from '../../src/pipeline/models/minimal/plain-config.ts';
import { PRESET_NAMES } from '../../src/pipeline/models/minimal/presets/index.ts';
import { plainRanges } from '../../src/pipeline/models/minimal/ranges.ts';
import { rowDigitsOf } from '../../src/pipeline/models/minimal/row-agreement.ts';
import { gradientDescent } from '../../src/pipeline/node/library.ts';
import { gdStability } from '../../src/pipeline/optimizers/gd.ts';
import { SOURCE_COLUMNS } from '../../src/pipeline/sources/descent/stepper.ts';
import { anyOptions } from './any-run.ts';

/** All columns of a run, as lists of numbers by name. */
function columnsOf(source: typeof inPages, options: RunOptions, sourceOptions?: DescentOptions) {
  return lastValueFrom(
    source(options, sourceOptions).pipe(
      splitLoss(),
      classifySharpness(),
      flowSolution(),
      map(({ columns, length }) =>
        Object.entries(columns).map(([name, values]) => [name, [...values.subarray(0, length)]]),
      ),
      reduce(
        (all, part) => {
          for (const [name, values] of part as [string, number[]][])
            all[name] = [...(all[name] ?? []), ...values];
          return all;
        },
        {} as Record<string, number[]>,
      ),
    ),
  );
}

describe('a page', () => {
  test.each([
    // Calm, with few digits, with none, and with as few as covariance minds.
    [{ preset: 'three-phases', steps: 500 }, undefined, 10],
    [{ eta: 1 / 4, steps: 3000 }, undefined, 3],
    [{ lambda2: 0.02, eta: 1 / 3, steps: 2500 }, { batchSize: 77 }, 0],
    [{ lambda2: 0.1, covariance: 1, steps: 400 }, undefined, 7],
  ] as const)('has the run of Node, to the bit: %j', async (options, sourceOptions, fewest) => {
    expect(plainConfig(options)).toBeDefined();
    const here = await columnsOf(gradientDescent, options);
    expect(await columnsOf(inPages, options, sourceOptions)).toEqual(here);
    expect(Math.min(...here.digits!)).toBe(fewest);
  });

  test('waits for what it loads: one batch may be short for it', async () => {
    const lengths: number[] = [];
    const rows = inPages({ eta: 1 / 4, steps: 3000 }, { batchSize: 500 });
    await lastValueFrom(rows.pipe(tap(({ length }) => lengths.push(length))));
    expect(lengths.filter((length) => length < 500)).toHaveLength(2);
    expect(lengths.reduce((sum, length) => sum + length)).toBe(3001);
  });

  test('has the run of Node, to the bit, whatever its parameters', () =>
    fc.assert(
      fc.asyncProperty(anyOptions, async (options) => {
        const here = await columnsOf(gradientDescent, options);
        expect(await columnsOf(inPages, options)).toEqual(here);
      }),
      { numRuns: 25 },
    ));

  test.each([
    [{ eta: 0 }, {}, 'eta: 0 is not a positive number'],
    [{ covariance: 1 }, {}, 'covariance: 1 is out of range'],
    [{ lambda1: 1e120 }, {}, 'lambda1: 1e+120 is out of range'],
    [{ init: [1, 2] }, {}, 'init: [1, 2] is not 3 finite numbers'],
    [{ init: [1e9, 1e9, 0] }, {}, 'counts as diverged'],
    [{ preset: 'papr' }, {}, "preset: no preset is called 'papr'; did you mean paper?"],
    [{ preset: 'constructor' }, {}, "preset: no preset is called 'constructor'"],
    [{ lamda1: 100 }, {}, 'lamda1: there is no such parameter; did you mean lambda1?'],
    [{ toString: 1 }, {}, 'toString: there is no such parameter'],
    [{ optimizer: 'adam' }, {}, "optimizer: no optimizer is called 'adam'"],
    ['paper', {}, "options: 'paper' is not an object"],
    [{}, { batchsize: 3 }, 'there is no option batchsize; did you mean batchSize?'],
    [{}, { batchSize: 0 }, 'batchSize: 0 is not a whole number from 1 up'],
    [{}, { pace: '10' }, "pace: '10' is not a positive number"],
    [{}, { until: '9' }, "until: '9' is not a number"],
    [{}, 3, 'source: 3 is not an object of options'],
  ])('refuses %j, %j as an error of the stream, in the words of Node', async (bad, told, words) => {
    const run = (source: typeof inPages) => source(bad as RunOptions, told as DescentOptions);
    expect(() => run(gradientDescent)).toThrow(words);
    const refused = expect(lastValueFrom(run(inPages))).rejects;
    await refused.toThrow(words);
    if (typeof told === 'object' && Object.keys(told).length === 0)
      await refused.toBeInstanceOf(ConfigError);
  });

  test('has the rows of options that it does not know, nothing told', async () => {
    const schedule = { steps: 20, eta: '1/20', precision: '128', samples: 50 } as const;
    const { digits } = await columnsOf(inPages, schedule);
    expect(digits).toHaveLength(21);
  });
});

describe('what will do as it is', () => {
  test('is a table of the same parameters, in the same order', () => {
    expect(Object.keys(plainRanges)).toEqual(Object.keys(plainParameters));
  });

  test.each(PRESET_NAMES)('of %s makes the config that is made of everything', (preset) => {
    expect(JSON.stringify(plainConfig({ preset }))).toBe(JSON.stringify(resolveConfig({ preset })));
  });

  test('makes the same config, key by key, or none', () => {
    const value = fc.oneof(
      fc.double(),
      fc.integer({ min: -3, max: 30 }),
      fc.constantFrom(0.05, 1e-6, 100, null, undefined, '1/20', true, 'float64', 'plain', ''),
      fc.constantFrom([0.3, 0.1, 0.3], [1, 2], [Number.NaN, 1, 1], ['step']),
    );
    const names = [...Object.keys(plainParameters), 'lr', 'optimizer', 'model', 'moments'];
    let plain = 0;
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 3 }), (given) => {
        const config = plainConfig(given as RunOptions);
        if (!config) return;
        plain++;
        expect(JSON.stringify(config)).toBe(JSON.stringify(resolveConfig(given as RunOptions)));
        expect(config).toEqual(resolveConfig(given as RunOptions));
      }),
      { numRuns: 3000 },
    );
    expect(plain).toBeGreaterThan(100);
  });

  test('is not changed by what is done with the config', () => {
    const init = [0.3, 0.1, 0.3] as const;
    expect(plainConfig({ init })!.init).not.toBe(init);
  });
});

test('descent without what tells digits stops in front of the row, and goes on as with it', () => {
  const config = resolveConfig({ preset: 'three-phases', steps: 100 });
  const state = { ...initialState(config), agreed: 3, told: 3 };
  const before = { ...state };
  const rows = arraysOf(SOURCE_COLUMNS, 50);
  expect(descend(config, state, 50, rows)).toBe(true);
  expect(state).toEqual(before);
  const whole = { ...before };
  const expected = arraysOf(SOURCE_COLUMNS, 50);
  const digits = rowDigitsOf(config, gdStability());
  expect(descend(config, whole, 50, expected, digits)).toBe(false);
  expect(descend(config, state, 50, rows, digits)).toBe(false);
  expect({ rows, state }).toEqual({ rows: expected, state: whole });
});

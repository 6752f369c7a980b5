import fc from 'fast-check';
import { lastValueFrom, tap, toArray } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../src/pipeline/core/base64.ts';
import type { Checkpoint } from '../../src/pipeline/core/checkpoint.ts';
import { etaPlan } from '../../src/pipeline/core/eta-plan.ts';
import { ConfigError } from '../../src/pipeline/core/parameters.ts';
import { source } from '../../src/pipeline/core/source.ts';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  summaryAt,
} from '../../src/pipeline/core/stored-state.ts';
import {
  type NetworkOptions,
  type NetworkSetup,
  setupNetwork,
} from '../../src/pipeline/models/network/config.ts';
import { namedData } from '../../src/pipeline/models/network/data/data.ts';
import { epochOrder, startWeights } from '../../src/pipeline/models/network/start.ts';
import { explainSpikes } from '../../src/pipeline/operators/explain-spikes.ts';
import {
  type NetworkEvent,
  networkPipeline,
} from '../../src/pipeline/operators/network-pipeline.ts';
import { relateToThreshold } from '../../src/pipeline/operators/relate-to-threshold.ts';
import type { ExplainedSpike } from '../../src/pipeline/phases/measured/spike-cause.ts';
import {
  networkDescent,
  networkRows,
  networkSteps,
  networkWeights,
} from '../../src/pipeline/sources/descent/network-descent.ts';
import { twin } from '../models/network/twin.ts';

const small: NetworkOptions = { layers: '1-6-5-1', data: 'chebyshev:3:9', eta: 0.2, steps: 40 };

/** All rows of a run, column by column. */
async function rowsOf(options: NetworkOptions, batchSize = 7) {
  const batches = await lastValueFrom(networkDescent(options, { batchSize }).pipe(toArray()));
  const names = Object.keys(batches[0]!.columns);
  return Object.fromEntries(
    names.map((name) => [
      name,
      batches.flatMap(({ columns }) => [
        ...(columns as Readonly<Record<string, Float64Array>>)[name]!,
      ]),
    ]),
  ) as Readonly<Record<string, number[]>>;
}

test('of mini-batches it is said what the sharpness of all samples does not tell', async () => {
  const warningsOf = async (batch: number | null) => {
    const last = await lastValueFrom(networkDescent({ ...small, batch }).pipe(networkPipeline()));
    return last.run.summary!.warnings.map(({ message }) => message);
  };
  expect(await warningsOf(4)).toEqual([
    expect.stringMatching(/^.*it is batch_sharpness that.{10,150}$/),
  ]);
  expect(await warningsOf(9)).toEqual([]);
  expect(await warningsOf(null)).toEqual([]);
});

test('gradient descent on a network is that of its twin in plain loops', async () => {
  const { layers, data } = setupNetwork(small);
  const shape = { layers, activation: 'tanh', loss: 'mse' } as const;
  const theta = startWeights(layers, 0, 1);
  const rows = await rowsOf(small);
  expect(rows.step).toEqual(Array.from({ length: 41 }, (_, t) => t));
  for (let t = 0; t <= 40; t++) {
    const { loss, gradient, hessianTimes } = twin(shape, data, theta);
    expect(Math.abs(rows.loss![t]! / loss - 1)).toBeLessThan(1e-11);
    expect(rows.grad_norm![t]).toBeCloseTo(Math.hypot(...gradient), 10);
    expect(rows.l1![t]! + rows.l2![t]!).toBeCloseTo(rows.loss![t]!, 14);
    const along = hessianTimes(gradient).reduce((sum, x, i) => sum + x * gradient[i]!, 0);
    const square = gradient.reduce((sum, x) => sum + x * x, 0);
    expect(rows.sharpness![t]).toBeGreaterThanOrEqual(along / square);
    for (let i = 0; i < theta.length; i++) theta[i]! -= 0.2 * gradient[i]!;
  }
});

test('no digit depends on the size of the batches', async () => {
  expect(await rowsOf(small, 41)).toEqual(await rowsOf(small, 1));
});

test.each([
  ['adam with mini-batches', { optimizer: 'adam', eta: 0.01, batch: 4 }],
  ['momentum with L₂ decay', { optimizer: 'momentum', eta: 0.02, 'weight-decay': 0.1 }],
  ['mini-batches at the edge', { optimizer: 'momentum', momentum: 0.5, eta: 0.65, batch: 4 }],
  ['measured at every third step', { measure: 3, schedule: 'warmup:10,cosine' }],
] as const)('%s: resumed behind any batch it goes on to the last bit', async (_, more) => {
  const setup = setupNetwork({ ...small, ...more } as NetworkOptions);
  const whole = networkRows(setup);
  const first = whole.next(17);
  const text = encodeCheckpoint(17, first.after!);
  const rest = whole.next(100);
  const resumed = networkRows(setup, { resume: decodeCheckpoint(text) }).next(100);
  expect(resumed.length).toBe(24);
  for (const [name, values] of Object.entries(resumed.columns))
    expect(values).toEqual((rest.columns as Readonly<Record<string, Float64Array>>)[name]);
});

test('columns that take work and that nobody reads are left out, and change no other', () => {
  const options = { ...small, layers: '64-6-10', data: 'digits:20', loss: 'cross-entropy' };
  const setup = setupNetwork({ ...options, batch: 5 } as NetworkOptions);
  const whole: object = networkRows(setup).next(41).columns;
  const some: object = networkRows(setup, {}, false, new Set(['accuracy'])).next(41).columns;
  const left = Object.entries(whole).filter(([name]) => !Object.hasOwn(some, name));
  expect(left.map(([name]) => name)).toEqual(['grad_norm', 'batch_sharpness']);
  expect({ ...some, ...Object.fromEntries(left) }).toEqual(whole);
});

test('stopped ten times, anywhere, it goes on to the last bit', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<NetworkOptions>({}, { optimizer: 'adam', eta: 0.01, batch: 4 }),
      fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 10, maxLength: 10 }),
      (more, stops) => {
        const setup = setupNetwork({ ...small, ...more });
        const whole = networkRows(setup).next(41);
        let resume: Checkpoint | undefined;
        let at = 0;
        for (const stop of [...stops.sort((a, b) => a - b), 41]) {
          const part = networkRows(setup, resume ? { resume } : {}).next(stop - at);
          for (const [name, values] of Object.entries(part.columns))
            expect(values).toEqual(
              (whole.columns as Readonly<Record<string, Float64Array>>)[name]!.subarray(at, stop),
            );
          resume = decodeCheckpoint(encodeCheckpoint(stop, part.after!));
          at = stop;
        }
      },
    ),
    { numRuns: 5 },
  );
});

/** θ behind the first `rows` rows of a run, as its checkpoint holds it. */
function thetaBehind(setup: NetworkSetup, rows: number): Float64Array {
  const { after } = networkRows(setup).next(rows);
  const { stages } = decodeCheckpoint(encodeCheckpoint(rows, after!));
  const { arrays } = stages.networkDescent as { readonly arrays: readonly string[] };
  return new Float64Array(bytesOf(arrays[0]!).buffer);
}

test.each([
  ['gradient descent', {}],
  ['adam with mini-batches', { optimizer: 'adam', eta: 0.01, batch: 4 }],
  ['momentum with L₂ decay', { optimizer: 'momentum', eta: 0.02, 'weight-decay': 0.1 }],
] as const)('%s: the weights that are kept are those of the run, to the last bit', (_, more) => {
  const setup = setupNetwork({ ...small, ...more } as NetworkOptions);
  const kept = Array.from(networkWeights(setup, 15), ({ step, theta }) => ({
    step,
    theta: theta.slice(),
  }));
  expect(kept.map(({ step }) => step)).toEqual([0, 15, 30, 40]);
  expect(kept[0]!.theta).toEqual(startWeights(setup.layers, setup.config.seed, 1));
  for (const { step, theta } of kept.slice(1)) expect(theta).toEqual(thetaBehind(setup, step));
});

test('the weights of a run that diverges end with its last row', () => {
  const setup = setupNetwork({ ...small, eta: 3 });
  const last = networkRows(setup).next(100).length - 1;
  const kept = Array.from(networkWeights(setup, 1000), ({ step, theta }) => [step, theta.slice()]);
  expect(kept.map(([step]) => step)).toEqual([0, last]);
  expect(kept[1]![1]).toEqual(thetaBehind(setup, last));
});

test('behind the last row before a divergence it stands the same, wherever a batch ends', () => {
  const setup = setupNetwork({ ...small, eta: 3 });
  const whole = networkRows(setup).next(100);
  const last = whole.length;
  expect(whole.run.divergedAt).toBe(last);
  const rows = networkRows(setup);
  const upToIt = rows.next(last);
  expect(rows.run.divergedAt).toBe(null);
  const text = encodeCheckpoint(last, upToIt.after!);
  expect(text).toBe(encodeCheckpoint(last, whole.after!));
  const resumed = networkRows(setup, { resume: decodeCheckpoint(text) });
  expect(resumed.next(100).length).toBe(0);
  expect(resumed.run.divergedAt).toBe(last);
  expect(resumed.ended).toBe(true);
});

test('where it stands is told without a copy of it, until it goes on', () => {
  const setup = setupNetwork(small);
  const [kept, unkept] = [networkRows(setup), networkRows(setup, {}, 'unkept')];
  for (const rows of [5, 7]) {
    const [{ after }, { after: fleeting }] = [kept.next(rows), unkept.next(rows)];
    expect(encodeCheckpoint(rows, fleeting!)).toBe(encodeCheckpoint(rows, after!));
  }
  const { after } = unkept.next(3);
  unkept.next(3);
  expect(() => encodeCheckpoint(15, after!)).toThrow('the run has gone on');
});

test('a checkpoint of another network is refused', () => {
  const first = networkRows(setupNetwork(small)).next(5);
  const resume = decodeCheckpoint(encodeCheckpoint(5, first.after!));
  const other = setupNetwork({ ...small, layers: '1-7-5-1' });
  expect(() => networkRows(other, { resume })).toThrow('its weights do not fit the network');
});

test('a checkpoint holds numbers where the Hessian has fewer directions, too', () => {
  const rows = networkRows(
    setupNetwork({
      ...{ layers: '1-8-1', data: 'chebyshev:5:12', activation: 'relu', seed: 879, batch: 4 },
      ...{
        optimizer: 'adam',
        eta: 1.2089512859956326,
        schedule: 'warmup:5',
        steps: 14,
        measure: 5,
      },
    }),
  );
  const { after } = rows.next(15);
  const { stages } = decodeCheckpoint(encodeCheckpoint(15, after!));
  const { arrays } = stages.networkDescent as { readonly arrays: readonly string[] };
  for (const array of arrays)
    expect(new Float64Array(bytesOf(array).buffer).every(Number.isFinite)).toBe(true);
});

test('a checkpoint of the tracker before this one is refused in one line', () => {
  const first = networkRows(setupNetwork(small)).next(5);
  const text = encodeCheckpoint(5, first.after!);
  const resume = decodeCheckpoint(text.replace(/"largest":[^,]+,/, ''));
  expect(() => networkRows(setupNetwork(small), { resume })).toThrow('an older eos wrote it');
});

test('what was not measured is missing, and the rest is there', async () => {
  const { sharpness, sharpness_2, l1, loss } = await rowsOf({ ...small, measure: 3 });
  sharpness!.forEach((value, t) => {
    expect(Number.isNaN(value)).toBe(t % 3 !== 0);
    expect(Number.isNaN(sharpness_2![t]!)).toBe(t % 3 !== 0);
    expect(Number.isNaN(l1![t]!)).toBe(t % 3 !== 0);
  });
  expect(loss!.every(Number.isFinite)).toBe(true);
});

test('a run that diverges ends with the last loss that is one', async () => {
  const batches = await lastValueFrom(networkDescent({ ...small, eta: 1e6 }).pipe(toArray()));
  const { run, columns, length } = batches.at(-1)!;
  expect(run.divergedAt).toBe(length);
  expect(columns.loss[length - 1]).toBeLessThanOrEqual(1e12);
});

test('classes, and mini-batches, have columns of their own', async () => {
  const rows = await rowsOf({
    preset: 'digits',
    data: 'digits:30',
    loss: 'cross-entropy',
    layers: '64-8-10',
    steps: 3,
    batch: 10,
  });
  expect(rows.accuracy!.every((share) => share >= 0 && share <= 1)).toBe(true);
  expect(rows.batch_sharpness!.every((value) => value > 0)).toBe(true);
  expect(Object.keys(await rowsOf({ ...small, steps: 1 }))).not.toContain('accuracy');
});

const named = (data: string) => ({ data, target: null, raw: false });

describe('data', () => {
  test('Chebyshev polynomials at Chebyshev points', () => {
    const { inputs, targets } = namedData(named('chebyshev:5:12'));
    inputs.forEach((x, i) => {
      expect(x).toBeCloseTo(-Math.cos(((2 * i + 1) * Math.PI) / 24), 14);
      expect(targets[i]).toBeCloseTo(Math.cos(5 * Math.acos(x)), 12);
    });
  });

  test('digits are the images of the file', () => {
    const { count, inputs, targets } = namedData(named('digits'));
    expect(count).toBe(1797);
    expect([...targets.slice(0, 10)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const pixels = [...inputs.slice(0, 8)].map((x) => 8 * (x + 1));
    expect(pixels).toEqual([0, 0, 5, 13, 9, 1, 0, 0]);
    expect(Math.max(...inputs)).toBe(1);
    // Every digit is there about as often.
    const counts = Array.from({ length: 10 }, (_, d) => targets.filter((t) => t === d).length);
    expect(counts).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
  });
});

test('mini-batches take each sample once an epoch, in another order in each', () => {
  const first = epochOrder(100, 3, 0);
  expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(epochOrder(100, 3, 0)).toEqual(first);
  expect(epochOrder(100, 3, 1)).not.toEqual(first);
  expect(epochOrder(100, 4, 0)).not.toEqual(first);
});

test('the start is LeCun-normal', () => {
  const theta = startWeights([100, 200, 1], 1, 2);
  const weights = theta.slice(0, 20_000);
  const square = weights.reduce((sum, w) => sum + w * w, 0) / weights.length;
  expect(square).toBeCloseTo(4 / 100, 2);
  expect(theta.slice(20_000, 20_200).every((bias) => bias === 0)).toBe(true);
});

describe('schedules', () => {
  test.each([
    [null, [0.5, 0.5, 0.5]],
    ['0:0.1,50:1/100', [0.1, 0.01, 0.01]],
    ['50:0.1', [0.5, 0.1, 0.1]],
    ['warmup:100', [0.005, 0.255, 0.5]],
    ['cosine', [0.5, 0.25, 0]],
    ['warmup:100,cosine', [0.005, 0.1275, 0]],
  ] as const)('%s', (schedule, expected) => {
    const plan = etaPlan(schedule, 0.5, 100);
    expected.forEach((eta, i) => {
      expect(plan(50 * i)).toBeCloseTo(eta, 12);
    });
  });

  test('a cosine falls to 0 and not below, whatever the number of steps', () => {
    for (const steps of [1, 2, 3, 7, 10, 100, 999, 1000, 3000, 12_345]) {
      const eta = etaPlan('cosine', 0.15, steps);
      const all = Array.from({ length: steps + 1 }, (_, step) => eta(step));
      expect(all.at(-1)).toBe(0);
      for (let i = 1; i <= steps; i++) expect(all[i]!).toBeLessThan(all[i - 1]!);
    }
  });

  test.each(['50:0.1,20:0.2', 'warmup', 'warmup:0', 'cosine:3', '10', '10:-1', 'step:0.1'])(
    '%s is refused',
    (schedule) => {
      expect(() => etaPlan(schedule, 0.5, 100)).toThrow(ConfigError);
    },
  );
});

test.each([
  [{ layers: '1-5-2' }, 'layers: 1-5-2 does not fit the data, which has 1 inputs and 1 outputs'],
  [{ layers: '1-x-1' }, "layers: '1-x-1' is not a list of widths such as 1-50-50-1"],
  [{ data: 'chebishev:3' }, "data: no data set is called 'chebishev'"],
  [{ data: 'digits:2000' }, 'data: digits takes a number of images up to 1797'],
  [{ data: 'chebyshev' }, 'data: chebyshev takes a degree'],
  [{ loss: 'cross-entropy' }, 'loss: cross-entropy needs classes'],
  [{ schedule: 'soon' }, "schedule: 'soon' is neither"],
  [{ batch: 21 }, 'batch: 21 is more than the 20 samples there are'],
  [{ momentum: 0.5, optimizer: 'gd' }, 'momentum: 0.5 does not go with --optimizer gd'],
] as const)('%j is refused', (options, message) => {
  expect(() => setupNetwork(options as NetworkOptions)).toThrow(message);
});

describe('spikes', () => {
  const options: NetworkOptions = { layers: '1-20-15-1', data: 'chebyshev:6:20', eta: 0.2 };

  async function spikesOf(more: NetworkOptions): Promise<ExplainedSpike[]> {
    const spikes: ExplainedSpike[] = [];
    await lastValueFrom(
      networkDescent({ ...options, ...more }).pipe(
        relateToThreshold(),
        explainSpikes((spike) => spikes.push(spike)),
        tap(),
      ),
    );
    return spikes;
  }

  test('at the edge they are explained by the directions there', async () => {
    const spikes = await spikesOf({ steps: 2000 });
    expect(spikes.length).toBeGreaterThan(2);
    for (const { cause, share, directions, ratio, eta_that_holds: holds } of spikes) {
      expect(cause).toBe('edge');
      expect(share).toBeGreaterThan(0.8);
      expect(directions).toBeGreaterThan(0);
      expect(ratio).toBeGreaterThan(1);
      expect(holds! * ratio).toBeCloseTo(0.2, 9);
    }
  });

  test('so wide that the loss is no quadratic across them, too', async () => {
    const wide = { activation: 'silu', layers: '1-28-32-39-1', data: 'chebyshev:3:22' } as const;
    const [spike] = await spikesOf({ ...wide, eta: 0.301, seed: 4892, steps: 80 });
    expect(spike).toMatchObject({ step: 65, cause: 'edge' });
    expect(spike!.share).toBeGreaterThan(0.9);
    expect(spike!.rise).toBeGreaterThan(30);
  });

  test.each([
    ['silu', '64-10-25-22-10', 61, 0.784, 2628, 76],
    ['gelu', '64-32-24-28-10', 66, 0.844, 1114, 35],
    ['tanh', '64-13-10', 94, 2.33, 5122, 71],
  ] as const)(
    'where a step passes over a wall that neither of its ends sees, too: %s, %s on %i digits at ' +
      'η = %f',
    async (activation, layers, images, eta, seed, begin) => {
      const spikes = await spikesOf({
        ...{ activation, layers, eta, seed, steps: begin + 20 },
        ...{ data: `digits:${images}`, loss: 'cross-entropy' },
      });
      expect(spikes.find((spike) => spike.begin === begin)!.share).toBeGreaterThan(0.9);
    },
  );

  test('a jump of the learning rate is not the edge of the run', async () => {
    const spikes = await spikesOf({ steps: 700, eta: 0.02, schedule: '500:0.3' });
    expect(spikes.length).toBeGreaterThan(0);
    expect(spikes[0]!.cause).toBe('learning-rate');
    expect(spikes[0]!.eta_that_holds).toBeNull();
  });

  test.each([
    '500:0.3,530:0.02',
    '400:0.5,415:0.02',
    '500:0.3,540:0.02,600:0.5,620:0.02',
    '300:1,308:0.02',
  ])(
    'jumps of the learning rate made on purpose are not blamed on the edge: %s',
    async (schedule) => {
      const spikes = await spikesOf({ steps: 700, eta: 0.02, schedule });
      expect(spikes.length).toBeGreaterThan(0);
      for (const { cause, eta_that_holds: holds } of spikes) {
        expect(cause).not.toBe('edge');
        expect(holds).toBeNull();
      }
    },
  );

  test.each([
    ['adam', 'tanh', '1-12-12-12-1', 'chebyshev:5:20', '0:0.00443,258:0.01065', 726, 258, 398],
    ['gd', 'relu', '1-12-12-12-1', 'chebyshev:4:20', '0:0.0718,302:0.322', 134, 302, 415],
  ] as const)(
    'nor is a spike that takes over a hundred steps to grow behind one: %s, %s, %s on %s at %s',
    async (optimizer, activation, layers, data, schedule, seed, jump, begin) => {
      const plan = { schedule, seed, steps: begin + 30, measure: 2 };
      const spikes = await spikesOf({ optimizer, activation, layers, data, ...plan });
      const first = spikes.find((spike) => spike.step >= jump)!;
      expect(first).toMatchObject({ begin, cause: 'learning-rate', eta_that_holds: null });
    },
  );

  test.each([
    [
      { optimizer: 'gd', eta: 0.2897, layers: '1-15-20-1', data: 'chebyshev:3:13', seed: 10523 },
      { jump: 719, to: 0.6383, begins: [720, 831] },
    ],
    [
      { optimizer: 'nesterov', eta: 0.04317, layers: '1-23-22-22-1', data: 'chebyshev:4:11' },
      { seed: 91642, jump: 677, to: 0.1311, begins: [686, 766, 803] },
    ],
  ] as const)(
    'nor are those that follow it while the loss is not back where it was: %j, %j',
    async (network, { jump, to, begins, ...more }) => {
      const plan = { activation: 'silu', schedule: `${jump}:${to}`, steps: begins.at(-1)! + 20 };
      const spikes = await spikesOf({ ...network, ...more, ...plan } as NetworkOptions);
      const behind = spikes.filter(({ step }) => step >= jump);
      expect(behind.map(({ begin }) => begin)).toEqual(begins);
      for (const { cause } of behind) expect(cause).toBe('learning-rate');
      for (const { cause, step } of spikes) if (step < jump) expect(cause).toBe('edge');
    },
  );

  test('in a warmup the learning rate has risen', async () => {
    const spikes = await spikesOf({ layers: '1-20-1', eta: 1, schedule: 'warmup:300', steps: 300 });
    expect(spikes.length).toBeGreaterThan(0);
    for (const { cause } of spikes) expect(cause).not.toBe('edge');
  });

  test.each([
    [10, 4, 0.05],
    [30, 2, 0.02],
    [10, 2, 0.1],
    [30, 4, 0.2],
  ])(
    'a bad sample, %i-fold, in batches of %i at η = %f, is not blamed on the edge',
    async (fold, batch, eta) => {
      const options = {
        layers: '1-10-1',
        data: 'chebyshev:3:20',
        batch,
        eta,
        steps: 1500,
        seed: 1,
      };
      const setup = setupNetwork(options);
      const targets = setup.data.targets.slice();
      targets[7]! *= fold;
      const bad = { ...setup, data: { ...setup.data, targets } };
      const { run } = await lastValueFrom(source(() => networkRows(bad)).pipe(networkPipeline()));
      const { spikes, eta_verdict: verdict } = run.summary!;
      expect(spikes.length).toBeGreaterThan(0);
      expect(spikes.filter(({ cause }) => cause === 'edge')).toEqual([]);
      expect(verdict).toBeNull();
    },
  );

  test.each([
    ['nesterov', 'silu', '1-10-1', 'chebyshev:5:20', 10, 0.31, 699, 43, 200],
    ['nesterov', 'gelu', '1-10-1', 'chebyshev:3:28', 15, 0.25, 572, 14, 200],
    ['gd', 'tanh', '1-12-12-12-1', 'chebyshev:2:25', 13, 0.38, 229, 56, 800],
    ['gd', 'silu', '1-12-12-12-1', 'chebyshev:4:26', 13, 0.37, 430, 8.2, 1200],
  ] as const)(
    'of %s, %s, %s on %s, in batches of %i at η = %f, not even beyond the threshold',
    async (optimizer, activation, layers, data, batch, eta, seed, fold, steps) => {
      const plan = { optimizer, activation, layers, data, batch, eta, seed, steps };
      const setup = setupNetwork(plan);
      const inputs = setup.data.inputs.slice();
      const targets = setup.data.targets.slice();
      (optimizer === 'gd' ? inputs : targets)[7]! *= fold;
      const bad = { ...setup, data: { ...setup.data, inputs, targets } };
      const { run } = await lastValueFrom(source(() => networkRows(bad)).pipe(networkPipeline()));
      const { spikes } = run.summary!;
      expect(spikes.length).toBeGreaterThan(0);
      expect(spikes.filter(({ cause }) => cause === 'edge')).toEqual([]);
    },
  );

  test.each([
    ['1-20-15-1', 'relu', 5, 10, 0.23, 959, 400],
    ['1-12-12-12-1', 'gelu', 30, 4, 0.18, 814, 540],
    ['1-20-15-1', 'tanh', 30, 10, 0.17, 286, 250],
  ] as const)(
    'of %s, %s, a bad sample %i-fold, batches of %i at η = %f, the edge is blamed only where steps ' +
      'of all samples would have risen as well',
    async (layers, activation, fold, batch, eta, seed, steps) => {
      const setup = setupNetwork({
        ...{ layers, activation, batch, eta, seed, steps },
        data: 'chebyshev:3:20',
      });
      const targets = setup.data.targets.slice();
      targets[7]! *= fold;
      const bad = { ...setup, data: { ...setup.data, targets } };
      const { run } = await lastValueFrom(source(() => networkRows(bad)).pipe(networkPipeline()));
      const losses: number[] = [];
      const meant = [0];
      for (const { loss, network } of networkSteps(bad)) {
        losses.push(loss);
        const { theta, gradient } = network;
        const kept = theta.slice();
        for (let i = 0; i < theta.length; i++) theta[i]! -= eta * gradient[i]!;
        meant.push(network.lossAt() - loss);
        theta.set(kept);
      }
      const { spikes } = run.summary!;
      expect(spikes.length).toBeGreaterThan(0);
      for (const { begin, step } of spikes.filter(({ cause }) => cause === 'edge')) {
        const rises = meant.slice(begin, step + 1).reduce((sum, rise) => sum + rise, 0);
        expect(rises / (losses[step]! - losses[begin - 1]!)).toBeGreaterThan(0.5);
      }
    },
  );
});

test('the pipeline of a network labels its phases and tells what it finds', async () => {
  const events: NetworkEvent[] = [];
  const options = { layers: '1-20-15-1', data: 'chebyshev:6:20', eta: 0.2, steps: 1500 };
  const last = await lastValueFrom(
    networkDescent(options).pipe(networkPipeline((event) => events.push(event))),
  );
  const { outcome, phases, spikes, edge_spikes, eta_verdict } = last.run.summary!;
  expect(outcome).toBe('edge-of-stability');
  expect(phases.map(({ phase }) => phase).at(-1)).toBe('edge-of-stability');
  expect(edge_spikes).toBe(spikes.length);
  expect(eta_verdict!.ratio).toBeGreaterThan(1);
  expect(eta_verdict!.eta_that_holds * eta_verdict!.ratio).toBeCloseTo(0.2, 9);
  expect(events[0]!.event).toBe('start');
  expect(events.at(-1)).toMatchObject({ event: 'done', outcome, edge_spikes });
  expect(events.filter(({ event }) => event === 'spike')).toHaveLength(spikes.length);
});

test('a pipeline that is resumed ends with the very summary, and tells nothing twice', async () => {
  const options = { layers: '1-20-15-1', data: 'chebyshev:6:20', eta: 0.2, steps: 1500 };
  const run = async (resume?: Checkpoint) => {
    const events: NetworkEvent[] = [];
    const batches = await lastValueFrom(
      networkDescent(options, { batchSize: 701, ...(resume ? { resume } : {}) }).pipe(
        networkPipeline((event) => events.push(event)),
        toArray(),
      ),
    );
    return { batches, events };
  };
  const whole = await run();
  const { after, length } = whole.batches[0]!;
  const text = encodeCheckpoint(length, after!);
  const told = whole.events.length;
  expect(summaryAt(after!, { interrupted: true, divergedAt: null })).toMatchObject({
    rows: length,
    interrupted: true,
  });
  expect(whole.events).toHaveLength(told);
  // What was summed up on the way changes nothing of what is stored.
  expect(encodeCheckpoint(length, after!)).toBe(text);
  const resumed = await run(decodeCheckpoint(text));
  expect(resumed.batches.at(-1)!.run.summary).toEqual(whole.batches.at(-1)!.run.summary);
  expect(resumed.events.length).toBeLessThan(told);
  expect(resumed.events).toEqual(whole.events.slice(told - resumed.events.length));
});

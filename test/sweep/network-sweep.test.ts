import fc from 'fast-check';
import { lastValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { networkOptions } from '../../src/pipeline/models/network/config.ts';
import { networkPipeline } from '../../src/pipeline/operators/network-pipeline.ts';
import { networkDescent } from '../../src/pipeline/sources/descent/network-descent.ts';
import { anyRows } from '../../src/pipeline/sweep/any-result.ts';
import {
  type AnySweepOptions,
  anySweepSpec,
  openAnySweep,
  sweptRunId,
} from '../../src/pipeline/sweep/any-sweep.ts';
import { heatMap, QUANTITIES, variedParameters } from '../../src/pipeline/sweep/heat-map.ts';
import { wordsOf } from '../../src/pipeline/sweep/map-parameters.ts';
import { type NetworkResult, networkToResult } from '../../src/pipeline/sweep/network-result.ts';
import { networkValue, openNetworkSweep } from '../../src/pipeline/sweep/network-sweep.ts';
import { partPlan } from '../../src/pipeline/sweep/parts.ts';
import { OUTCOMES } from '../../src/pipeline/sweep/sweep-columns.ts';

const SMALL = { model: 'mlp', layers: '1-8-1', steps: '60' };
const sweepOf = (options: AnySweepOptions) =>
  openNetworkSweep(anySweepSpec({ ...SMALL, ...options }, undefined) as never);

describe('a sweep of networks', () => {
  test('is the product of its axes of numbers and of words, each run once', () => {
    const sweep = sweepOf({
      layers: '1-8-1,1-6-6-1',
      eta: '0.01:0.5:log:3',
      optimizer: 'gd,adam,momentum',
      momentum: '0.5',
      seed: '0..1',
    });
    expect(sweep.runs).toBe(36);
    const configs = Array.from({ length: sweep.runs }, (_, i) => sweep.config(i));
    expect(new Set(configs.map(sweptRunId)).size).toBe(36);
    expect(new Set(configs.map(({ layers }) => layers))).toEqual(new Set(['1-8-1', '1-6-6-1']));
    expect(configs.every((config) => sweep.has(config))).toBe(true);
    expect(sweepOf({ eta: '0.3' }).has(configs[0]!)).toBe(false);
    // What an optimizer does not have is not said of it.
    for (const config of configs)
      expect(networkValue(config, 'momentum')).toBe(config.optimizer === 'gd' ? null : 0.5);
  });

  test('has a switch off, on, or both ways', () => {
    expect(sweepOf({}).config(0).raw).toBe(false);
    const both = sweepOf({ raw: 'no,true' });
    expect([0, 1].map((i) => both.config(i).raw)).toEqual([false, true]);
    expect(both.has(both.config(1))).toBe(true);
    expect(sweepOf({ raw: 'yes' }).has(both.config(0))).toBe(false);
    expect(() => sweepOf({ raw: 'maybe' })).toThrow('raw: no switch is called');
  });

  test('is the same wherever its spec is read', () => {
    const spec = anySweepSpec({ ...SMALL, optimizer: 'gd,sgd,adam', eta: '1/20,0.2' }, 5);
    const again = openAnySweep(JSON.parse(JSON.stringify(spec)));
    expect(again.id).toBe(openAnySweep(spec).id);
    expect(spec.axes).toMatchObject({ optimizer: 'gd,adam', eta: '0.05,0.2' });
    expect(again.config(3)).toEqual(openAnySweep(spec).config(3));
  });

  test('finds layers that go with each data set, and parts that are as long as its steps', () => {
    const sweep = openNetworkSweep(
      anySweepSpec({ preset: 'network', data: 'digits:20,chebyshev:3:10' }, undefined) as never,
    );
    expect([0, 1].map((i) => sweep.config(i).layers)).toEqual(['64-50-50-10', '1-50-50-1']);
    expect(partPlan(sweep).size).toBe(1);
    const many = sweepOf({ seed: '0..9999' });
    expect(partPlan(many).size).toBeGreaterThan(50);
  });

  test.each([
    [{ lambda1: '3' }, 'lambda1: is not of a network'],
    [{ activation: 'tanh,rel' }, "activation: no activation is called 'rel'"],
    [{ layers: '1-8-1,1-8-2' }, 'layers: 1-8-2 does not fit'],
    [{ eta: '0:1:3' }, 'eta: 0 is not a positive number'],
    [{ optimizer: 'gd', momentum: '0.5' }, 'momentum: 0.5 does not go with --optimizer gd'],
    [{ batch: '50' }, 'batch: 50 is more than the 20 samples'],
  ])('refuses %j', (options, message) => {
    expect(() => sweepOf(options as AnySweepOptions)).toThrow(message);
  });

  test('the minimal model takes nothing that is of networks alone', () => {
    expect(() => anySweepSpec({ eta: '0.1', layers: '1-8-1' }, undefined)).toThrow('--model mlp');
    expect(() => anySweepSpec({ model: 'scalar' }, undefined)).toThrow('sweeps are of minimal or');
  });
});

test('any run of a sweep has the summary that the stream gives it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        optimizer: fc.constantFrom('gd', 'momentum', 'adam', 'rmsprop'),
        activation: fc.constantFrom('tanh', 'relu'),
        batch: fc.constantFrom(undefined, '5'),
        eta: fc.constantFrom('0.02', '0.3', '2', '40'),
        measure: fc.constantFrom('1', '7'),
        seed: fc.nat(50).map(String),
      }),
      async ({ batch, ...options }) => {
        const sweep = sweepOf({ ...options, ...(batch ? { batch } : {}), steps: '300' });
        const config = sweep.config(0);
        const told: number[] = [];
        const result = networkToResult(config, (rows) => told.push(rows) > 0)!;
        let summary: unknown;
        await lastValueFrom(
          networkDescent(networkOptions(config)).pipe(
            networkPipeline(({ event, ...rest }) => {
              if (event === 'done') summary = rest;
            }),
          ),
          { defaultValue: undefined },
        );
        expect(result.summary).toEqual(summary);
        expect(result.config).toEqual(config);
      },
    ),
    { numRuns: 12 },
  );
});

test('a run says how far it is, sooner where rows are more work, and can be given up', () => {
  const told = (layers: string, go = true) => {
    const rows: number[] = [];
    const { config } = sweepOf({ layers, steps: '2000', measure: '500' });
    const result = networkToResult(config(0), (count) => rows.push(count) > 0 && go);
    expect(result?.summary.rows).toBe(go ? 2001 : undefined);
    return rows;
  };
  expect(told('1-8-1')).toEqual([1024]);
  expect(told('1-8-1', false)).toEqual([1024]);
  const slow = told('1-40-40-1');
  expect(slow[0]).toBeGreaterThan(100);
  expect(slow[0]).toBeLessThan(500);
  expect(slow).toEqual(slow.map(() => slow[0]));
});

test.each([
  ['0.3', '1', '600'],
  ['0.3', '10', '600'],
  ['0.8', '10', '400'],
])('spikes, searched for once, are those of the stream (η = %s, S every %s)', async (...told) => {
  const [eta, measure, steps] = told;
  const grid = { layers: '1-12-12-1', seed: '1..3', eta, measure, steps };
  const sweep = sweepOf({ ...grid, data: 'chebyshev:5:20' });
  let count = 0;
  for (let i = 0; i < sweep.runs; i++) {
    const config = sweep.config(i);
    const { summary } = networkToResult(config)!;
    const batches = networkDescent(networkOptions(config)).pipe(networkPipeline());
    expect(summary).toEqual((await lastValueFrom(batches)).run.summary);
    count += summary.spike_count;
  }
  expect(count).toBeGreaterThan(3);
});

test('a run that is given up has no result', () => {
  expect(networkToResult(sweepOf({ steps: '2000' }).config(0), () => false)).toBeUndefined();
});

test('words are axes of maps, side by side and by their names', () => {
  const sweep = sweepOf({ optimizer: 'gd,adam', eta: '0.1,0.4', activation: 'tanh,relu' });
  const rows = anyRows('mlp');
  for (let i = 0; i < sweep.runs; i++)
    rows.add(networkToResult(sweep.config(i)) as NetworkResult, 0);
  const at = (name: string) => rows.columns[rows.schema.findIndex((c) => c.name === name)]!;
  const words = (name: string) =>
    ['optimizer', 'activation'].includes(name)
      ? wordsOf(Array.from(at(name) as string[]))
      : undefined;
  const table = {
    length: sweep.runs,
    model: 'mlp',
    numbers: (name: string) =>
      words(name)?.codes ??
      Float64Array.from(at(name) as (number | null)[], (value) => Number(value ?? Number.NaN)),
    words: (name: string) => words(name)?.words,
    texts: () => Array.from(at('outcome') as number[], (code) => OUTCOMES[code]!),
  } as const;
  const varied = variedParameters(table).map(({ symbol }) => symbol);
  expect(varied).toEqual(['η', 'activation', 'optimizer']);
  const [quantity] = QUANTITIES.mlp;
  const map = heatMap(table, {
    quantity: quantity!,
    x: 'optimizer',
    y: 'eta',
    facet: 'activation',
  });
  expect(map.x).toMatchObject({ named: true, words: ['adam', 'gd'] });
  expect(map.facetWords).toEqual(['relu', 'tanh']);
  expect(map.facets.map(({ cells }) => cells.length)).toEqual([4, 4]);
  expect(map.facets.every(({ border }) => border.length === 0)).toBe(true);
  expect(map.threshold).toBe('threshold');
});

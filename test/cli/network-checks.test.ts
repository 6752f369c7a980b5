import { lastValueFrom, toArray } from 'rxjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TableReader, Values } from '../../src/cli/inspect/table-reader.ts';
import { networkChecks } from '../../src/cli/verify/network-checks.ts';
import type { NetworkOptions } from '../../src/pipeline/models/network/config.ts';
import { networkPipeline } from '../../src/pipeline/operators/network-pipeline.ts';
import { networkDescent } from '../../src/pipeline/sources/descent/network-descent.ts';

type Columns = Readonly<Record<string, Float64Array>>;

interface Made {
  readonly config: object;
  readonly columns: Columns;
}

/** The rows of a run as its file would hold them. */
async function made(options: NetworkOptions): Promise<Made> {
  const batches = await lastValueFrom(
    networkDescent(options, { batchSize: 1000 }).pipe(networkPipeline(), toArray()),
  );
  const { run, schema, columns } = batches[0]!;
  const numbers = schema.filter(({ type }) => type === 'DOUBLE' || type === 'INT64');
  const named = columns as unknown as Columns;
  return {
    config: run.config,
    columns: Object.fromEntries(numbers.map(({ name }) => [name, named[name]!])),
  };
}

/** Names of the checks that fail. */
async function failing({ config, columns }: Made): Promise<readonly string[]> {
  const table = {
    metadata: { 'eos.config': JSON.stringify(config) },
    rows: columns.step!.length,
    fields: Object.keys(columns).map((name) => ({ name, kind: 'number' })),
    async *read(names: readonly string[]) {
      yield Object.fromEntries(names.map((name) => [name, columns[name]! as Values]));
    },
  } as unknown as TableReader;
  const results = await networkChecks(table, 1e9);
  expect(results.map(({ name }) => name)).toEqual(['gradient', 'curvature', 'energy-split']);
  return results.filter(({ verdict }) => verdict === 'fails').map(({ name }) => name);
}

const EDGE: NetworkOptions = { layers: '1-12-8-1', data: 'chebyshev:5:15', eta: 0.4, steps: 500 };

test.each<NetworkOptions>([
  EDGE,
  { ...EDGE, activation: 'relu', data: 'chebyshev:4:15' },
  { ...EDGE, activation: 'gelu', optimizer: 'adam', eta: 0.01 },
  { ...EDGE, optimizer: 'rmsprop', eta: 0.005, 'weight-decay': 0.01, measure: 7 },
  { layers: '64-6-10', data: 'digits:30', activation: 'silu', eta: 1, batch: 10, steps: 60 },
  { ...EDGE, optimizer: 'adamw', eta: 0.01, steps: 0 },
])('a true run passes: %j', async (options) => {
  expect(await failing(await made(options))).toEqual([]);
});

describe('a doctored file', () => {
  let run: Made;
  beforeAll(async () => {
    run = await made(EDGE);
  });

  /** The run with this column changed at this step. */
  const doctored = (name: string, step: number, change: (value: number) => number): Made => {
    const values = run.columns[name]!.slice();
    values[step] = change(values[step]!);
    return { ...run, columns: { ...run.columns, [name]: values } };
  };

  // Steps 0, 100, … are looked at.
  test.each([
    ['loss', 300, 'gradient'],
    ['grad_norm', 400, 'gradient'],
    ['sharpness', 200, 'curvature'],
    ['sharpness_2', 500, 'curvature'],
    ['l2', 321, 'energy-split'],
    ['sharpness_3', 77, 'energy-split'],
  ])('%s at step %i that is larger fails %s', async (name, step, check) => {
    const larger = name === 'sharpness_3' ? 1e3 : 1 + 1e-4;
    expect(await failing(doctored(name, step, (value) => value * larger))).toContain(check);
  });

  test('directions at the edge that are miscounted fail', async () => {
    const more = doctored('edge_directions', 450, (value) => value + 1);
    expect(await failing(more)).toEqual(['energy-split']);
  });

  test('rows of another start fail', async () => {
    const { config } = run;
    expect(await failing({ ...run, config: { ...config, seed: 1 } })).toEqual([
      'gradient',
      'curvature',
    ]);
  });
});

import { lastValueFrom } from 'rxjs';
import { memoryTarget } from '../../pipeline/formats/byte-target.ts';
import { parquetSink } from '../../pipeline/formats/parquet/parquet-sink.ts';
import type { RunOptions } from '../../pipeline/models/minimal/config.ts';
import type { NetworkOptions } from '../../pipeline/models/network/config.ts';
import { classifySharpness } from '../../pipeline/operators/classify-sharpness.ts';
import { detectPhases } from '../../pipeline/operators/detect-phases.ts';
import { flowSolution } from '../../pipeline/operators/flow-solution.ts';
import { splitLoss } from '../../pipeline/operators/split-loss.ts';
import { summarize } from '../../pipeline/operators/summarize.ts';
import { thin } from '../../pipeline/operators/thin.ts';
import { gradientDescent } from '../../pipeline/sources/descent/gradient-descent.ts';
import { networkTraining } from '../../pipeline/sources/trainings/network.ts';
import type { SweepTable } from '../../pipeline/sweep/heat-map.ts';
import { NETWORK_SWEEP_PARAMETERS, networkColumnName } from '../../pipeline/sweep/network-sweep.ts';

/** Longer runs are thinned, and keep all rows near phase changes and peaks. */
const MOST_ROWS = 200_000;

/** Runs a row of a sweep again, here and now, into the bytes of its run file. */
export function runCell(table: SweepTable, row: number): Promise<ArrayBuffer> {
  return table.model === 'mlp'
    ? runNetwork(networkRowOptions(table, row))
    : runRow(rowOptions(table, row));
}

/** Parameters of a row of networks, as `networkDescent` takes them. */
export function networkRowOptions(table: SweepTable, row: number): NetworkOptions {
  const values = Object.keys(NETWORK_SWEEP_PARAMETERS).flatMap((name) => {
    const column = networkColumnName(name);
    const value = table.numbers(column)[row]!;
    return Number.isNaN(value) ? [] : [[name, table.words(column)?.[value] ?? value]];
  });
  return Object.fromEntries(values) as NetworkOptions;
}

async function runNetwork(options: NetworkOptions): Promise<ArrayBuffer> {
  const runs = await networkTraining.open();
  const config = runs.resolve({ ...options, every: strideOf(options.steps) });
  const target = memoryTarget();
  await lastValueFrom(
    runs.rows(config, {}).pipe(
      runs.pipeline(config, () => {}),
      thin(config.every),
      parquetSink(target),
    ),
  );
  return bufferOf(target.bytes());
}

const strideOf = (steps = 0): number => Math.max(1, Math.ceil(steps / MOST_ROWS));

const bufferOf = (bytes: Uint8Array): ArrayBuffer =>
  bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;

/** Parameters of a row, as `gradientDescent` takes them. */
function rowOptions(table: SweepTable, row: number): RunOptions {
  const at = (name: string) => table.numbers(name)[row]!;
  return {
    lambda1: at('lambda1'),
    lambda2: at('lambda2'),
    covariance: at('covariance'),
    samples: Number.isNaN(at('samples')) ? null : at('samples'),
    seed: at('seed'),
    eta: at('eta'),
    ...optimizerOf(at('momentum'), at('dampening')),
    init: [at('init_alpha'), at('init_beta1'), at('init_beta2')],
    floor: at('floor'),
    steps: at('steps'),
    delta: at('delta'),
    epsilon: at('epsilon'),
    band: at('band'),
  };
}

/** The optimizer of a row, by the parameters that it has: null is NaN. */
function optimizerOf(momentum: number, dampening: number): RunOptions {
  if (Number.isNaN(momentum)) return { optimizer: 'gd' };
  if (Number.isNaN(dampening)) return { optimizer: 'nesterov', momentum };
  return { optimizer: 'momentum', momentum, dampening };
}

async function runRow(options: RunOptions): Promise<ArrayBuffer> {
  const every = strideOf(options.steps);
  const target = memoryTarget();
  await lastValueFrom(
    gradientDescent({ ...options, every }).pipe(
      splitLoss(),
      classifySharpness(),
      flowSolution(),
      detectPhases(),
      summarize(),
      thin(every),
      parquetSink(target),
    ),
  );
  return bufferOf(target.bytes());
}

import { lastValueFrom } from 'rxjs';
import { memoryTarget } from '../../pipeline/formats/byte-target.ts';
import { parquetSink } from '../../pipeline/formats/parquet/parquet-sink.ts';
import type { RunOptions } from '../../pipeline/models/minimal/config.ts';
import { classifySharpness } from '../../pipeline/operators/classify-sharpness.ts';
import { detectPhases } from '../../pipeline/operators/detect-phases.ts';
import { flowSolution } from '../../pipeline/operators/flow-solution.ts';
import { splitLoss } from '../../pipeline/operators/split-loss.ts';
import { summarize } from '../../pipeline/operators/summarize.ts';
import { thin } from '../../pipeline/operators/thin.ts';
import { gradientDescent } from '../../pipeline/sources/descent/gradient-descent.ts';
import type { SweepTable } from '../../pipeline/sweep/heat-map.ts';

/** Longer runs are thinned, and keep all rows near phase changes and peaks. */
const MOST_ROWS = 200_000;

/** Parameters of a row, as `gradientDescent` takes them. */
export function rowOptions(table: SweepTable, row: number): RunOptions {
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

/** Runs a row of a sweep again, here and now, into the bytes of its run file. */
export async function runRow(options: RunOptions): Promise<ArrayBuffer> {
  const every = Math.max(1, Math.ceil((options.steps ?? 0) / MOST_ROWS));
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
  const bytes = target.bytes();
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

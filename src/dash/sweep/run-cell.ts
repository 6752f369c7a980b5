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
import type { SweepTable } from '../../pipeline/sweep/heat-map.ts';
import { networkOptionsOfRow, optionsOfRow } from '../../pipeline/sweep/row-config.ts';

/** Longer runs are thinned, and keep all rows near phase changes and peaks. */
const MOST_ROWS = 200_000;

/** Runs a row of a sweep again, here and now, into the bytes of its run file. */
export function runCell(table: SweepTable, row: number): Promise<ArrayBuffer> {
  const at = (column: string) => {
    const value = table.numbers(column)[row]!;
    return Number.isNaN(value) ? null : (table.words(column)?.[value] ?? value);
  };
  return table.model === 'mlp' ? runNetwork(networkOptionsOfRow(at)) : runRow(optionsOfRow(at));
}

async function runNetwork(options: NetworkOptions): Promise<ArrayBuffer> {
  // Its kernel and its data, for which sweeps of the minimal model have no use.
  const { networkTraining } = await import('../../pipeline/sources/trainings/network.ts');
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

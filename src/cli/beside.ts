import { lastValueFrom, type Observable, tap } from 'rxjs';
import { didYouMean } from '../pipeline/core/suggest.ts';
import { DYNAMICS_NAMES, dynamics } from '../pipeline/dynamics/dynamics.ts';
import type { DynamicsName } from '../pipeline/dynamics/trajectory.ts';
import { runMetadata } from '../pipeline/formats/run-metadata.ts';
import { pickColumns } from '../pipeline/models/minimal/columns.ts';
import type { RunConfig, RunOptions } from '../pipeline/models/minimal/config.ts';
import { fileTarget } from '../pipeline/node/file-target.ts';
import { classifySharpness } from '../pipeline/operators/classify-sharpness.ts';
import { flowSolution } from '../pipeline/operators/flow-solution.ts';
import { splitLoss } from '../pipeline/operators/split-loss.ts';
import { thin } from '../pipeline/operators/thin.ts';
import { tableSink } from '../pipeline/sinks/table-sink.ts';
import type { ModelBatch, ModelRun } from '../pipeline/sources/descent/gradient-descent.ts';
import { UsageError } from './errors.ts';
import { checkOutput } from './output-file.ts';

/** Columns that speak of what gradient descent does around 2/η; flows have neither phases nor cycles of it. */
const NOT_OF_FLOWS: readonly string[] = ['phase', 'cycle'];

/** A trajectory to be written beside a run. */
export interface Beside {
  readonly name: DynamicsName;
  readonly path: string;
  /** Computes and writes it; resolves with the number of rows. */
  write(signal: AbortSignal): Promise<number>;
}

/** The dynamics that `--also` names, each once. */
export function dynamicsNames(values: readonly string[]): readonly DynamicsName[] {
  return [...new Set(values)].map((name) => {
    const known = DYNAMICS_NAMES.find((candidate) => candidate === name);
    if (known) return known;
    throw new UsageError(
      `--also: there are no dynamics '${name}'${didYouMean(name, DYNAMICS_NAMES)}; there are ${DYNAMICS_NAMES.join(', ')}`,
    );
  });
}

/** `run.parquet` → `run.central.parquet`. */
export function besidePath(out: string, name: DynamicsName): string {
  return out.endsWith('.parquet')
    ? `${out.slice(0, -'.parquet'.length)}.${name}.parquet`
    : `${out}.${name}.parquet`;
}

/**
 * Gets everything ready to write trajectories beside the run in `out`, so that what cannot be done is told before
 * anything is computed.
 */
export async function planBeside(
  names: readonly DynamicsName[],
  options: RunOptions,
  config: RunConfig,
  out: string,
  writer: 'hyparquet' | 'parquetjs-lite',
  force: boolean,
): Promise<readonly Beside[]> {
  const columns = pickColumns(config.columns).filter(
    (column) => !NOT_OF_FLOWS.includes(column.name),
  );
  if (names.length > 0 && columns.length === 0) {
    throw new UsageError(
      '--also: none of --columns applies to flows; name others, such as alpha, beta2, loss',
    );
  }
  return Promise.all(
    names.map(async (name) => {
      const path = besidePath(out, name);
      dynamics[name](options);
      await checkOutput('also', path, { ...config, dynamics: name } as RunConfig, force);
      const write = async (signal: AbortSignal) => {
        const format =
          writer === 'hyparquet'
            ? (await import('../pipeline/formats/parquet/hyparquet.ts')).hyparquetFormat
            : (await import('../pipeline/node/parquetjs.ts')).parquetjsFormat;
        let rows = 0;
        const batches: Observable<ModelBatch> = dynamics[name](options, { signal }).pipe(
          splitLoss(),
          classifySharpness(),
          flowSolution(),
          thin(config.every),
          tap(({ length }) => (rows += length)),
          tableSink<ModelRun, ModelBatch>(fileTarget(path), format, {
            columns,
            metadata: besideMetadata,
          }),
        );
        await lastValueFrom(batches);
        return rows;
      };
      return { name, path, write };
    }),
  );
}

/** Metadata of such a file; its summary says only whether it is whole. */
function besideMetadata(run: ModelRun): Record<string, string> {
  const { interrupted, state } = run;
  return {
    ...runMetadata(run),
    'eos.summary': JSON.stringify({ interrupted, last_step: state.step - 1 }),
  };
}

import { stat } from 'node:fs/promises';
import { lastValueFrom, tap } from 'rxjs';
import type { SourceOptions } from '../pipeline/core/source-options.ts';
import { didYouMean } from '../pipeline/core/suggest.ts';
import type { Dynamics } from '../pipeline/dynamics/dynamics.ts';
import { dynamics, findDynamics } from '../pipeline/dynamics/index.ts';
import { sealedMetadata } from '../pipeline/formats/run-metadata.ts';
import type { Metadata, TableFormat } from '../pipeline/formats/table-format.ts';
import { fileTarget } from '../pipeline/node/file-target.ts';
import { thin } from '../pipeline/operators/thin.ts';
import { tableSink } from '../pipeline/sinks/table-sink.ts';
import type {
  Runs,
  TrainingBatch,
  TrainingConfig,
  TrainingRows,
} from '../pipeline/sources/trainings/training.ts';
import { UsageError } from './errors.ts';
import { checkOutput, type Replace } from './output-file.ts';
import { runFileMetadata } from './run-file.ts';

/** A dynamics to be written into a file of its own. */
export interface DynamicsFile {
  readonly name: string;
  readonly path: string;
  /**
   * Computes and writes it; resolves with the number of rows, undefined where it was stopped and
   * there is none.
   */
  write(signal: AbortSignal): Promise<number | undefined>;
}

/** The dynamics that `--also` names, each once. */
export function chosenDynamics(values: readonly string[]): readonly Dynamics[] {
  const names = dynamics.map(({ name }) => name);
  return [...new Set(values)].map((name) => {
    const known = findDynamics(name);
    if (known) return known;
    throw new UsageError(
      `--also: there are no dynamics '${name}'${didYouMean(name, names)}; there are ` +
        `${names.join(', ')}`,
    );
  });
}

/** `run.parquet` → `run.central.parquet`. */
export function dynamicsPath(out: string, name: string): string {
  return out.endsWith('.parquet')
    ? `${out.slice(0, -'.parquet'.length)}.${name}.parquet`
    : `${out}.${name}.parquet`;
}

/**
 * Gets everything ready to write dynamics into files named after that of the run, `out`, so that
 * what cannot be done is told before anything is computed.
 */
export async function planDynamicsFiles(
  chosen: readonly Dynamics[],
  runs: Runs,
  config: TrainingConfig,
  out: string,
  format: TableFormat,
  replace: Replace,
): Promise<readonly DynamicsFile[]> {
  const columns = dynamicsColumns(runs, config);
  if (chosen.length > 0 && columns.length === 0) {
    throw new UsageError(
      '--also: none of --columns applies to flows; name others, such as alpha, beta2, loss',
    );
  }
  return Promise.all(
    chosen.map(async (each) => {
      const { name } = each;
      const path = dynamicsPath(out, name);
      dynamicsBatches(each, runs, config, {});
      await checkOutput('also', path, { ...config, dynamics: name }, replace);
      await refuseForeign(path);
      const write = async (signal: AbortSignal) => {
        let rows = 0;
        let lastStep = -1;
        const batches = dynamicsBatches(each, runs, config, { signal }).pipe(
          tap(({ length, columns: { step } }) => {
            rows += length;
            lastStep = step[length - 1] ?? lastStep;
          }),
          tableSink(fileTarget(path), format, {
            columns,
            metadata: (run: TrainingBatch['run']) => dynamicsMetadata(run, lastStep),
          }),
        );
        await lastValueFrom(batches);
        return rows;
      };
      return { name, path, write };
    }),
  );
}

/** The columns of the file of a dynamics. */
export function dynamicsColumns(runs: Runs, config: TrainingConfig): readonly string[] {
  const columns = (runs.beside?.schema(config) ?? []).map(({ name }) => name);
  return columns.filter((name) => config.columns?.includes(name) ?? true);
}

/** The rows of such a file. */
export function dynamicsBatches(
  each: Dynamics,
  runs: Runs,
  config: TrainingConfig,
  source: Omit<SourceOptions, 'resume'>,
): TrainingRows {
  if (!runs.beside)
    throw new UsageError(
      `--also: no dynamics can be written for a run of ${config.model}; leave it out`,
    );
  return runs.beside.rows(each, config, source).pipe(thin(config.every));
}

/** Metadata of such a file; its summary says only whether it is whole. */
export function dynamicsMetadata(run: TrainingBatch['run'], lastStep: number): Metadata {
  const { interrupted } = run;
  return {
    ...sealedMetadata(run),
    'eos.summary': JSON.stringify({ interrupted, last_step: lastStep }),
  };
}

/** The name of the file is made of another's, so that --force alone does not mean it. */
async function refuseForeign(path: string): Promise<void> {
  const metadata = await runFileMetadata(path);
  if (metadata?.['eos.config'] !== undefined || !(await stat(path).catch(() => undefined))) return;
  throw new UsageError(
    `--also: ${path} exists and was not written by eos; move it away, or give another --out`,
  );
}

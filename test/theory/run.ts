import { lastValueFrom, type Observable, toArray } from 'rxjs';
import type { RunArrays } from '../../src/pipeline/models/minimal/columns.ts';
import type { RunOptions } from '../../src/pipeline/models/minimal/config.ts';
import type { ModelBatch } from '../../src/pipeline/models/minimal/run.ts';
import { classifySharpness } from '../../src/pipeline/operators/classify-sharpness.ts';
import { detectPhases } from '../../src/pipeline/operators/detect-phases.ts';
import { flowSolution } from '../../src/pipeline/operators/flow-solution.ts';
import { splitLoss } from '../../src/pipeline/operators/split-loss.ts';
import { gradientDescent } from '../../src/pipeline/sources/descent/gradient-descent.ts';
import {
  collectRun,
  type RunColumns,
  type RunTable,
  runTable,
} from '../../src/pipeline/theory/run-table.ts';

/** A run of gradient descent with every column. */
export function run(options: RunOptions): Promise<RunTable> {
  return collected(
    gradientDescent(options).pipe(splitLoss(), classifySharpness(), flowSolution(), detectPhases()),
  );
}

export async function collected(source: Observable<ModelBatch>): Promise<RunTable> {
  const rows = collectRun();
  for (const batch of await lastValueFrom(source.pipe(toArray()))) rows.add(batch);
  return rows.table();
}

const COLUMNS = [
  'step',
  'alpha',
  'beta1',
  'beta2',
  'log10_abs_beta1',
  'loss',
  'l1',
  'l2',
  'l_hat',
  'grad_norm',
  'sharpness',
  'gfs_sharpness',
  'balance',
  'phase',
  'cycle',
] as const;

/** A copy of a run in which some columns have been tampered with, or left out (null). */
export function doctored(
  table: RunTable,
  changes: { readonly [C in (typeof COLUMNS)[number]]?: ((values: RunArrays[C]) => void) | null },
  divergedAt: number | null = table.divergedAt,
): RunTable {
  const columns: Record<string, Float64Array | Int32Array | Uint8Array> = {};
  for (const name of COLUMNS) {
    const change = changes[name] as ((values: Float64Array) => void) | null | undefined;
    if (change === null) continue;
    const values = table.column(name).slice() as Float64Array;
    change?.(values);
    columns[name] = values;
  }
  return runTable(table.config, columns as RunColumns & { step: Float64Array }, divergedAt);
}

/** The same run as plain float64 has it: β₁ underflows to 0, and nothing brings it back. */
export function underflowed(table: RunTable): RunTable {
  const { config, length, step } = table;
  const { eta, moments, init } = config;
  let [alpha, beta1, beta2] = init;
  const columns = {
    step,
    alpha: new Float64Array(length),
    beta1: new Float64Array(length),
    beta2: new Float64Array(length),
    log10_abs_beta1: new Float64Array(length),
  };
  for (let i = 0; i < length; i++) {
    columns.alpha[i] = alpha;
    columns.beta1[i] = beta1;
    columns.beta2[i] = beta2;
    columns.log10_abs_beta1[i] = Math.log10(Math.abs(beta1));
    const r = alpha * beta2 - 1;
    const slope = moments.lambda1 * alpha * beta1 * beta1 + moments.lambda2 * beta2 * r;
    beta1 *= 1 - eta * moments.lambda1 * alpha * alpha;
    beta2 -= eta * moments.lambda2 * alpha * r;
    alpha -= eta * slope;
  }
  return runTable(config, columns);
}

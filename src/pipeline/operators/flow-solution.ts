import { type MonoTypeOperatorFunction, map } from 'rxjs';
import type { RunArrays } from '../models/minimal/columns.ts';
import { spectrum } from '../models/minimal/moments.ts';
import { solutionSharpness } from '../models/minimal/solution.ts';
import type { ModelBatch } from '../sources/descent/gradient-descent.ts';

/**
 * Adds what gradient flow from each step would keep and where it would end: the `balance` Q = α² − β₁² − β₂² and
 * `gfs_sharpness` S∞, the sharpness of that end point, in closed form.
 */
export function flowSolution(): MonoTypeOperatorFunction<ModelBatch> {
  return map((batch) => ({ ...batch, columns: { ...batch.columns, ...solutionColumns(batch) } }));
}

/** Balance and gradient-flow-solution sharpness of each row, from θ. */
export function solutionColumns(
  { run, length, columns }: ModelBatch,
  into: Partial<RunArrays> = {},
): Pick<RunArrays, 'balance' | 'gfs_sharpness'> {
  const { alpha, beta1, beta2 } = columns;
  const { moments } = run.config;
  const axes = spectrum(moments);
  const balance = into.balance ?? new Float64Array(length);
  const gfsSharpness = into.gfs_sharpness ?? new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const a = alpha[i]!;
    const b1 = beta1[i]!;
    const b2 = beta2[i]!;
    const q = (a - b2) * (a + b2) - b1 * b1;
    balance[i] = q;
    gfsSharpness[i] = solutionSharpness(q, moments, axes);
  }
  return { balance, gfs_sharpness: gfsSharpness };
}

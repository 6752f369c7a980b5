import { type MonoTypeOperatorFunction, map } from 'rxjs';
import type { RunArrays } from '../models/minimal/columns.ts';
import { edgeAlpha } from '../models/minimal/surrogate.ts';
import type { ModelBatch } from '../sources/descent/gradient-descent.ts';

/**
 * Adds the parts of the loss: `l1` (oscillatory, ½λ₁(αβ₁)²), `l2` (convergent, ½λ₂(αβ₂ − 1)²) and the surrogate
 * `l_hat` (½λ₂(sign(α)·α̂β₂ − 1)²).
 *
 * @example gradientDescent(presets.paper).pipe(splitLoss())
 */
export function splitLoss(): MonoTypeOperatorFunction<ModelBatch> {
  return map((batch) => ({ ...batch, columns: { ...batch.columns, ...lossColumns(batch) } }));
}

/** The three parts of the loss, from θ. */
export function lossColumns(
  { run, length, columns }: ModelBatch,
  into: Partial<RunArrays> = {},
): Pick<RunArrays, 'l1' | 'l2' | 'l_hat'> {
  const { alpha, beta1, beta2 } = columns;
  const { lambda1, lambda2 } = run.config.moments;
  const alphaHat = edgeAlpha(lambda1, run.config.eta);
  const l1 = into.l1 ?? new Float64Array(length);
  const l2 = into.l2 ?? new Float64Array(length);
  const lHat = into.l_hat ?? new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const a = alpha[i]!;
    const b2 = beta2[i]!;
    const p = a * beta1[i]!;
    const r = a * b2 - 1;
    const rHat = (a < 0 ? -alphaHat : alphaHat) * b2 - 1;
    l1[i] = 0.5 * lambda1 * (p * p);
    l2[i] = 0.5 * lambda2 * (r * r);
    lHat[i] = 0.5 * lambda2 * (rHat * rHat);
  }
  return { l1, l2, l_hat: lHat };
}

import { type MonoTypeOperatorFunction, map } from 'rxjs';
import type { RunArrays } from '../models/minimal/columns.ts';
import { spectrum } from '../models/minimal/moments.ts';
import { arrowheadTop } from '../models/minimal/sharpness.ts';
import type { ModelBatch } from '../sources/descent/gradient-descent.ts';

/** Codes of the regimes in the `regime` column. */
const STABLE = 0;
const EDGE = 1;
const UNSTABLE = 2;

/**
 * Adds the exact `sharpness` S = λ_max(∇²L), its ratio ηS/2 to the threshold 2/η, and the `regime`: stable below
 * 1 − band, unstable above 1 + band, else edge.
 *
 * @param options.band half-width of the edge regime; the run's own unless given
 */
export function classifySharpness(
  options: { readonly band?: number } = {},
): MonoTypeOperatorFunction<ModelBatch> {
  return map((batch) => {
    const sharpness = batch.columns.sharpness ?? sharpnessColumn(batch);
    const { eta, band } = batch.run.config;
    return {
      ...batch,
      columns: { ...batch.columns, ...regimeColumns(sharpness, eta, options.band ?? band) },
    };
  });
}

/** Sharpness of each row, from θ. */
export function sharpnessColumn(
  { run, length, columns }: ModelBatch,
  sharpness: Float64Array = new Float64Array(length),
): Float64Array {
  const { alpha, beta1, beta2 } = columns;
  const { large, small, u1, u2, v1, v2 } = spectrum(run.config.moments);
  for (let i = 0; i < length; i++) {
    const a = alpha[i]!;
    const b1 = beta1[i]!;
    const b2 = beta2[i]!;
    const along = u1 * b1 + u2 * b2;
    const across = v1 * b1 + v2 * b2;
    sharpness[i] = arrowheadTop(
      large * (along * along) + small * (across * across),
      large * (2 * a * along - u2),
      small * (2 * a * across - v2),
      large * (a * a),
      small * (a * a),
    );
  }
  return sharpness;
}

/** Ratio and regime of each row, from its sharpness. */
export function regimeColumns(
  sharpness: Float64Array,
  eta: number,
  band: number,
  into: Partial<RunArrays> = {},
): Pick<RunArrays, 'sharpness' | 'sharpness_ratio' | 'regime'> {
  const ratio = into.sharpness_ratio ?? new Float64Array(sharpness.length);
  const regime = into.regime ?? new Uint8Array(sharpness.length);
  for (let i = 0; i < sharpness.length; i++) {
    const rho = 0.5 * (eta * sharpness[i]!);
    ratio[i] = rho;
    regime[i] = rho < 1 - band ? STABLE : rho > 1 + band ? UNSTABLE : EDGE;
  }
  return { sharpness, sharpness_ratio: ratio, regime };
}

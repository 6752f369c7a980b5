import { operator } from '../core/operator.ts';
import { checkOption } from '../core/own-option.ts';
import { BAND } from '../core/run-ranges.ts';
import { runColumns } from '../models/minimal/columns.ts';
import { spectrum } from '../models/minimal/moments.ts';
import type { ModelRun } from '../models/minimal/run.ts';
import { arrowheadTop } from '../models/minimal/sharpness.ts';

// Codes: places in `REGIMES`.
const STABLE = 0;
const EDGE = 1;
const UNSTABLE = 2;

/**
 * Code of the regime at a ratio of sharpness to threshold: stable below 1 − band, unstable above 1
 * + band.
 */
export function regimeOf(ratio: number, band: number): number {
  return ratio < 1 - band ? STABLE : ratio > 1 + band ? UNSTABLE : EDGE;
}

/**
 * Adds the exact `sharpness` S = λ_max(∇²L), its ratio to the optimizer's threshold (ηS/2 for
 * gradient descent), and the `regime`: stable below 1 − band, unstable above 1 + band, else edge.
 *
 * @param options.band half-width of the edge regime; the run's own unless given
 */
export function classifySharpness(options: { readonly band?: number } = {}) {
  checkOption('classifySharpness', options, 'band', BAND, 'a number from 0 up');
  return operator({
    name: 'classifySharpness',
    needs: { alpha: 'gradientDescent', beta1: 'gradientDescent', beta2: 'gradientDescent' },
    adds: runColumns('sharpness', 'sharpness_ratio', 'regime'),
    params: { band: options.band },
    start({ config: { moments, eta, band }, stability }: ModelRun) {
      const { large, small, u1, u2, v1, v2 } = spectrum(moments);
      return {
        next({ alpha, beta1, beta2 }, length, { sharpness, sharpness_ratio, regime }) {
          for (let i = 0; i < length; i++) {
            const a = alpha[i]!;
            const b1 = beta1[i]!;
            const b2 = beta2[i]!;
            const along = u1 * b1 + u2 * b2;
            const across = v1 * b1 + v2 * b2;
            const s = arrowheadTop(
              large * (along * along) + small * (across * across),
              large * (2 * a * along - u2),
              small * (2 * a * across - v2),
              large * (a * a),
              small * (a * a),
            );
            const rho = stability.ratio(s, eta);
            sharpness[i] = s;
            sharpness_ratio[i] = rho;
            regime[i] = regimeOf(rho, band);
          }
        },
      };
    },
  });
}

import { operator } from '../core/operator.ts';
import { checkNothing } from '../core/own-option.ts';
import { runColumns } from '../models/minimal/columns.ts';
import { spectrum } from '../models/minimal/moments.ts';
import type { ModelRun } from '../models/minimal/run.ts';
import { solutionSharpness } from '../models/minimal/solution.ts';

/**
 * Adds what gradient flow from each step would keep and where it would end: `gfs_sharpness` S∞, the
 * sharpness of that end point in closed form, and the `balance` Q = α² − β₁² − β₂².
 */
export const flowSolution = (...nothing: []) => {
  checkNothing('flowSolution', nothing);
  return operator({
    name: 'flowSolution',
    needs: { alpha: 'gradientDescent', beta1: 'gradientDescent', beta2: 'gradientDescent' },
    adds: runColumns('gfs_sharpness', 'balance'),
    start({ config: { moments } }: ModelRun) {
      const axes = spectrum(moments);
      return {
        next({ alpha, beta1, beta2 }, length, { gfs_sharpness, balance }) {
          for (let i = 0; i < length; i++) {
            const a = alpha[i]!;
            const b1 = beta1[i]!;
            const b2 = beta2[i]!;
            const q = (a - b2) * (a + b2) - b1 * b1;
            balance[i] = q;
            gfs_sharpness[i] = solutionSharpness(q, moments, axes);
          }
        },
      };
    },
  });
};

import { operator } from '../core/operator.ts';
import { checkNothing } from '../core/own-option.ts';
import { runColumns } from '../models/minimal/columns.ts';
import type { ModelRun } from '../models/minimal/run.ts';
import { edgeAlpha } from '../models/minimal/surrogate.ts';

/**
 * Adds the parts of the loss: `l1` (oscillatory, ½λ₁(αβ₁)²), `l2` (convergent, ½λ₂(αβ₂ − 1)²) and
 * the surrogate `l_hat` (½λ₂(sign(α)·α̂β₂ − 1)²).
 *
 * @example gradientDescent(presets.paper).pipe(splitLoss())
 */
export const splitLoss = (...nothing: []) => {
  checkNothing('splitLoss', nothing);
  return operator({
    name: 'splitLoss',
    needs: { alpha: 'gradientDescent', beta1: 'gradientDescent', beta2: 'gradientDescent' },
    uses: ['l2'],
    adds: runColumns('l1', 'l2', 'l_hat'),
    start({ config: { moments, eta }, stability }: ModelRun) {
      const { lambda1, lambda2 } = moments;
      const alphaHat = edgeAlpha(lambda1, eta, stability);
      return {
        next({ alpha, beta1, beta2, l2: known }, length, { l1, l2, l_hat }) {
          for (let i = 0; i < length; i++) {
            const a = alpha[i]!;
            const b2 = beta2[i]!;
            const p = a * beta1[i]!;
            const r = a * b2 - 1;
            const rHat = (a < 0 ? -alphaHat : alphaHat) * b2 - 1;
            l1[i] = 0.5 * lambda1 * (p * p);
            // The source knows αβ₂ − 1 better than rounded α and β₂ do.
            l2[i] = known ? known[i]! : 0.5 * lambda2 * (r * r);
            l_hat[i] = 0.5 * lambda2 * (rHat * rHat);
          }
        },
      };
    },
  });
};

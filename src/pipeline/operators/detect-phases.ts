import { operator } from '../core/operator.ts';
import { checkOption } from '../core/own-option.ts';
import { DELTA } from '../core/run-ranges.ts';
import { COARSE_PHASES, type CoarsePhase, KAPPA } from '../models/minimal/coarse-phases.ts';
import { runColumns } from '../models/minimal/columns.ts';
import { spectrum } from '../models/minimal/moments.ts';
import type { ModelRun } from '../models/minimal/run.ts';
import { solutionSharpness } from '../models/minimal/solution.ts';

// Codes: places in `PHASES`.
const PROGRESSIVE_SHARPENING = 0;
const EOS_SHARPENING = 1;
const EOS_SELF_STABILIZATION = 2;
const CONVERGENCE = 3;

/**
 * An αβ₂ − 1 of rounded α and β₂ that is no larger than this is rounding: its sign means nothing.
 */
const NOISE = 4 * Number.EPSILON;

/**
 * Adds the `phase` of each step and the number of the `cycle` it is in, causally: a label depends
 * on its own step and those before it, never on a later one.
 *
 * With τ the optimizer's threshold (2/η for gradient descent) and τ_δ the same with tolerance, (2 +
 * δ)/η: progressive sharpening turns into the edge of stability at the first S ≥ τ; either turns
 * into convergence where S and S∞ are at most τ_δ and S ≥ 0.95·S∞, so that nothing beyond lies
 * ahead; convergence turns back at S > τ_δ. At the edge a step is `eos-sharpening` while |α| grows,
 * else `eos-self-stabilization`. A cycle begins at each upward crossing of τ. Where αβ₂ − 1 is
 * rounding, a label repeats the one before.
 *
 * @param options.delta δ; the run's own unless given
 */
export function detectPhases(options: { readonly delta?: number } = {}) {
  checkOption('detectPhases', options, 'delta', DELTA, 'a positive number');
  return operator({
    name: 'detectPhases',
    needs: {
      alpha: 'gradientDescent',
      beta1: 'gradientDescent',
      beta2: 'gradientDescent',
      sharpness: 'classifySharpness',
    },
    uses: ['gfs_sharpness'],
    adds: runColumns('phase', 'cycle'),
    params: { delta: options.delta },
    start({ config: { moments, eta, delta }, stability }: ModelRun, saved) {
      const { lambda1, lambda2, covariance } = moments;
      const axes = spectrum(moments);
      const threshold = stability.threshold(eta);
      const tolerated = stability.threshold(eta, delta);
      let coarse: CoarsePhase | null = saved?.wordOrNull('coarse', COARSE_PHASES) ?? null;
      let cycle = saved?.number('cycle') ?? 0;
      /** Sharpness of the row before. */
      let before = saved?.number('before') ?? Number.POSITIVE_INFINITY;
      /** Label of the last step at the edge. */
      let label = saved?.number('label') ?? EOS_SELF_STABILIZATION;

      return {
        next(columns, length, { phase, cycle: cycles }) {
          const { alpha, beta1, beta2, sharpness, gfs_sharpness } = columns;
          // What a closure holds is stored anew at each row.
          let [now, crossings, last, at] = [coarse, cycle, before, label];
          for (let i = 0; i < length; i++) {
            if (now === 'convergence') {
              // Below τ < τ_δ a run that has converged stays so, and crosses nothing.
              const from = i;
              while (i < length && sharpness[i]! < threshold) i++;
              if (i > from) {
                phase.fill(CONVERGENCE, from, i);
                cycles.fill(crossings, from, i);
                last = sharpness[i - 1]!;
                if (i === length) break;
              }
            }
            const a = alpha[i]!;
            const b1 = beta1[i]!;
            const b2 = beta2[i]!;
            const s = sharpness[i]!;
            const over = s >= threshold;
            if (now === null) {
              now = over ? 'edge-of-stability' : 'progressive-sharpening';
              if (over) crossings = 1;
            } else if (over && last < threshold) {
              crossings++;
            }
            last = s;

            if (now === 'progressive-sharpening' && over) now = 'edge-of-stability';
            if (now === 'convergence') {
              if (s > tolerated) now = 'edge-of-stability';
            } else if (s <= tolerated) {
              const end =
                gfs_sharpness?.[i] ??
                solutionSharpness((a - b2) * (a + b2) - b1 * b1, moments, axes);
              if (end <= tolerated && s >= (1 - KAPPA) * end) now = 'convergence';
            }

            cycles[i] = crossings;
            if (now === 'edge-of-stability') {
              const p = a * b1;
              const r = a * b2 - 1;
              const push = b1 * (lambda1 * p);
              const pull = b1 * covariance * r + b2 * (covariance * p + lambda2 * r);
              // What would be told from the sign of rounding is told as of the step before.
              if (!(Math.abs(r) <= NOISE && Math.abs(push) <= 2 * lambda2 * Math.abs(b2) * NOISE))
                at = a * (push + pull) < 0 ? EOS_SHARPENING : EOS_SELF_STABILIZATION;
              phase[i] = at;
            } else {
              phase[i] = now === 'convergence' ? CONVERGENCE : PROGRESSIVE_SHARPENING;
            }
          }
          [coarse, cycle, before, label] = [now, crossings, last, at];
        },
        state() {
          const now = { coarse, cycle, before, label };
          return () => now;
        },
      };
    },
  });
}

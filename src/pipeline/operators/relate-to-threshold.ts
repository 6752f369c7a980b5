import { operator } from '../core/operator.ts';
import { checkNothing } from '../core/own-option.ts';
import { MEASURED_REGIMES, measuredColumns } from '../phases/measured/columns.ts';
import type { MeasuredRun } from '../phases/measured/summary.ts';
import { regimeOf } from './classify-sharpness.ts';

const UNKNOWN = MEASURED_REGIMES.indexOf('unknown');

/**
 * Adds the `threshold` of the run's optimizer at each step's learning rate, the `sharpness_ratio`
 * to it where the sharpness was measured, and the `regime` by the ratio last measured.
 */
export const relateToThreshold = (...nothing: []) => {
  checkNothing('relateToThreshold', nothing);
  return operator({
    name: 'relateToThreshold',
    needs: { eta: 'trainingLog', sharpness: 'trainingLog' },
    adds: measuredColumns('threshold', 'sharpness_ratio', 'regime'),
    start({ config: { band }, stability }: MeasuredRun, saved) {
      let last = saved?.number('last') ?? UNKNOWN;
      return {
        next({ eta, sharpness }, length, { threshold, sharpness_ratio, regime }) {
          for (let i = 0; i < length; i++) {
            threshold[i] = stability.threshold(eta[i]!);
            const ratio = stability.ratio(sharpness[i]!, eta[i]!);
            sharpness_ratio[i] = ratio;
            if (!Number.isNaN(ratio)) last = regimeOf(ratio, band);
            regime[i] = last;
          }
        },
        state() {
          const now = { last };
          return () => now;
        },
      };
    },
  });
};

import { defer, type MonoTypeOperatorFunction, map } from 'rxjs';
import { LOG_REGIMES } from '../sources/training-log/columns.ts';
import type { LogBatch } from '../sources/training-log/training-log.ts';

const STABLE = LOG_REGIMES.indexOf('stable');
const EDGE = LOG_REGIMES.indexOf('edge');
const UNSTABLE = LOG_REGIMES.indexOf('unstable');
const UNKNOWN = LOG_REGIMES.indexOf('unknown');

/**
 * Adds the `threshold` of the run's optimizer at each step's learning rate, the `sharpness_ratio` to it where the
 * sharpness was measured, and the `regime` by the ratio last measured.
 */
export function relateToThreshold(): MonoTypeOperatorFunction<LogBatch> {
  return (source) =>
    defer(() => {
      let regime = UNKNOWN;
      return source.pipe(
        map((batch) => {
          const { length, columns, run } = batch;
          const { threshold_factor: factor, band } = run.config;
          const { eta, sharpness } = columns;
          const threshold = new Float64Array(length);
          const ratio = new Float64Array(length);
          const regimes = new Uint8Array(length);
          for (let i = 0; i < length; i++) {
            threshold[i] = factor / eta[i]!;
            const rho = (sharpness[i]! * eta[i]!) / factor;
            ratio[i] = rho;
            if (rho < 1 - band) regime = STABLE;
            else if (rho > 1 + band) regime = UNSTABLE;
            else if (!Number.isNaN(rho)) regime = EDGE;
            regimes[i] = regime;
          }
          return {
            ...batch,
            columns: { ...columns, threshold, sharpness_ratio: ratio, regime: regimes },
          };
        }),
      );
    });
}

import { createNoiseScale } from './noise-scale.ts';

/** A spike of the loss: where it peaked, and how far it rose over the least loss before it. */
export interface Spike {
  readonly step: number;
  readonly loss: number;
  /** Peak over the least loss since the spike before; 1.1 and more. */
  readonly rise: number;
  /** Sharpness over threshold as last measured at the peak; null where it never was. */
  readonly sharpness_ratio: number | null;
}

/** A rise of the loss by this factor is a spike, where noise does not ask for more. */
const LEAST_RISE = 1.1;
/** … and by so many standard deviations of the noise of ln L. */
const NOISE_FACTOR = 6;

/** A loss below this share of the first one is what rounding leaves of zero: a square of errors of 3e-7 in float32. */
const ROUNDING = 1e-13;

/** Finds the spikes of a loss, each when it has fallen halfway back. */
export interface SpikeFinder {
  /** The spike that ends with this row, if one does. */
  next(step: number, loss: number, ratio: number): Spike | null;
}

export function createSpikeFinder(): SpikeFinder {
  const noise = createNoiseScale(0);
  let first = Number.NaN;
  let base = Number.POSITIVE_INFINITY;
  let peak = 0;
  let peakStep = 0;
  let peakRatio = Number.NaN;
  let up = false;

  return {
    next(step, loss, ratio) {
      if (!(loss > 0) || loss === Number.POSITIVE_INFINITY) return null;
      if (Number.isNaN(first)) first = loss;
      if (loss < ROUNDING * first) return null;
      const scale = noise.next(Math.log(loss));
      if (!up) {
        if (loss < base) {
          base = loss;
          return null;
        }
        if (loss < base * LEAST_RISE || loss < base * Math.exp(NOISE_FACTOR * scale)) return null;
        up = true;
        peak = 0;
      }
      if (loss >= peak) {
        peak = loss;
        peakStep = step;
        peakRatio = ratio;
        return null;
      }
      if (loss > base + (peak - base) / 2) return null;
      const spike = {
        step: peakStep,
        loss: peak,
        rise: peak / base,
        sharpness_ratio: Number.isNaN(peakRatio) ? null : peakRatio,
      };
      up = false;
      base = loss;
      return spike;
    },
  };
}

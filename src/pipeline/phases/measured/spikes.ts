import { log } from '../../numeric/elementary.ts';
import { exp } from '../../numeric/exponential.ts';
import {
  LEVEL_ROWS,
  LONGER,
  NOISE_WINDOW,
  ROUNDING,
  SPIKE_NOISE,
  SPIKE_RISE,
} from './constants.ts';
import { createLossHeights } from './loss-heights.ts';
import type { NoiseState } from './noise-scale.ts';

/** A spike of the loss: one burst, however often it rings. */
export interface Spike {
  /** First step over the level. */
  readonly begin: number;
  /** Step of the peak. */
  readonly step: number;
  /** Last step over half of the rise. */
  readonly end: number;
  /** Loss at the peak. */
  readonly loss: number;
  /** Peak over the running level before it; 1.1 and more. */
  readonly rise: number;
  /** Sharpness over threshold as last measured at the peak; null where it never was. */
  readonly sharpness_ratio: number | null;
}

/** One rise of the loss over half of its height; levels and peaks as ln L. */
export interface Rise {
  readonly begin: number;
  readonly beginRow: number;
  /** Level that it rose from. */
  readonly base: number;
  peak: number;
  peakLoss: number;
  peakStep: number;
  peakRatio: number | null;
  end: number;
  endRow: number;
}

/** Everything that a finder keeps; JSON can hold it. */
export interface SpikeState {
  readonly noise: NoiseState;
  /** Last logarithms of the loss, oldest first. */
  readonly recent: readonly number[];
  readonly floor: number;
  readonly level: number | null;
  readonly rows: number;
  readonly climbing: Rise | null;
  readonly burst: Rise | null;
}

/** Finds the spikes of a loss, each when its burst has been quiet for as long as it lasted. */
export interface SpikeFinder {
  /**
   * The spike that is over with this row, if one is.
   *
   * @param loss what is not finite or not above zero is passed over
   * @param ratio sharpness over threshold as last measured; NaN where it never was
   */
  next(step: number, loss: number, ratio: number): Spike | null;
  /**
   * `next` of the first of these rows that are in no spike, nor may begin one.
   * @returns index of the first that is not such a one; it was not taken in
   */
  nextQuiet(losses: ArrayLike<number>, from: number, to: number): number;
  /** The spike that the series ends in, where it has fallen halfway back. */
  finish(): Spike | null;
  state(): SpikeState;
}

/**
 * Spikes of a loss, causally and in fixed memory. The level is the least median of nine of ln L,
 * and rises only as fast as noise does (the median of second differences), so that it follows a
 * noisy loss and a floor that rises, and does not follow a burst, however slow. A rise begins
 * beyond 10 % and seven deviations over the level, and ends below half of its height. Rises that
 * are less high, and begin before the loss has been down for as long as the burst lasted, are its
 * ringing.
 */
export function createSpikeFinder(saved?: SpikeState): SpikeFinder {
  const heights = createLossHeights(saved);
  let floor = saved?.floor ?? 0;
  // NaN before the median is one of enough rows.
  const running = { level: saved?.level ?? Number.NaN };
  let rows = saved?.rows ?? 0;
  let climbing: Rise | null = saved?.climbing ? { ...saved.climbing } : null;
  let burst: Rise | null = saved?.burst ? { ...saved.burst } : null;

  /** Follows a rise; what ends it where it does. */
  function climb(
    rise: Rise,
    { step, loss, height, ratio }: Readonly<Record<'step' | 'loss' | 'height' | 'ratio', number>>,
  ): 'down' | 'stays' | null {
    if (height >= rise.peak) {
      rise.peak = height;
      rise.peakLoss = loss;
      rise.peakStep = step;
      rise.peakRatio = Number.isNaN(ratio) ? null : ratio;
    }
    // Half of the rise of the loss itself, not of its logarithm.
    const half = rise.base + log((1 + exp(rise.peak - rise.base)) / 2);
    if (height <= half) return 'down';
    rise.end = step;
    rise.endRow = rows;
    const length = rows - rise.beginRow + 1;
    return length > LEVEL_ROWS && LONGER * length > rows ? 'stays' : null;
  }

  /** The level behind the last height. */
  function followed(level: number): number {
    const median = heights.median();
    return median > level ? Math.min(median, level + heights.scale() / NOISE_WINDOW) : median;
  }

  /** Whether a height is a rise: noise is looked at only where it may be one. */
  function isOver(height: number): boolean {
    if (!(height > running.level + SPIKE_RISE)) return false;
    return height > running.level + Math.max(SPIKE_RISE, SPIKE_NOISE * heights.scale());
  }

  /**
   * Takes a rise that is over as ringing of the burst before, or as a burst of its own; the spike
   * before is then over.
   */
  function join(rise: Rise): Spike | null {
    if (burst && rise.peak <= burst.peak) {
      burst.end = rise.end;
      burst.endRow = rise.endRow;
      return null;
    }
    const before = burst && spikeOf(burst);
    burst = rise;
    return before;
  }

  return {
    next(step, loss, ratio) {
      if (!(loss > floor) || loss === Number.POSITIVE_INFINITY) return null;
      if (rows === 0) floor = ROUNDING * loss;
      rows++;
      const height = log(loss);
      heights.push(height);
      if (!climbing && isOver(height))
        climbing = {
          begin: step,
          beginRow: rows,
          base: running.level,
          peak: height,
          peakLoss: loss,
          peakStep: step,
          peakRatio: null,
          end: step,
          endRow: rows,
        };
      if (climbing) {
        const end = climb(climbing, { step, loss, height, ratio });
        if (!end) return null;
        const rise = climbing;
        climbing = null;
        running.level = heights.median();
        return end === 'down' ? join(rise) : null;
      }
      if (rows < LEVEL_ROWS) return null;
      running.level = followed(running.level);
      if (!burst || rows - burst.endRow <= burst.endRow - burst.beginRow + 1) return null;
      const spike = spikeOf(burst);
      burst = null;
      return spike;
    },
    nextQuiet(losses, from, to) {
      if (climbing || burst || rows + 1 < LEVEL_ROWS) return from;
      let { level } = running;
      let at = from;
      for (; at < to; at++) {
        const loss = losses[at]!;
        const height = loss > floor && loss < Number.POSITIVE_INFINITY ? log(loss) : Number.NaN;
        if (Number.isNaN(height) || height > level + SPIKE_RISE) break;
        heights.push(height);
        level = followed(level);
      }
      running.level = level;
      rows += at - from;
      return at;
    },
    finish() {
      const spike = burst && spikeOf(burst);
      burst = null;
      return spike;
    },
    state: () => ({
      ...heights.state(),
      floor,
      level: Number.isNaN(running.level) ? null : running.level,
      rows,
      climbing: climbing && { ...climbing },
      burst: burst && { ...burst },
    }),
  };
}

function spikeOf({ begin, base, peak, peakLoss, peakStep, peakRatio, end }: Rise): Spike {
  return {
    begin,
    step: peakStep,
    end,
    loss: peakLoss,
    rise: exp(peak - base),
    sharpness_ratio: peakRatio,
  };
}

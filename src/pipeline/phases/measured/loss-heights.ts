import { LEVEL_ROWS, NOISE_WINDOW } from './constants.ts';
import { createNoiseScale, type NoiseState } from './noise-scale.ts';
import { createRunningMedian } from './running-median.ts';

/** What has to be kept to go on; JSON can hold it. */
export interface HeightsState {
  readonly noise: NoiseState;
  /** The last heights, oldest first. */
  readonly recent: readonly number[];
}

/** The last logarithms of a loss. Most rows ask for no noise, and it is worked out for none. */
export interface LossHeights {
  push(height: number): void;
  /** Median of the last nine. */
  median(): number;
  /** Standard deviation of the noise on the last one. */
  scale(): number;
  state(): HeightsState;
}

/** Heights that the noise of a row depends on. */
const NOISE_ROWS = NOISE_WINDOW + 2;
/** A power of two that has room for them. */
const RING = 128;
const MIDDLE = LEVEL_ROWS >> 1;

export function createLossHeights(saved?: HeightsState): LossHeights {
  const noise = createNoiseScale(0, saved?.noise);
  const recent = createRunningMedian(LEVEL_ROWS, saved?.recent);
  const ring = new Float64Array(RING);
  // Heights so far, how many of them the median and the noise have seen, and how many rows the
  // last one ends in which none rose.
  const now = { count: 0, inMedian: 0, inNoise: 0, falls: 0, scale: 0 };

  const at = (i: number) => ring[i & (RING - 1)]!;

  function median(): number {
    const { count, falls } = now;
    // Where none rises they are sorted.
    if (falls >= LEVEL_ROWS - 1) return at(count - 1 - MIDDLE);
    for (let i = Math.max(now.inMedian, count - LEVEL_ROWS); i < count; i++) recent.next(at(i));
    now.inMedian = count;
    return recent.median();
  }

  function scale(): number {
    const { count } = now;
    // What was left out is older than all that the median of differences holds in the end.
    for (let i = Math.max(now.inNoise, count - NOISE_ROWS); i < count; i++)
      now.scale = noise.next(at(i));
    now.inNoise = count;
    return now.scale;
  }

  return {
    push(height) {
      now.falls = now.count > 0 && height <= at(now.count - 1) ? now.falls + 1 : 0;
      ring[now.count++ & (RING - 1)] = height;
    },
    median,
    scale,
    state() {
      scale();
      now.falls = 0;
      median();
      return { noise: noise.state(), recent: recent.values() };
    },
  };
}

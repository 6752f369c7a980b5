import { NOISE, STILL } from './constants.ts';

/** Everything that a motion keeps; JSON can hold it. */
export interface MotionState {
  readonly cycle: number;
  readonly above: boolean;
  readonly rising: boolean;
  readonly turn: number;
  readonly recent: readonly number[];
  readonly median: number | null;
}

/** Which way the sharpness goes, and how often it has crossed the threshold upward. */
export interface EdgeMotion {
  /**
   * @param x logarithm of sharpness over threshold
   * @param noise its standard deviation
   */
  next(x: number, noise: number): void;
  rising(): boolean;
  cycle(): number;
  state(): MotionState;
}

/**
 * Hysteresis on the mean of two neighbouring medians of three: an outlier is no motion, nor an
 * oscillation of period two.
 */
export function createEdgeMotion(saved?: MotionState): EdgeMotion {
  const now = {
    cycle: saved?.cycle ?? 0,
    above: saved?.above ?? false,
    rising: saved?.rising ?? true,
    turn: saved?.turn ?? Number.NEGATIVE_INFINITY,
    median: saved?.median ?? Number.NaN,
  };
  const recent = Float64Array.from({ length: 3 }, (_, i) => saved?.recent[i] ?? Number.NaN);
  let count = saved?.recent.length ?? 0;

  return {
    next(x, noise) {
      if (count === 3) recent.copyWithin(0, 1);
      else count++;
      recent[count - 1] = x;
      const a = recent[0]!;
      const b = recent[1]!;
      const c = recent[2]!;
      // The median of three, which is asked for in every row.
      const middle = count < 3 ? x : Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
      const level = (middle + (Number.isNaN(now.median) ? middle : now.median)) / 2;
      now.median = middle;
      if (level > NOISE * noise && !now.above) {
        now.above = true;
        now.cycle++;
      } else if (level < -NOISE * noise) {
        now.above = false;
      }
      if (now.rising ? level > now.turn : level < now.turn) now.turn = level;
      else if (Math.abs(level - now.turn) > Math.max(STILL, NOISE * noise)) {
        now.rising = !now.rising;
        now.turn = level;
      }
    },
    rising: () => now.rising,
    cycle: () => now.cycle,
    state: () => ({
      ...now,
      recent: [...recent.subarray(0, count)],
      median: Number.isNaN(now.median) ? null : now.median,
    }),
  };
}

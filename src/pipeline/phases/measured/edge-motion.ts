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
  readonly rising: boolean;
  readonly cycle: number;
  state(): MotionState;
}

/**
 * Hysteresis on the mean of two neighbouring medians of three: an outlier is no motion, nor an oscillation of period two.
 */
export function createEdgeMotion(saved?: MotionState): EdgeMotion {
  let { cycle, above, rising, turn } = saved ?? {
    cycle: 0,
    above: false,
    rising: true,
    turn: Number.NEGATIVE_INFINITY,
  };
  const recent = [...(saved?.recent ?? [])];
  let before = saved?.median ?? null;

  return {
    next(x, noise) {
      recent.push(x);
      if (recent.length > 3) recent.shift();
      const [a, b] = [recent[0]!, recent[1]!];
      // The median of three, which is asked for in every row.
      const middle =
        recent.length < 3 ? x : Math.max(Math.min(a, b), Math.min(Math.max(a, b), recent[2]!));
      const level = (middle + (before ?? middle)) / 2;
      before = middle;
      if (level > NOISE * noise && !above) {
        above = true;
        cycle++;
      } else if (level < -NOISE * noise) {
        above = false;
      }
      if (rising ? level > turn : level < turn) turn = level;
      else if (Math.abs(level - turn) > Math.max(STILL, NOISE * noise)) {
        rising = !rising;
        turn = level;
      }
    },
    get rising() {
      return rising;
    },
    get cycle() {
      return cycle;
    },
    state: () => ({ cycle, above, rising, turn, recent: [...recent], median: before }),
  };
}

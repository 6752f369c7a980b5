import type { Stability } from '../../core/run.ts';
import { count, plainNumber } from '../../format.ts';

/** Share of a threshold by which that of a log may be another before it is told. */
const OFF = 0.01;

/** Holds the threshold that a log tells of its rows against the one that is compared with. */
export interface ThresholdCheck {
  look(
    told: ArrayLike<number>,
    etas: ArrayLike<number>,
    steps: ArrayLike<number>,
    length: number,
    stability: Stability,
  ): void;
  /** What is to be said of it: nothing, or one line. */
  doubts(column: string | undefined, config: { readonly threshold: string }): readonly string[];
}

export function createThresholdCheck(): ThresholdCheck {
  let rows = 0;
  let others = 0;
  let first = { step: 0, told: 0, ours: 0 };

  return {
    look(told, etas, steps, length, stability) {
      for (let i = 0; i < length; i++) {
        const value = told[i]!;
        if (!(value > 0 && value < Number.POSITIVE_INFINITY)) continue;
        const ours = stability.threshold(etas[i]!);
        if (!(ours < Number.POSITIVE_INFINITY)) continue;
        rows++;
        if (Math.abs(value - ours) <= OFF * Math.abs(ours)) continue;
        if (others === 0) first = { step: steps[i]!, told: value, ours };
        others++;
      }
    },
    doubts(column, { threshold }) {
      // A few rows may stand where the learning rate changes.
      if (column === undefined || others <= rows / 2) return [];
      const { step, told, ours } = first;
      return [
        `${column} is ${plainNumber(told)} at step ${count(step)}, and ${threshold} is ` +
          `${plainNumber(ours)}: the sharpness is compared with ${threshold}; say by ` +
          '--optimizer, --momentum or --threshold what the log means',
      ];
    },
  };
}

import { createEvidence } from './evidence.ts';

/** Reversals of the sharpness below this, and below so many deviations of noise, do not change the direction. */
const LEAST_SWING = 0.005;
const SWING_NOISE = 4;
/** What lies less than so many deviations beyond the threshold counts against a crossing. */
const REFERENCE = 0.5;

/** Which way the sharpness goes, and how often it has crossed the threshold upward. */
export interface EdgeMotion {
  /** @param ratio mean of the last two ratios: an oscillation of period two is no motion */
  next(step: number, ratio: number, noise: number): void;
  /** Starts over: at this ratio, going up or down, with a crossing or without. */
  restart(ratio: number, rising: boolean, crossed: boolean): void;
  readonly rising: boolean;
  readonly cycle: number;
}

/** @param enough deviations that must add up to a crossing */
export function createEdgeMotion(enough: number): EdgeMotion {
  const crossing = createEvidence(enough);
  let cycle = 0;
  let above = false;
  let rising = true;
  let turn = 0;

  return {
    next(step, ratio, noise) {
      const distance = (ratio - 1) / noise;
      if (crossing.next((above ? -distance : distance) - REFERENCE, step)) {
        above = !above;
        if (above) cycle++;
        crossing.reset();
      }
      if (rising ? ratio > turn : ratio < turn) turn = ratio;
      else if (Math.abs(ratio - turn) > Math.max(LEAST_SWING, SWING_NOISE * noise)) {
        rising = !rising;
        turn = ratio;
      }
    },
    restart(ratio, upward, crossed) {
      turn = ratio;
      rising = upward;
      if (!crossed) return;
      above = true;
      cycle = Math.max(1, cycle);
      crossing.reset();
    },
    get rising() {
      return rising;
    },
    get cycle() {
      return cycle;
    },
  };
}

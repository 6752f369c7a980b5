import { log } from './elementary.ts';
import { exp } from './exponential.ts';

/** y' = f(y): fills `into` with f(y). */
export type Derivative = (y: Float64Array, into: Float64Array) => void;

export interface Integrator {
  /** Moves y on by exactly that time. */
  advance(duration: number): void;
}

/**
 * Integrates y' = f(y), in place, by the explicit pair of orders 3 and 2 of Bogacki and Shampine
 * (Appl. Math. Lett. 2, 1989, 321): of such pairs it goes furthest a derivative where the step is
 * bounded by stability, as it is at the edge. A step is taken where the two orders agree in each
 * number yᵢ to tolerance · (1 + |yᵢ|).
 *
 * @param settle puts y right after each step, where it must stay on something
 */
export function createIntegrator(
  derivative: Derivative,
  y: Float64Array,
  tolerance: number,
  settle: (y: Float64Array) => void = () => {},
): Integrator {
  const [k1, k2, k3, k4, next] = Array.from({ length: 5 }, () => new Float64Array(y.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let usual = Number.POSITIVE_INFINITY;
  /** Whether the last step was taken across a kink. */
  let rough = false;

  /** Tries a step; the error that it would make, in units of the tolerance. */
  function attempt(h: number): number {
    for (let i = 0; i < y.length; i++) next[i] = y[i]! + 0.5 * h * k1[i]!;
    derivative(next, k2);
    for (let i = 0; i < y.length; i++) next[i] = y[i]! + 0.75 * h * k2[i]!;
    derivative(next, k3);
    for (let i = 0; i < y.length; i++)
      next[i] = y[i]! + (h * (2 * k1[i]! + 3 * k2[i]! + 4 * k3[i]!)) / 9;
    derivative(next, k4);
    let worst = 0;
    for (let i = 0; i < y.length; i++) {
      const slope = (-5 * k1[i]! + 6 * k2[i]! + 8 * k3[i]! - 9 * k4[i]!) / 72;
      const error = Math.abs(h * slope) / (tolerance * (1 + Math.abs(y[i]!)));
      worst = Math.max(worst, error);
    }
    return Number.isNaN(worst) ? Number.POSITIVE_INFINITY : worst;
  }

  return {
    advance(duration) {
      const shortest = SHORTEST * duration;
      const short = KINK * duration;
      let left = duration;
      /** What was tried from here before. */
      let tried = NOTHING;
      derivative(y, k1);
      while (left > 0) {
        const cut = usual > left;
        const h = Math.min(Math.max(usual, rough ? short : shortest), left);
        const error = attempt(h);
        // Where f is smooth an error falls with the cube of the step, at a kink as the step itself.
        const shorter = h / tried.h;
        rough =
          error > 1 &&
          error < BOUND &&
          h <= short &&
          (rough || error / tried.error > shorter * Math.sqrt(shorter));
        if (error === Number.POSITIVE_INFINITY && h <= shortest) {
          y.fill(Number.NaN);
          return;
        }
        // Three orders: the step that would have met the tolerance, with some room.
        const factor = error === 0 ? 5 : 0.9 * exp(-log(error) / 3);
        const better = h * Math.min(5, Math.max(0.2, factor));
        if (error <= 1 || rough || h <= shortest) {
          y.set(next);
          settle(y);
          tried = NOTHING;
          left = h === left ? 0 : left - h;
          if (left > 0) derivative(y, k1);
          // A step cut short by the end says nothing of the steps to come.
          if (!cut || better < usual) usual = better;
        } else {
          tried = { h, error };
          usual = better;
        }
      }
    },
  };
}

/**
 * Such a share of the time asked for is taken in one step whatever its error, so that nothing goes
 * on for ever.
 */
const SHORTEST = 1e-4;
/**
 * Where f jumps, as the gradient does at the kink of a ReLU, y may stay on the jump, and no step is
 * short enough: such a share of the time is, as long as its error is under so many tolerances.
 */
const KINK = 1e-2;
const BOUND = 1e4;
/** No step was tried: none tells of a kink. */
const NOTHING = { h: Number.POSITIVE_INFINITY, error: Number.POSITIVE_INFINITY };

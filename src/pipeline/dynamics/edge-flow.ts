import { log } from '../numeric/elementary.ts';
import { exp } from '../numeric/exponential.ts';
import { createIntegrator } from '../numeric/runge-kutta.ts';
import { norm } from '../numeric/vectors.ts';

/** Where Edge Flow starts: a point, the direction of its oscillation, and the size of that. */
export interface EdgeStart {
  readonly center: Float64Array;
  readonly direction: Float64Array;
  readonly logMagnitude: number;
  /** ln of the smallest magnitude that there is; −Infinity for none. */
  readonly leastLogMagnitude: number;
  readonly tolerance: number;
}

/** A point that oscillates, with its oscillation averaged out. */
export interface EdgeFlow {
  readonly center: Float64Array;
  /** A unit vector. */
  readonly direction: Float64Array;
  /** ln of the magnitude, which may underflow. */
  logMagnitude(): number;
  /** Moves on by one step of gradient descent, which is the time η. */
  advance(eta: number): void;
}

/** Differences of gradients are taken over at least this share of the size of θ. */
const NEAR = 1e-5;
/** What is left of x after a step at least; at ηS = 1 gradient descent would leave nothing. */
const LEAST_FACTOR = 0.25;

/**
 * Edge Flow (Marion, arXiv:2606.18080): gradient descent at the edge of stability as a center w
 * that moves, a unit direction u in which it swings, and a magnitude x. The center follows gradient
 * flow of the symmetrized loss, the direction the flow of the Rayleigh quotient, and the magnitude
 * grows or falls exponentially as the sharpness S = uᵀHu is over or under 2/η:
 *
 *     w' = −½(∇L(w + xu) + ∇L(w − xu)),   u' = Hu − Su,   (ln x)' = ln|1 − ηS| / η.
 *
 * Ours are: Hu, the difference of these two gradients over 2x, so that a stage takes two gradients
 * and no more; the exponent, which is S − 2/η to the first order at 2/η and farther off the factor
 * of gradient descent itself, never under ¼ a step; a least magnitude; and the integrator, with
 * error control. One step of Euler's method of length η would be gradient descent again.
 */
export function createEdgeFlow(
  gradient: (theta: Float64Array, into: Float64Array) => void,
  start: EdgeStart,
): EdgeFlow {
  const size = start.center.length;
  const state = new Float64Array(2 * size + 1);
  state.set(start.center);
  state.set(start.direction, size);
  state[2 * size] = start.logMagnitude;
  settle(state);
  const [point, above, below] = Array.from({ length: 3 }, () => new Float64Array(size)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let eta = 0;

  /** The gradient on one side of the center. */
  function side(y: Float64Array, distance: number, into: Float64Array): void {
    for (let i = 0; i < size; i++) point[i] = y[i]! + distance * y[size + i]!;
    gradient(point, into);
  }

  function derivative(y: Float64Array, into: Float64Array): void {
    const reach = Math.max(exp(y[2 * size]!), NEAR * norm(y.subarray(0, size)));
    side(y, reach, above);
    side(y, -reach, below);
    let sharpness = 0;
    let square = 0;
    for (let i = 0; i < size; i++) {
      const u = y[size + i]!;
      into[i] = -0.5 * (above[i]! + below[i]!);
      const product = (above[i]! - below[i]!) / (2 * reach);
      into[size + i] = product;
      sharpness += u * product;
      square += u * u;
    }
    sharpness /= square;
    for (let i = 0; i < size; i++) into[size + i]! -= sharpness * y[size + i]!;
    const factor = Math.max(LEAST_FACTOR, Math.abs(1 - eta * sharpness));
    // A direction of negative curvature is no oscillation: there it is the center that moves.
    into[2 * size] = sharpness > 0 ? log(factor) / eta : 0;
  }

  function settle(y: Float64Array): void {
    const direction = y.subarray(size, 2 * size);
    const length = norm(direction);
    for (let i = 0; i < size; i++) direction[i]! /= length;
    y[2 * size] = Math.max(y[2 * size]!, start.leastLogMagnitude);
  }

  const integrator = createIntegrator(derivative, state, start.tolerance, settle);
  return {
    center: state.subarray(0, size),
    direction: state.subarray(size, 2 * size),
    logMagnitude: () => state[2 * size]!,
    advance(step) {
      eta = step;
      integrator.advance(step);
    },
  };
}

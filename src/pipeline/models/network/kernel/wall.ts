import { combination, dots } from './matrix';
import { BASIS, explore, HV, isPair, ritzInto, size, stride } from './tracker';

/** Products with the Hessian at a wall. */
const PRODUCTS = 24;
/** Residual that an eigenpair there may have, as a share of its value. */
const CLOSE = 0.05;
/** Directions at a wall at most; there is room for as many others. */
const MOST = BASIS / 2;
/** Directions are one where the square of the sine between them is under this. */
const APART = 1e-6;

/** Orthonormal directions, in the place of HV; room for a product with each. */
let count: i32 = 0;
const parts = new StaticArray<f64>(BASIS + 1);

/**
 * Finds the directions that have a part of a step and whose eigenvalues are over `least` at θ,
 * where the gradient was just computed.
 *
 * @returns whether there are any
 */
export function findWall(theta: usize, step: usize, least: f64): bool {
  explore(theta, step, PRODUCTS);
  count = 0;
  for (let rank = 0; rank < PRODUCTS && count < MOST; rank++) {
    if (!isPair(rank, CLOSE, least)) continue;
    ritzInto(rank, HV + <usize>count * stride);
    count++;
  }
  return count > 0;
}

/** A unit vector joins them, where anything of it is outside of their span. */
export function joinWall(direction: usize): void {
  const into = HV + <usize>count * stride;
  memory.copy(into, direction, (<usize>size) << 3);
  const room = changetype<usize>(parts);
  let square = 1.0;
  for (let pass = 0; pass < 2; pass++) {
    dots(HV, stride, count, into, room, size);
    for (let j = 0; j < count; j++) unchecked((parts[j] = -parts[j]));
    square = combination(1, into, HV, stride, count, room, into, size);
    if (!(square > APART)) return;
  }
  combination(1 / Math.sqrt(square), into, HV, stride, 0, room, into, size);
  count++;
}

/** The part of v in their span. */
export function projectOntoWall(v: usize, into: usize): void {
  const room = changetype<usize>(parts);
  dots(HV, stride, count, v, room, size);
  combination(0, v, HV, stride, count, room, into, size);
}

import { addCombination, addScaled, dot, dots, multiply } from './matrix';
import { allocate, gradientAt } from './network';
import {
  entryOf,
  known,
  latest,
  BASIS as MOST,
  m,
  older,
  order,
  results,
  size,
  stride,
  T,
  V,
  wanted,
  Z,
} from './tracker';

/** A direction of the measurement before is the same one where its part along it is over this. */
const SAME = 0.5;
/** What of a direction may be outside of the basis, as a share of its square. */
const OUTSIDE = 1e-6;
/** Steps of the fixed point that finds both angles of a swing. */
const PASSES = 12;
/** Directions nearer to each other than this are one. */
const APART = 1e-6;

/** u·g and λ of each direction at the last measurement. */
export let swings: usize = 0;
let before: usize = 0;
/** Coordinates in the basis: of g, and of each direction. */
let along: usize = 0;
let directions: usize = 0;
let other: usize = 0;
let scaled: usize = 0;
let middle: usize = 0;
let slope: usize = 0;
let part: usize = 0;
const matrix = new StaticArray<f64>(MOST * MOST);
const right = new StaticArray<f64>(MOST);

/** Room for the energy of the directions that the tracker follows. */
export function buildEdge(): void {
  swings = allocate(2 * wanted);
  before = allocate(2 * wanted);
  along = allocate(MOST + 1);
  other = allocate(MOST + 1);
  directions = allocate(wanted * MOST);
  scaled = allocate(size);
  middle = allocate(size);
  slope = allocate(size);
  part = allocate(size);
}

function at(array: usize, index: i32): usize {
  return array + ((<usize>index) << 3);
}

/**
 * Energy of the oscillation in the first `count` directions of the last measurement, ½ bᵀA⁻¹b with
 * b = ŪᵀP^(−1/2)g and A the operator in their span. θ swings about where the oscillation would
 * rest, and u turns with it, by as much to the one side as to the other: ū, the direction at rest,
 * lies between u and that of the measurement before, by their angles from it.
 */
export function edgeEnergy(gradient: usize, metric: usize, count: i32): f64 {
  let g = gradient;
  if (metric) {
    multiply(metric, gradient, scaled, size);
    g = scaled;
  }
  memory.copy(before, swings, (<usize>wanted) << 4);
  for (let i = 0; i < wanted; i++) {
    store<f64>(at(swings, 2 * i), dot(latest + <usize>i * stride, g, size));
    store<f64>(at(swings, 2 * i + 1), load<f64>(at(results, i)));
  }
  if (count == 0) return 0;
  dots(V, stride, m, g, along, size);
  for (let i = 0; i < count; i++) atRest(i);
  return quadratic(count);
}

/** Coordinates of the direction at rest into its row of `directions`. */
function atRest(rank: i32): void {
  const row = at(directions, rank * MOST);
  for (let j = 0; j < m; j++) store<f64>(at(row, j), load<f64>(entryOf(Z, j, order[rank])));
  if (known < 2) return;
  const u = latest + <usize>rank * stride;
  let same = 0;
  let overlap = 0.0;
  for (let i = 0; i < wanted; i++) {
    const share = dot(older + <usize>i * stride, u, size);
    if (Math.abs(share) <= Math.abs(overlap)) continue;
    overlap = share;
    same = i;
  }
  const side = overlap < 0 ? -1.0 : 1.0;
  const here = load<f64>(at(swings, 2 * rank));
  const there = side * load<f64>(at(before, 2 * same));
  if (Math.abs(overlap) < SAME || !(here * there < 0)) return;
  dots(V, stride, m, older + <usize>same * stride, other, size);
  if (dot(other, other, m) < 1 - OUTSIDE) return;
  const turn = turnOf(
    swingOf(here, load<f64>(at(swings, 2 * rank + 1))),
    swingOf(there, load<f64>(at(before, 2 * same + 1))),
    Math.abs(overlap),
  );
  for (let j = 0; j < m; j++)
    store<f64>(
      at(row, j),
      (1 - turn) * load<f64>(at(row, j)) + turn * side * load<f64>(at(other, j)),
    );
}

/** Twice the energy of a swing by its u·g, over the square of its curvature: the root of that. */
function swingOf(along: f64, lambda: f64): f64 {
  return Math.abs(along) / (lambda * Math.sqrt(lambda));
}

/**
 * Weight of the direction before, of two swings to the two sides whose directions have this cosine:
 * the sines of both angles from the direction at rest, which they add up to, stand as the swings do
 * but for `turnPerSwing`.
 */
function turnOf(here: f64, there: f64, cosine: f64): f64 {
  const sine = Math.sqrt((1 - cosine) * (1 + cosine));
  let a = here;
  let b = there;
  for (let pass = 0; pass < PASSES; pass++) {
    const ahead = turnPerSwing((a * sine) / (b + a * cosine));
    const behind = turnPerSwing((b * sine) / (a + b * cosine));
    a = here * ahead;
    b = there * behind;
  }
  return a / (a + b);
}

/**
 * sin ψ over the swing that turns u by ψ, from tan ψ, where the curvature is the square of another
 * parameter, as it is in products of layers: of x²y²/2 at y = 1 the Hessian is [[1, 2x], [2x, x²]].
 */
function turnPerSwing(tangent: f64): f64 {
  const square = tangent * tangent;
  const rest = 1 - square;
  const x = tangent / (rest + Math.sqrt(rest * rest + square));
  const cosine = 1 / Math.sqrt(1 + square);
  const sine = tangent * cosine;
  const gradient = x * (cosine + x * sine);
  const curvature = cosine * cosine + 4 * x * sine * cosine + x * x * sine * sine;
  return gradient > 0 ? sine / swingOf(gradient, curvature) : 2;
}

/** ½ bᵀA⁻¹b in the span of the first `count` directions, by Cholesky's elimination. */
function quadratic(count: i32): f64 {
  for (let i = 0; i < count; i++) {
    const y = at(directions, i * MOST);
    matrixTimes(y, other);
    for (let j = 0; j <= i; j++)
      unchecked((matrix[i * MOST + j] = dot(other, at(directions, j * MOST), m)));
    unchecked((right[i] = dot(y, along, m)));
  }
  let energy = 0.0;
  for (let k = 0; k < count; k++) {
    const pivot = unchecked(matrix[k * MOST + k]);
    const b = unchecked(right[k]);
    energy += (0.5 * b * b) / pivot;
    for (let i = k + 1; i < count; i++) {
      const factor = unchecked(matrix[i * MOST + k]) / pivot;
      unchecked((right[i] -= factor * b));
      for (let j = k + 1; j <= i; j++)
        unchecked((matrix[i * MOST + j] -= factor * unchecked(matrix[j * MOST + k])));
    }
  }
  return energy;
}

/** into = T y */
function matrixTimes(y: usize, into: usize): void {
  for (let i = 0; i < m; i++) store<f64>(at(into, i), dot(entryOf(T, i, 0), y, m));
}

/**
 * Work of a step along directions at the edge: ∫ ∇L·δ over the step from θ₋ to θ, δ its part in the
 * span of the first `ends` directions of the last measurement and the first `begins` of the one
 * before, by Simpson's rule. All of the step would be all of the change of the loss. The next
 * products with the Hessian are at another θ.
 */
export function edgeWork(
  theta: usize,
  gradient: usize,
  thetaBefore: usize,
  gradientBefore: usize,
  metric: usize,
  begins: i32,
  ends: i32,
): f64 {
  const bytes: usize = (<usize>size) << 3;
  memory.copy(scaled, theta, bytes);
  addScaled(-1, thetaBefore, scaled, size);
  memory.copy(middle, thetaBefore, bytes);
  addScaled(0.5, scaled, middle, size);
  if (metric) divide(scaled, metric);
  let found = 0;
  for (let i = 0; i < ends; i++) if (joins(latest, i, found)) found++;
  for (let i = 0; i < begins; i++) if (joins(older, i, found)) found++;
  dots(V, stride, found, scaled, along, size);
  memory.fill(part, 0, bytes);
  addCombination(V, stride, found, along, part, size);
  if (metric) multiply(metric, part, part, size);
  gradientAt(middle, slope);
  const sides = dot(part, gradientBefore, size) + dot(part, gradient, size);
  return (sides + 4 * dot(part, slope, size)) / 6;
}

/** Puts a direction at V[found], if it is not within the span of those before. */
function joins(vectors: usize, rank: i32, found: i32): bool {
  const v = V + <usize>found * stride;
  memory.copy(v, vectors + <usize>rank * stride, (<usize>size) << 3);
  for (let pass = 0; pass < 2; pass++) {
    for (let j = 0; j < found; j++) {
      const w = V + <usize>j * stride;
      addScaled(-dot(w, v, size), w, v, size);
    }
  }
  const norm = Math.sqrt(dot(v, v, size));
  if (norm < APART) return false;
  addScaled(1 / norm - 1, v, v, size);
  return true;
}

/** a = a ÷ b, entry by entry. */
function divide(a: usize, b: usize): void {
  const end: usize = (<usize>size) << 3;
  for (let i: usize = 0; i < end; i += 8) store<f64>(a + i, load<f64>(a + i) / load<f64>(b + i));
}

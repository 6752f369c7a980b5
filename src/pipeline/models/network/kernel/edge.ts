import { eliminate, substitute } from './eigen';
import { addScaled, combination, dot, dots, multiply } from './matrix';
import { allocate, gradientAt } from './network';
import {
  entryOf,
  extendBy,
  HV,
  known,
  BASIS as MOST,
  m,
  order,
  past,
  results,
  size,
  stride,
  T,
  turns,
  V,
  wanted,
  Z,
} from './tracker';
import { findWall, joinWall, projectOntoWall } from './wall';

/** A direction of the measurement before is the same one where its part along it is over this. */
const SAME = 0.5;
/**
 * What of a direction may be outside of the basis, as a share of its square: of its curvature, only
 * what that part has with itself is left out. It enters with the square of its weight, some ¼, and
 * by a curvature that is no larger than the last one followed; a product would find it.
 */
const OUTSIDE = 0.01;
/** Steps of the fixed point that finds both angles of a swing. */
const PASSES = 12;
/** Directions are one where the square of the sine between them is under this. */
const APART = 1e-9;
/** How far an integral over a step may be from the change of the loss, as a share of that … */
const AMISS = 0.03;
/** … and the intervals, with a point in the middle of each, that it is given up at. */
const MOST_INTERVALS = 16;
/**
 * ∇L·δ of the rest of a step is taken for a straight line where at its ends it is no more than this
 * share of the change of the loss: what that leaves is as near to the work as Simpson's rule is.
 */
const LITTLE = 0.1;
/** Share of a rise at which nothing more is looked for. */
const EXPLAINED = 0.9;
/** Curvature of a wall along the step, over the least at the edge. */
const WALL = 2;

/** u·g and λ of each direction at the last measurement. */
export let swings: usize = 0;
let before: usize = 0;
/** Products of g with the directions of the measurement before. */
let along: usize = 0;
/** Coordinates of each direction in the basis, and products of the part outside of it with HV. */
let directions: usize = 0;
let outside: usize = 0;
let other: usize = 0;
/** Vectors in the basis when the directions were found. */
let found: i32 = 0;
let scaled: usize = 0;
let middle: usize = 0;
let slope: usize = 0;
let step: usize = 0;
let part: usize = 0;
/** ∇L·δ of all of the step, at the points of the last integral and their number less one. */
const slopes = new StaticArray<f64>(2 * MOST_INTERVALS + 1);
let pieces: i32 = 0;
const matrix = new StaticArray<f64>(MOST * MOST);
const right = new StaticArray<f64>(MOST);

/** Room for the energy of the directions that the tracker follows. */
export function buildEdge(): void {
  swings = allocate(2 * wanted);
  before = allocate(2 * wanted);
  along = allocate(MOST + 1);
  other = allocate(MOST + 1);
  directions = allocate(wanted * MOST);
  outside = allocate(wanted * MOST);
  scaled = allocate(size);
  middle = allocate(size);
  slope = allocate(size);
  part = allocate(size);
  step = allocate(size);
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
    store<f64>(at(swings, 2 * i), dot(past[0] + <usize>i * stride, g, size));
    store<f64>(at(swings, 2 * i + 1), load<f64>(at(results, i)));
  }
  if (known > 1) dots(past[1], stride, wanted, g, along, size);
  if (count == 0) return 0;
  found = m;
  for (let i = 0; i < count; i++) atRest(i);
  return quadratic(count);
}

/** The direction at rest into its rows of `directions` and `outside`, and its part of g. */
function atRest(rank: i32): void {
  const row = at(directions, rank * MOST);
  const beyond = at(outside, rank * MOST);
  memory.fill(row, 0, MOST << 3);
  memory.fill(beyond, 0, MOST << 3);
  memory.copy(row, entryOf(Z, order[rank], 0), (<usize>found) << 3);
  const here = load<f64>(at(swings, 2 * rank));
  unchecked((right[rank] = here));
  // A full basis tells of a spectrum that has turned too far within a step.
  if (known < 2 || m == MOST) return;
  let same = 0;
  let overlap = 0.0;
  for (let i = 0; i < wanted; i++) {
    const share = load<f64>(entryOf(turns[0], rank, i));
    if (Math.abs(share) <= Math.abs(overlap)) continue;
    overlap = share;
    same = i;
  }
  const side = overlap < 0 ? -1.0 : 1.0;
  const there = side * load<f64>(at(before, 2 * same));
  if (Math.abs(overlap) < SAME || !(here * there < 0)) return;
  const u = past[1] + <usize>same * stride;
  dots(V, stride, m, u, other, size);
  if (dot(other, other, m) < 1 - OUTSIDE) {
    if (!extendBy(u)) return;
    dots(V, stride, m, u, other, size);
  }
  const turn = turnOf(
    swingOf(here, load<f64>(at(swings, 2 * rank + 1))),
    swingOf(there, load<f64>(at(before, 2 * same + 1))),
    Math.abs(overlap),
  );
  const weight = turn * side;
  dots(HV, stride, m, u, beyond, size);
  for (let j = 0; j < m; j++) {
    const c = load<f64>(at(other, j));
    store<f64>(at(row, j), (1 - turn) * load<f64>(at(row, j)) + weight * c);
    const hidden = load<f64>(at(beyond, j)) - dot(entryOf(T, j, 0), other, m);
    store<f64>(at(beyond, j), weight * hidden);
  }
  unchecked((right[rank] = (1 - turn) * here + weight * load<f64>(at(along, same))));
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

/** ½ bᵀA⁻¹b in the span of the first `count` directions. */
function quadratic(count: i32): f64 {
  for (let i = 0; i < count; i++) {
    const y = at(directions, i * MOST);
    const q = at(outside, i * MOST);
    matrixTimes(y, other);
    for (let j = 0; j <= i; j++) {
      const z = at(directions, j * MOST);
      const across = dot(q, z, m) + dot(y, at(outside, j * MOST), m);
      unchecked((matrix[i * MOST + j] = dot(other, z, m) + across));
    }
  }
  return 0.5 * eliminate(changetype<usize>(matrix), changetype<usize>(right), count, MOST);
}

/** into = T y */
function matrixTimes(y: usize, into: usize): void {
  for (let i = 0; i < m; i++) store<f64>(at(into, i), dot(entryOf(T, i, 0), y, m));
}

/**
 * Work of a step along directions at the edge: ∫ ∇L·δ over the step from θ₋ to θ, δ its part in the
 * span of the first `ends` directions of the last measurement and the first `begins` of the one
 * before. A rise that these leave unexplained may pass a wall that neither end sees: then those
 * directions join whose eigenvalues are over `least` where the step is most curved. The next
 * products with the Hessian are at another θ, and the basis of the tracker is gone.
 */
export function edgeWork(
  theta: usize,
  gradient: usize,
  thetaBefore: usize,
  gradientBefore: usize,
  metric: usize,
  begins: i32,
  ends: i32,
  change: f64,
  least: f64,
): f64 {
  const bytes: usize = (<usize>size) << 3;
  memory.copy(step, theta, bytes);
  addScaled(-1, thetaBefore, step, size);
  memory.copy(scaled, step, bytes);
  if (metric) divide(scaled, metric);
  findShares(begins, ends);
  // Of the step that was taken, products of the directions with gradients are known but for some.
  if (metric == 0 && least < Infinity) {
    let begin = dot(step, gradientBefore, size);
    let end = dot(step, gradient, size);
    for (let i = 0; i < ends; i++) {
      const share = load<f64>(at(other, i));
      begin -= share * dot(past[0] + <usize>i * stride, gradientBefore, size);
      end -= share * load<f64>(at(swings, 2 * i));
    }
    for (let j = 0; j < begins; j++) {
      const share = unchecked(right[j]);
      begin -= share * load<f64>(at(before, 2 * j));
      end -= share * load<f64>(at(along, j));
    }
    if (Math.abs(begin) + Math.abs(end) <= LITTLE * Math.abs(change))
      return change - 0.5 * (begin + end);
  }
  combination(0, scaled, past[0], stride, ends, other, part, size);
  combination(1, part, past[1], stride, begins, changetype<usize>(right), part, size);
  if (metric) multiply(metric, part, part, size);
  const work = workOfPart(gradient, thetaBefore, gradientBefore, change);
  if (!(least < Infinity && work < EXPLAINED * change)) return work;
  const place = mostCurved(dot(scaled, scaled, size), WALL * least);
  if (place < 0) return work;
  memory.copy(middle, thetaBefore, bytes);
  addScaled(place, step, middle, size);
  gradientAt(middle, slope);
  if (!findWall(middle, scaled, least)) return work;
  for (let i = 0; i < ends; i++) joinWall(past[0] + <usize>i * stride);
  for (let i = 0; i < begins; i++) joinWall(past[1] + <usize>i * stride);
  projectOntoWall(scaled, part);
  if (metric) multiply(metric, part, part, size);
  return workOfPart(gradient, thetaBefore, gradientBefore, change);
}

/**
 * ∫ ∇L·δ along the step. Of all of the step it is the change of the loss, which is known: points
 * are added to Simpson's rule until it finds that, as the loss is no quadratic across a wide step.
 */
function workOfPart(gradient: usize, thetaBefore: usize, gradientBefore: usize, change: f64): f64 {
  const first = dot(step, gradientBefore, size);
  const last = dot(step, gradient, size);
  // Trapezoids, of all of the step and of its part, over ever more intervals.
  let whole = 0.5 * (first + last);
  let work = 0.5 * (dot(part, gradientBefore, size) + dot(part, gradient, size));
  let integral = work;
  unchecked((slopes[0] = first));
  unchecked((slopes[2 * MOST_INTERVALS] = last));
  for (let intervals = 1; intervals <= MOST_INTERVALS; intervals *= 2) {
    let a = 0.0;
    let b = 0.0;
    pieces = 2 * intervals;
    const apart = MOST_INTERVALS / intervals;
    for (let i = 0; i < intervals; i++) {
      memory.copy(middle, thetaBefore, (<usize>size) << 3);
      addScaled((<f64>i + 0.5) / <f64>intervals, step, middle, size);
      gradientAt(middle, slope);
      const along = dot(step, slope, size);
      unchecked((slopes[(2 * i + 1) * apart] = along));
      a += along / <f64>intervals;
      b += dot(part, slope, size) / <f64>intervals;
    }
    // Simpson's rule of both: points in the middle of intervals count twice their ends.
    integral = (work + 2 * b) / 3;
    if (Math.abs((whole + 2 * a) / 3 - change) <= AMISS * Math.abs(change)) break;
    whole = 0.5 * (whole + a);
    work = 0.5 * (work + b);
  }
  return integral;
}

/**
 * Where on the step, from 0 to 1, its slope changes most; negative where that curvature is not over
 * `least`, the square of the length of the step being known.
 */
function mostCurved(square: f64, least: f64): f64 {
  const apart = (2 * MOST_INTERVALS) / pieces;
  let most = -Infinity;
  let place = 0;
  for (let i = 0; i < pieces; i++) {
    const rise = unchecked(slopes[(i + 1) * apart]) - unchecked(slopes[i * apart]);
    if (rise <= most) continue;
    most = rise;
    place = i;
  }
  if (!(most * <f64>pieces > least * square)) return -1;
  return (<f64>place + 0.5) / <f64>pieces;
}

/**
 * Coefficients of the projection of s = `scaled` onto the first `ends` directions x of the last
 * measurement (into `other`) and the first `begins` directions y of the one before (`right`). Both
 * are orthonormal sets, and T = xᵀy is known: those of y solve (1 − TᵀT) d = yᵀs − Tᵀxᵀs, those of
 * x are xᵀs − T d.
 */
function findShares(begins: i32, ends: i32): void {
  const t = turns[0];
  dots(past[0], stride, ends, scaled, other, size);
  dots(past[1], stride, begins, scaled, changetype<usize>(right), size);
  for (let j = 0; j < begins; j++) {
    for (let k = 0; k <= j; k++) {
      let left = j == k ? 1.0 : 0.0;
      for (let i = 0; i < ends; i++)
        left -= load<f64>(entryOf(t, i, j)) * load<f64>(entryOf(t, i, k));
      unchecked((matrix[j * MOST + k] = left));
    }
    for (let i = 0; i < ends; i++)
      unchecked((right[j] -= load<f64>(entryOf(t, i, j)) * load<f64>(at(other, i))));
  }
  eliminate(changetype<usize>(matrix), changetype<usize>(right), begins, MOST, APART);
  substitute(changetype<usize>(matrix), changetype<usize>(right), begins, MOST, APART);
  for (let i = 0; i < ends; i++) {
    const row = entryOf(t, i, 0);
    const taken = dot(row, changetype<usize>(right), begins);
    store<f64>(at(other, i), load<f64>(at(other, i)) - taken);
  }
}

/** a = a ÷ b, entry by entry. */
function divide(a: usize, b: usize): void {
  const end: usize = (<usize>size) << 3;
  for (let i: usize = 0; i < end; i += 8) store<f64>(a + i, load<f64>(a + i) / load<f64>(b + i));
}

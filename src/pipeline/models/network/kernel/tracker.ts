import { diagonalize, eliminate, orthonormalizer } from './eigen';
import { addScaled, blend, combination, crossings, dot, dots, multiply } from './matrix';
import { allocate, hessianTimes, parameters, roughTimes } from './network';
import { streamOf, symmetricAt } from './random';

/** Vectors in the basis at most; a full basis is restarted from its best Ritz vectors. */
export const BASIS = 32;
/** The Hessian of so many parameters is taken whole. */
const WHOLE = 16;
/** Products after which a measurement ends with the error that it has. */
const MOST_PRODUCTS = 600;
/** Residual that the other tracked pairs may keep, as a share of the largest eigenvalue. */
const OTHERS = 0.005;
/**
 * How far what is not tracked may reach over the last tracked eigenvalue, as a share of the
 * largest.
 */
const UNSEEN = 0.0003;
/** What rounding may do to an eigenvalue, as a share of the largest. */
const ROUNDING = 1e-14;
/**
 * Of what an entry of VᵀHV lacks of symmetry, what rounding may do to an eigenvalue; in single
 * precision it is 2²⁹ times as much.
 */
const NOISE = 8;
const NOISE_SINGLE = NOISE / 536870912;
/** Measurements whose Ritz vectors are kept. */
const PAST = 4;
/** A Ritz vector is refined by its residual where that is under this share of its value. */
const REFINED = 0.3;
/** Up to so many times the last tracked value the first one may be for that to be done at once. */
const SPREAD = 100;
/** Residual of a guess, as a share of the largest eigenvalue, that tells of a turning spectrum. */
const TURNED = 0.1;
/** Change of the largest eigenvalue from one measurement to the next that tells so, as a share. */
const LEAPT = 0.3;
/** So many measurements behind one that has turned are looked at in the same way. */
const RESTLESS = 4;
/** Products that are spent on the scout then. */
export const SEARCH: i32 = 8;
/** Length of the random direction that goes with the scout, whose own is 1. */
const ASTRAY = 0.3;
/** Share of the square of a vector that must be outside of those before it. */
const OUTSIDE = 0.1;
/** At every so many vectors the eigenvalues are found anew, so that rounding does not add up. */
const FRESH = 8;
/** A square of a length that rounding has spoilt. */
const LEAST = 1e-280;
/** Up to so many parameters all products are in double precision. */
const FEW = 256;
/** So is all of a search to less than this. */
const FINE = 1e-7;
/**
 * Length of the error of a product in single precision, as a share of the largest eigenvalue, that
 * bounds allow for: some twenty times what is seen. Where symmetry shows more, as where sums of
 * large residuals cancel, the product is taken in double precision.
 */
const SINGLE = 5e-6;
/** Under this, products have parts that single precision has not. */
const SMALL = 1e-15;
/** Share of the tolerance that the first eigenvalue may owe to such errors. */
const OWED = 0.25;

export let size: i32 = 0;
export let wanted: i32 = 0;
/** Vectors in the basis. */
export let m: i32 = 0;
/** Orthonormal basis V, and HV; room for one vector more each. */
export let V: usize = 0;
export let HV: usize = 0;
/** Ritz vectors of the last measurements, the latest first, and room for those of the next. */
export const past = new StaticArray<usize>(PAST + 1);
/** Room for the vectors that a restart keeps. */
let spare: usize = 0;
let scratch: usize = 0;
export let stride: usize = 0;
/** VᵀHV, (HV)ᵀHV, and the eigenvalues and vectors of the first. */
export let T: usize = 0;
let K: usize = 0;
let D: usize = 0;
export let Z: usize = 0;
/** Vectors of the basis whose matrix is diagonal in D. */
let solved: i32 = 0;
/** Room for a number of each vector of the basis. */
let row: usize = 0;
export const order = new StaticArray<i32>(BASIS);
const rest = new StaticArray<f64>(BASIS);
let limiting: i32 = 0;
let at: usize = 0;
let metric: usize = 0;
let added: f64 = 0;
/**
 * Whether products are in single precision but for that of the first vector of the basis. By the
 * symmetry of the operator its products with all others are known from that one, so that what is
 * rough enters the first eigenvalue by the square of what its vector has of the others.
 */
let rough: bool = false;
/** What rounding does to eigenvalues, by the symmetry of the products of the guesses. */
let noise: f64 = 0;

/**
 * A direction that is sent out for what is not tracked: it joins the basis at times, with some of a
 * random one, and goes on as the largest Ritz vector there that is not tracked, so that in time it
 * finds what rises from below. 0 where it begins.
 */
export let scout: usize = 0;

/** Products with the Hessian so far. */
export let products: i32 = 0;
/** Place in the stream of probes. */
export let draws: f64 = 0;
/** Measurements for which the scout is sent yet, since the spectrum has turned. */
export let unrest: i32 = 0;
/** Measurements whose Ritz vectors are there. */
export let known: i32 = 0;
/**
 * How the Ritz vectors are guessed: those of the last measurement (0), or, as θ swings to and fro
 * at the edge, of the one before it (2); by one more (1, 3) carried on as they went from the
 * measurement as far before that one.
 */
export let guess: i32 = 0;
/**
 * Products of the vectors of `past` that guesses go on from, with those they came from: of 0 with
 * 1, of 1 with 3; of 0 with 2, which will be 1 and 3; and room for two of the next measurement.
 */
export const turns = new StaticArray<usize>(5);
/** Coefficients of up to `wanted` combinations, and of others. */
let mix: usize = 0;
let mix2: usize = 0;
/** Room for a small matrix. */
let small: usize = 0;
/** Products of the new first Ritz vector with those of `past`. */
let shares: usize = 0;
let right: usize = 0;
/** Where the tracked eigenvalues are. */
export let results: usize = 0;

/** Room to track the `count` largest eigenvalues of the network that was built. */
export function buildTracker(count: i32): void {
  size = parameters;
  wanted = count < size ? count : size;
  known = 0;
  unrest = 0;
  guess = 0;
  draws = 0;
  stride = ((<usize>size + 2) << 3) & ~15;
  const room = i32(stride >> 3);
  V = allocate(room * (BASIS + 1));
  HV = allocate(room * (BASIS + 1));
  for (let i = 0; i <= PAST; i++) past[i] = allocate(room * wanted);
  for (let i = 0; i < 5; i++) turns[i] = allocate(wanted * BASIS);
  shares = allocate(PAST * BASIS);
  mix = allocate(wanted * BASIS);
  mix2 = allocate(wanted * BASIS);
  small = allocate(wanted * BASIS);
  right = allocate(wanted);
  spare = allocate(room * (BASIS / 2));
  scratch = allocate(size);
  scout = allocate(size);
  T = allocate(BASIS * BASIS);
  K = allocate(BASIS * BASIS);
  D = allocate(BASIS * BASIS);
  Z = allocate(BASIS * BASIS);
  row = allocate(BASIS + 1);
  results = allocate(count);
}

/** Where the Ritz vectors of a measurement are, of the last (0) and those before it. */
export function ritzVectors(before: i32): usize {
  return past[before];
}

/** Bytes from one Ritz vector to the next. */
export function ritzStride(): usize {
  return stride;
}

/** Goes on from Ritz vectors that were put in place. */
export function resumeTracker(measurements: i32, way: i32, place: f64, wary: i32): void {
  unrest = wary;
  known = measurements;
  guess = way;
  draws = place;
  turnsBetween(0, 1, 0);
  turnsBetween(1, 3, 1);
  turnsBetween(0, 2, 2);
}

function turnsBetween(i: i32, j: i32, into: i32): void {
  crossings(past[i], wanted, past[j], wanted, stride, turns[into], BASIS, size);
}

export function entryOf(matrix: usize, i: i32, j: i32): usize {
  return matrix + ((<usize>(i * BASIS + j)) << 3);
}

/**
 * From here on the operator is P^(−1/2) (H + shift) P^(−1/2) at θ; `diagonal` is that of P^(−1/2),
 * or 0 for P = 1.
 */
export function useOperator(theta: usize, diagonal: usize, shift: f64): void {
  at = theta;
  metric = diagonal;
  added = shift;
}

/**
 * Ritz pairs of the same operator at another θ, where the gradient was just computed, from up to
 * `count` products along a direction; what the last measurement has in its basis is given up.
 */
export function explore(theta: usize, direction: usize, count: i32): void {
  at = theta;
  rough = false;
  m = 0;
  solved = 0;
  if (!extendBy(direction)) return;
  while (m < count && extendBy(HV + <usize>(m - 1) * stride)) {}
  solve();
  findResiduals();
}

/** Whether Ritz pair `rank` is an eigenpair but for this share of its value, which is over that. */
export function isPair(rank: i32, share: f64, least: f64): bool {
  if (rank >= m) return false;
  const value = theta(rank);
  const amiss = unchecked(rest[rank]);
  return amiss <= share * value && value - amiss > least;
}

/** Ritz vector `rank` of the basis. */
export function ritzInto(rank: i32, into: usize): void {
  combine(V, order[rank], into);
}

/** The operator times v. */
export function operatorTimes(v: usize, product: usize): void {
  products++;
  let inner = v;
  if (metric) {
    multiply(metric, v, scratch, size);
    inner = scratch;
  }
  hessianTimes(at, inner, product);
  if (added != 0) addScaled(added, inner, product, size);
  if (metric) multiply(metric, product, product, size);
}

/** The same in single precision. */
function roughly(v: usize, product: usize): void {
  products++;
  roughTimes(at, v, product);
}

/**
 * Whether a rough HV[i], whose product with V[0] is this far from what symmetry demands, is as good
 * as bounds allow for.
 */
function conforms(amiss: f64): bool {
  // It is one of as many parts of an error whose square is the sum of theirs.
  return amiss * amiss * size <= SINGLE * SINGLE * load<f64>(T) * load<f64>(T);
}

function setBoth(i: i32, j: i32, value: f64): void {
  store<f64>(entryOf(T, i, j), value);
  store<f64>(entryOf(T, j, i), value);
}

/** Puts the vector of this length at V[m] into the basis, if anything of it is new. */
function extend(length: f64): bool {
  const v = V + <usize>m * stride;
  let norm = length;
  if (!(norm > 0)) return false;
  for (let pass = 0; pass < 3; pass++) {
    dots(V, stride, m, v, row, size);
    const square = norm * norm;
    const rest = square - dot(row, row, m);
    // Once is enough where little is taken away.
    const last = rest > 0.5 * square;
    if (pass == 2 && !last) return false;
    const scale = last ? 1 / Math.sqrt(rest) : 1.0;
    for (let j = 0; j < m; j++) {
      const slot = row + ((<usize>j) << 3);
      store<f64>(slot, -scale * load<f64>(slot));
    }
    norm = Math.sqrt(combination(scale, v, V, stride, m, row, v, size));
    if (last) break;
    if (!(norm > 1e-10 * length)) return false;
  }
  const h = HV + <usize>m * stride;
  if (rough && m > 0) {
    roughly(v, h);
    spread(T, V, m, m + 1);
    dots(HV, stride, m, v, row, size);
    const amiss = load<f64>(row) - load<f64>(entryOf(T, 0, m));
    if (conforms(amiss)) addScaled(amiss, V, h, size);
    else {
      operatorTimes(v, h);
      spread(T, V, m, m + 1);
    }
    // Both halves of what symmetry makes one: then values and residuals are of one operator.
    setBoth(0, m, load<f64>(row));
    for (let j = 1; j < m; j++) {
      const slot = row + ((<usize>j) << 3);
      setBoth(j, m, 0.5 * (load<f64>(entryOf(T, j, m)) + load<f64>(slot)));
    }
  } else {
    operatorTimes(v, h);
    spread(T, V, m, m + 1);
  }
  spread(K, HV, m, m + 1);
  m++;
  return true;
}

/** A vector into the basis. */
export function extendBy(vector: usize): bool {
  if (m == BASIS) return false;
  const v = V + <usize>m * stride;
  memory.copy(v, vector, (<usize>size) << 3);
  return extend(Math.sqrt(dot(v, v, size)));
}

/** Row and column i of a Gram matrix: products of HV[i] with the first `count` vectors. */
function spread(gram: usize, vectors: usize, i: i32, count: i32): void {
  dots(vectors, stride, count, HV + <usize>i * stride, row, size);
  for (let j = 0; j < count; j++) {
    const value = load<f64>(row + ((<usize>j) << 3));
    store<f64>(entryOf(gram, j, i), value);
    store<f64>(entryOf(gram, i, j), value);
  }
}

/** A random direction, of which the length comes back. */
function drawInto(v: usize, seed: u64): f64 {
  const stream = streamOf(seed);
  for (let i = 0; i < size; i++)
    store<f64>(v + ((<usize>i) << 3), symmetricAt(stream, <u64>draws + <u64>i));
  draws += <f64>size;
  return Math.sqrt(dot(v, v, size));
}

/** A random direction into the basis. */
function probe(seed: u64): bool {
  return extend(drawInto(V + <usize>m * stride, seed));
}

/** The scout into the basis, with some of a random direction; that alone where there is none. */
function sendScout(seed: u64): bool {
  const v = V + <usize>m * stride;
  let length = drawInto(v, seed);
  if (dot(scout, scout, size) > 0) {
    store<f64>(row, 1);
    length = Math.sqrt(combination(ASTRAY / length, v, scout, 0, 1, row, v, size));
  }
  return extend(length);
}

/** What the scout has become, as a unit vector. */
function keepScout(): void {
  combine(HV, order[wanted], scout);
  const square = dot(scout, scout, size);
  if (square > LEAST) combination(1 / Math.sqrt(square), scout, scout, 0, 0, row, scout, size);
  else memory.fill(scout, 0, (<usize>size) << 3);
}

/** into = Σ_j Z[column, j] · vectors[j] */
function combine(vectors: usize, column: i32, into: usize): void {
  const z = entryOf(Z, column, 0);
  combination(load<f64>(z), vectors, vectors + stride, stride, m - 1, z + 8, into, size);
}

/**
 * One vector more in the matrix whose eigenvectors are the rows of Z: all is diagonal but its own
 * row and column then.
 */
function border(q: i32): void {
  for (let i = 0; i < q; i++) {
    const sum = dot(entryOf(Z, i, 0), entryOf(T, q, 0), q);
    store<f64>(entryOf(D, i, q), sum);
    store<f64>(entryOf(D, q, i), sum);
    store<f64>(entryOf(Z, i, q), 0);
    store<f64>(entryOf(Z, q, i), 0);
  }
  store<f64>(entryOf(D, q, q), load<f64>(entryOf(T, q, q)));
  store<f64>(entryOf(Z, q, q), 1);
}

/** The Ritz values of the basis into `order`, the largest first. */
function solve(): void {
  if (m % FRESH == 0) solved = 0;
  for (; solved < m; solved++) border(solved);
  diagonalize(D, Z, m, BASIS);
  for (let i = 0; i < m; i++) {
    const value = load<f64>(entryOf(D, i, i));
    let j = i;
    for (; j > 0 && load<f64>(entryOf(D, order[j - 1], order[j - 1])) < value; j--)
      order[j] = order[j - 1];
    order[j] = i;
  }
}

function theta(rank: i32): f64 {
  return load<f64>(entryOf(D, order[rank], order[rank]));
}

/**
 * Residual from the Gram matrix of HV; right to a few digits where it is over 1e-7 of the largest
 * eigenvalue.
 */
function roughResidual(rank: i32): f64 {
  const column = order[rank];
  const z = entryOf(Z, column, 0);
  let sum = 0.0;
  for (let i = 0; i < m; i++) sum += dot(entryOf(K, i, 0), z, m) * load<f64>(z + ((<usize>i) << 3));
  const value = theta(rank);
  const square = sum - value * value;
  return square > 0 ? Math.sqrt(square) : 0;
}

/** Residual H u − θ u of a Ritz pair into V[m]. */
function residual(rank: i32): f64 {
  const into = V + <usize>m * stride;
  const column = order[rank];
  const value = theta(rank);
  combine(HV, column, into);
  for (let j = 0; j < m; j++)
    store<f64>(row + ((<usize>j) << 3), -value * load<f64>(entryOf(Z, column, j)));
  return Math.sqrt(combination(1, into, V, stride, m, row, into, size));
}

/** Shrinks a basis to its best Ritz vectors. */
function restart(): void {
  const most = wanted + 4 < BASIS / 2 ? wanted + 4 : BASIS / 2;
  const keep = m < most ? m : most;
  shrink(V, keep);
  shrink(HV, keep);
  m = keep;
  for (let i = 0; i < keep; i++) {
    for (let j = 0; j < keep; j++) {
      const h = HV + <usize>j * stride;
      store<f64>(entryOf(T, i, j), i == j ? theta(i) : 0);
      store<f64>(entryOf(K, i, j), dot(HV + <usize>i * stride, h, size));
    }
  }
  solved = 0;
}

/** The same, with the product of the first of them in double precision. */
function restartSharply(): void {
  restart();
  operatorTimes(V, HV);
  findProducts(m);
  symmetrize(m);
}

function shrink(vectors: usize, keep: i32): void {
  for (let i = 0; i < keep; i++) combine(vectors, order[i], spare + <usize>i * stride);
  memory.copy(vectors, spare, <usize>keep * stride);
}

/** Residuals of all Ritz pairs into `rest`. */
function findResiduals(): void {
  for (let i = 0; i < m; i++) unchecked((rest[i] = roughResidual(i)));
}

/**
 * What rough products may have done to residuals is added to those.
 *
 * @returns what they may have done to the first eigenvalue
 */
function addRoughness(scale: f64): f64 {
  const share = load<f64>(entryOf(Z, order[0], 0));
  const others = share * share < 1 ? 1 - share * share : 0;
  const error = SINGLE * scale;
  unchecked((rest[0] += Math.sqrt(others) * error));
  for (let i = 1; i < m; i++) unchecked((rest[i] += error));
  return others * error;
}

/** The highest end of the intervals θᵢ ± rᵢ from a rank on. */
function reachOf(rank: i32): f64 {
  let reach = -Infinity;
  for (let i = rank; i < m; i++) {
    const end = theta(i) + unchecked(rest[i]);
    if (end > reach) reach = end;
  }
  return reach;
}

/** The highest end of what is not tracked, whose pair is the `limiting` one then. */
function reachOfOthers(count: i32): f64 {
  let reach = -Infinity;
  for (let i = count; i < m; i++) {
    const end = theta(i) + unchecked(rest[i]);
    if (end <= reach) continue;
    reach = end;
    limiting = i;
  }
  return reach;
}

/**
 * Bound on λ₁ − θ₁, and in `limiting` the pair whose residual it owes most to. No eigenvalue is
 * over any θᵢ + rᵢ, and with the first j pairs split off, whose residuals have the norm e, and
 * nothing of what remains over β, λ₁ is at most the larger eigenvalue of [θ₁ e; e β]: λ₁ − θ₁ ≤
 * e²/(θ₁ − β).
 */
function boundError(count: i32): f64 {
  const top = theta(0);
  let least = reachOf(0) - top;
  limiting = 0;
  // What the basis does not hold may be as large as the last tracked one.
  const hidden = count > 1 ? theta(count - 1) : -Infinity;
  let square = 0.0;
  let largest = 0;
  for (let j = 1; j <= count; j++) {
    const r = unchecked(rest[j - 1]);
    square += r * r;
    if (r > unchecked(rest[largest])) largest = j - 1;
    // A basis of nothing but these pairs says nothing of what remains.
    if (j == m && m < size) break;
    const beyond = Math.max(reachOf(j), hidden);
    const bound = square / (top - beyond);
    if (beyond < top && bound < least) {
      least = bound;
      limiting = largest;
    }
  }
  return least;
}

/** Whether the spectrum has turned away from the guesses, so that others may have overtaken. */
function hasTurned(count: i32, top: f64): bool {
  const before = Math.abs(load<f64>(results));
  const leap = Math.abs(top - before);
  if (top == 0 || leap > LEAPT * top || leap > LEAPT * before) return true;
  for (let i = 0; i < count; i++) if (unchecked(rest[i]) > TURNED * top) return true;
  return false;
}

/**
 * The largest eigenvalues of the operator at θ, where the gradient was just computed: block
 * Davidson from Ritz vectors that are guessed from those of the measurements before. With
 * `probing` the scout joins them, and so many products are spent on what it may lead to:
 * it has a small part of every eigenvector, also of one that the tracked pairs have lost. The
 * basis grows by the residual that matters most until the bound on the largest is within the
 * tolerance (relative to it), or, with `every`, until every tracked residual is.
 *
 * @returns bound on the error of the largest
 */
export function track(tolerance: f64, every: bool, seed: u64, probing: i32): f64 {
  const first = products;
  // Nothing is known at first but random directions.
  const all = every || known == 0;
  rough = !all && tolerance >= FINE && metric == 0 && added == 0 && size > FEW;
  noise = 0;
  m = 0;
  solved = 0;
  if (known > 0) begin();
  let wary = probing;
  if (unrest > 0) {
    wary = SEARCH;
    unrest--;
  }
  if (wary > 0) sendScout(seed);
  let probed = 1;
  while (m < wanted && probe(seed)) {}
  let error = 0.0;
  let length = 0.0;
  /** Whether the first eigenvalue owes too much to rough products. */
  let due = false;
  for (;;) {
    solve();
    findResiduals();
    const count = m < wanted ? m : wanted;
    const top = Math.abs(theta(0));
    const low = Math.abs(theta(m - 1));
    const scale = top > low ? top : low;
    const rounding = ROUNDING * scale;
    const enough = tolerance * top + rounding;
    if (known > 0 && products - first <= wanted + 1 && hasTurned(count, top)) {
      unrest = RESTLESS;
      if (wary == 0 && m < size && m < BASIS && sendScout(seed)) {
        wary = SEARCH;
        continue;
      }
      wary = SEARCH;
    }
    let settled = false;
    if (all) {
      settled = true;
      for (let i = 0; i < count && settled; i++) {
        // A rough residual that small is rounding; only the vector itself can tell.
        length = residual(i);
        unchecked((rest[i] = length));
        settled = length <= enough;
      }
      error = boundError(count) + rounding;
    } else {
      const owed = rough ? addRoughness(scale) : 0;
      due = owed > OWED * enough;
      error = boundError(count) + rounding + owed;
      settled = error - (due ? owed : 0) <= enough + rounding;
      if (settled) {
        for (let i = 1; i < count; i++)
          if (unchecked(rest[i]) > unchecked(rest[limiting])) limiting = i;
        settled = unchecked(rest[limiting]) <= OTHERS * top;
        if (settled && m > count) settled = reachOfOthers(count) <= theta(count - 1) + UNSEEN * top;
      }
      // Few parameters are all in the basis: then nothing is left to be bound.
      if (m < size && size <= WHOLE) settled = false;
      if (!settled) length = residual(limiting);
    }
    if (settled && probed < wary && m > count && m < BASIS) {
      probed++;
      reachOfOthers(count);
      length = residual(limiting);
      settled = false;
    }
    if (m >= size || products - first >= MOST_PRODUCTS || (settled && !due)) break;
    if (settled || m == BASIS) {
      if (rough) restartSharply();
      else restart();
      continue;
    }
    if (!extend(length) && !probe(seed)) break;
  }
  if (wary > 0 && m > wanted) keepScout();
  keepRitz();
  return error + noise;
}

/** The measurement that a guess goes on from, and the one as far before it. */
function baseOf(way: i32): i32 {
  return way >> 1;
}

function sourceOf(way: i32): i32 {
  return way < 2 ? 1 : 3;
}

/**
 * The guesses of all Ritz vectors into the basis, orthonormal: those of a measurement are so
 * themselves, and what they were carried on by is known from their products.
 */
function begin(): void {
  const base = baseOf(guess);
  if (guess & 1) {
    gramOfGuess(base);
    if (!orthonormalizer(small, mix2, wanted, BASIS)) return;
    carryOn(turns[base]);
    blend(past[base], wanted, mix, BASIS, V, wanted, stride, size, false);
    blend(past[sourceOf(guess)], wanted, mix2, BASIS, V, wanted, stride, size, true);
  } else memory.copy(V, past[base], <usize>wanted * stride);
  operatorTimes(V, HV);
  store<f64>(T, dot(V, HV, size));
  rough = rough && Math.abs(load<f64>(T)) > SMALL;
  for (let i = 1; i < wanted; i++) {
    const v = V + <usize>i * stride;
    const h = HV + <usize>i * stride;
    if (rough) roughly(v, h);
    else operatorTimes(v, h);
  }
  findProducts(wanted);
  if (rough) symmetrize(wanted);
  else
    for (let j = 1; j < wanted; j++) {
      for (let i = 0; i < j; i++) {
        const half = load<f64>(entryOf(T, i, j));
        noise = Math.max(noise, NOISE * Math.abs(half - load<f64>(entryOf(T, j, i))));
        setBoth(i, j, half);
      }
    }
  let trace = 0.0;
  for (let j = 0; j < wanted; j++) trace += load<f64>(entryOf(T, j, j));
  // Where they are no numbers, all begins anew.
  if (Math.abs(trace) < Infinity) m = wanted;
}

/** T and K of the first `count` vectors of the basis. */
function findProducts(count: i32): void {
  crossings(V, count, HV, count, stride, T, BASIS, size);
  crossings(HV, count, HV, count, stride, K, BASIS, size);
}

/**
 * Gives the rough ones of the first `count` HV the products with V[0] that symmetry demands, which
 * are known from HV[0]; one that is too far from that is taken in double precision.
 */
function symmetrize(count: i32): void {
  let sharp = false;
  for (let i = 1; i < count; i++) {
    const amiss = load<f64>(entryOf(T, i, 0)) - load<f64>(entryOf(T, 0, i));
    const good = conforms(amiss);
    noise = Math.max(noise, NOISE_SINGLE * Math.abs(amiss));
    store<f64>(row + ((<usize>i) << 3), good ? amiss : 0);
    const h = HV + <usize>i * stride;
    if (good) addScaled(amiss, V, h, size);
    else operatorTimes(V + <usize>i * stride, h);
    sharp = sharp || !good;
  }
  if (sharp) findProducts(count);
  else {
    // What they have of V[0] now changes their products by those that there are.
    store<f64>(row, 0);
    for (let i = 1; i < count; i++) {
      const a = load<f64>(row + ((<usize>i) << 3));
      for (let j = 0; j <= i; j++) {
        const b = load<f64>(row + ((<usize>j) << 3));
        const change = a * load<f64>(entryOf(T, 0, j)) + b * (load<f64>(entryOf(T, 0, i)) + a);
        const value = load<f64>(entryOf(K, i, j)) + change;
        store<f64>(entryOf(K, i, j), value);
        store<f64>(entryOf(K, j, i), value);
      }
    }
    for (let i = 1; i < count; i++) store<f64>(entryOf(T, 0, i), load<f64>(entryOf(T, i, 0)));
  }
  // Both halves of what symmetry makes one: then values and residuals are of one operator.
  for (let j = 1; j < count; j++) {
    for (let i = 0; i < j; i++)
      setBoth(i, j, 0.5 * (load<f64>(entryOf(T, i, j)) + load<f64>(entryOf(T, j, i))));
  }
}

/** Products of the guesses 2 b_i − Σ_j t_ij f_j, with t_ij = b_i·f_j, into `small`. */
function gramOfGuess(base: i32): void {
  const t = turns[base];
  for (let i = 0; i < wanted; i++) {
    for (let k = 0; k <= i; k++) {
      const product = dot(entryOf(t, i, 0), entryOf(t, k, 0), wanted);
      store<f64>(entryOf(small, i, k), (i == k ? 4 : 0) - 3 * product);
    }
  }
}

/** Of combinations W (in `mix2`) of the guesses: 2W of the b_i into `mix`, −Wt of the f_j. */
function carryOn(t: usize): void {
  for (let i = 0; i < wanted; i++) {
    for (let j = 0; j < wanted; j++)
      store<f64>(entryOf(mix, i, j), 2 * load<f64>(entryOf(mix2, i, j)));
    for (let j = 0; j < wanted; j++) {
      let sum = 0.0;
      for (let k = 0; k <= i; k++)
        sum -= 0.5 * load<f64>(entryOf(mix, i, k)) * load<f64>(entryOf(t, k, j));
      store<f64>(entryOf(mix2, i, j), sum);
    }
  }
}

/** Share of the new first Ritz vector that lies in the span of a guess. */
function shareOf(way: i32): f64 {
  const base = baseOf(way);
  const from = sourceOf(way);
  if ((way & 1) == 0) return dot(entryOf(shares, base, 0), entryOf(shares, base, 0), wanted);
  gramOfGuess(base);
  for (let i = 0; i < wanted; i++) {
    const back = dot(entryOf(turns[base], i, 0), entryOf(shares, from, 0), wanted);
    store<f64>(right + ((<usize>i) << 3), 2 * load<f64>(entryOf(shares, base, i)) - back);
  }
  return eliminate(small, right, wanted, BASIS);
}

/** Which guess would have been the best one, now that the first Ritz vector u is known. */
function judge(): void {
  let most = -1.0;
  for (let way = 0; way < 4; way++) {
    if (baseOf(way) >= known || (way & 1 && sourceOf(way) >= known)) continue;
    const share = shareOf(way);
    if (!(share > most)) continue;
    most = share;
    guess = way;
  }
}

/**
 * The tracked Ritz vectors u, orthonormal, and with each what its residual tells: H u/θ, which has
 * less of what lies outside of the basis by their eigenvalues over θ. Residuals are outside of it,
 * so that where all are small these are nearly orthogonal.
 */
function refineAll(into: usize): void {
  let all = true;
  for (let i = 0; i < wanted; i++) {
    all = all && unchecked(rest[i]) < REFINED * theta(i);
    memory.copy(entryOf(mix, i, 0), entryOf(Z, order[i], 0), (<usize>m) << 3);
  }
  if (all && theta(0) < SPREAD * theta(wanted - 1)) {
    gramOfProducts();
    if (orthonormalizer(small, mix2, wanted, BASIS)) {
      for (let i = wanted - 1; i >= 0; i--) {
        for (let j = 0; j < m; j++) {
          let sum = 0.0;
          for (let k = 0; k <= i; k++)
            sum += load<f64>(entryOf(mix2, i, k)) * load<f64>(entryOf(mix, k, j));
          store<f64>(entryOf(mix, i, j), sum);
        }
      }
      blend(HV, m, mix, BASIS, into, wanted, stride, size, false);
      return;
    }
  }
  for (let i = 0; i < wanted; i++) refine(i, into + <usize>i * stride);
}

/** Products of the combinations in `mix` of the HV with each other, into `small`. */
function gramOfProducts(): void {
  for (let i = 0; i < wanted; i++) {
    const at = entryOf(mix, i, 0);
    for (let j = 0; j < m; j++) store<f64>(row + ((<usize>j) << 3), dot(at, entryOf(K, j, 0), m));
    for (let k = 0; k <= i; k++) store<f64>(entryOf(small, i, k), dot(row, entryOf(mix, k, 0), m));
  }
}

/** The same of one of them, behind those before it. */
function refine(rank: i32, into: usize): void {
  const value = theta(rank);
  if (unchecked(rest[rank]) < REFINED * value) {
    combine(HV, order[rank], into);
    if (separate(rank, into, value)) return;
  }
  combine(V, order[rank], into);
  if (!separate(rank, into, 1)) combine(V, order[rank], into);
}

/**
 * Makes a unit vector of what of it is outside of those before it; false where that is little
 * beside its length, as of H u where its eigenvalue is 0.
 */
function separate(rank: i32, into: usize, length: f64): bool {
  const first = into - <usize>rank * stride;
  dots(first, stride, rank, into, row, size);
  for (let j = 0; j < rank; j++) {
    const slot = row + ((<usize>j) << 3);
    store<f64>(slot, -load<f64>(slot));
  }
  const square = combination(1, into, first, stride, rank, row, into, size);
  if (!(square > OUTSIDE * length * length && square > LEAST)) return false;
  // Not by adding its share less 1: of a length of 1e9 that would leave seven digits.
  combination(1 / Math.sqrt(square), into, first, stride, 0, row, into, size);
  return true;
}

function keepRitz(): void {
  const room = past[PAST];
  for (let i = 0; i < wanted; i++) store<f64>(results + ((<usize>i) << 3), theta(i));
  refineAll(room);
  const toLast = turns[3];
  const toOther = turns[4];
  crossings(room, wanted, past[0], wanted, stride, toLast, BASIS, size);
  crossings(room, wanted, past[1], wanted, stride, toOther, BASIS, size);
  memory.copy(entryOf(shares, 0, 0), toLast, (<usize>wanted) << 3);
  memory.copy(entryOf(shares, 1, 0), toOther, (<usize>wanted) << 3);
  dots(past[3], stride, wanted, room, entryOf(shares, 3, 0), size);
  judge();
  for (let i = PAST; i > 0; i--) past[i] = past[i - 1];
  past[0] = room;
  if (known < PAST) known++;
  turns[3] = turns[0];
  turns[4] = turns[1];
  turns[0] = toLast;
  turns[1] = turns[2];
  turns[2] = toOther;
}

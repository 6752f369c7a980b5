import { ACTIVATIONS, Activation } from './activations/activation';
import { crossEntropy, crossEntropyBend } from './losses/cross-entropy';
import { squaredError, squaredErrorBend } from './losses/mse';
import { columnSums, columnsTimes, multiply, rowsTimes, rowsTimesRows } from './matrix';

const MAX_LAYERS = 64;

/**
 * Of each layer: its width, where its weights and biases begin in θ (bytes), and its matrices
 * [samples × width].
 */
const width = new StaticArray<i32>(MAX_LAYERS + 1);
const weights = new StaticArray<usize>(MAX_LAYERS + 1);
const biases = new StaticArray<usize>(MAX_LAYERS + 1);
const value = new StaticArray<usize>(MAX_LAYERS + 1);
const slope = new StaticArray<usize>(MAX_LAYERS + 1);
const bend = new StaticArray<usize>(MAX_LAYERS + 1);
/** ∂L/∂z of a layer, and ∂L/∂(activation). */
const delta = new StaticArray<usize>(MAX_LAYERS + 1);
const back = new StaticArray<usize>(MAX_LAYERS + 1);
/** The same along a direction v of θ: changes of z, of the activation, and of delta. */
const dz = new StaticArray<usize>(MAX_LAYERS + 1);
const dvalue = new StaticArray<usize>(MAX_LAYERS + 1);
const ddelta = new StaticArray<usize>(MAX_LAYERS + 1);

let layers: i32 = 0;
let samples: i32 = 0;
let targets: usize = 0;
let softmax: usize = 0;
let activation: Activation = ACTIVATIONS[0];
let classes: bool = false;

/** Number of weights and biases. */
export let parameters: i32 = 0;

/** Room for n float64, and one more so that pairs may run over the end. */
export function allocate(n: i32): usize {
  const bytes = ((<usize>n + 2) << 3) & ~15;
  const at = heap.alloc(bytes);
  memory.fill(at, 0, bytes);
  return at;
}

export function setWidth(layer: i32, size: i32): void {
  width[layer] = size;
}

/**
 * A network of `count` layers of weights, whose widths were set, for up to `capacity` samples at a
 * time.
 */
export function build(
  count: i32,
  capacity: i32,
  activationCode: i32,
  crossEntropyLoss: bool,
): void {
  layers = count;
  classes = crossEntropyLoss;
  activation = ACTIVATIONS[activationCode];
  let at: usize = 0;
  for (let l = 1; l <= count; l++) {
    weights[l] = at;
    at += (<usize>(width[l - 1] * width[l])) << 3;
    biases[l] = at;
    at += (<usize>width[l]) << 3;
    const size = capacity * width[l];
    value[l] = allocate(size);
    slope[l] = allocate(size);
    bend[l] = allocate(size);
    delta[l] = allocate(size);
    back[l] = allocate(size);
    dz[l] = allocate(size);
    dvalue[l] = allocate(size);
    ddelta[l] = allocate(size);
  }
  softmax = allocate(capacity * width[count]);
  parameters = i32(at >> 3);
}

/**
 * The samples that the next calls are of: inputs [n × first width], targets [n × last width], or
 * [n] classes.
 */
export function useSamples(inputs: usize, outputs: usize, n: i32): void {
  value[0] = inputs;
  targets = outputs;
  samples = n;
}

/** The loss at θ; what the gradient needs stays in place. */
export function lossAt(theta: usize): f64 {
  const n = samples;
  for (let l = 1; l <= layers; l++) {
    const k = unchecked(width[l - 1]);
    const o = unchecked(width[l]);
    const z = unchecked(value[l]);
    rowsTimesRows(
      unchecked(value[l - 1]),
      theta + unchecked(weights[l]),
      z,
      n,
      k,
      o,
      theta + unchecked(biases[l]),
      false,
    );
    if (l < layers) activation(z, unchecked(slope[l]), unchecked(bend[l]), (<usize>(n * o)) << 3);
  }
  const out = unchecked(value[layers]);
  const d = unchecked(delta[layers]);
  const o = unchecked(width[layers]);
  return classes
    ? crossEntropy(out, targets, d, softmax, n, o)
    : squaredError(out, targets, d, n, o);
}

/** Loss and gradient at θ; the next products with the Hessian are at this θ. */
export function gradientAt(theta: usize, gradient: usize): f64 {
  const loss = lossAt(theta);
  const n = samples;
  for (let l = layers; l >= 1; l--) {
    const k = unchecked(width[l - 1]);
    const o = unchecked(width[l]);
    const d = unchecked(delta[l]);
    columnsTimes(d, unchecked(value[l - 1]), gradient + unchecked(weights[l]), n, o, k, false);
    columnSums(d, gradient + unchecked(biases[l]), n, o);
    if (l == 1) break;
    const b = unchecked(back[l - 1]);
    rowsTimes(d, theta + unchecked(weights[l]), b, n, o, k, false);
    multiply(b, unchecked(slope[l - 1]), unchecked(delta[l - 1]), n * k);
  }
  return loss;
}

/**
 * H·v at the θ of the last `gradientAt`, by Pearlmutter's R-operator: the derivative, along v, of
 * every line of the computation of the gradient.
 */
export function hessianTimes(theta: usize, v: usize, product: usize): void {
  const n = samples;
  for (let l = 1; l <= layers; l++) {
    const k = unchecked(width[l - 1]);
    const o = unchecked(width[l]);
    const change = unchecked(dz[l]);
    const at = unchecked(weights[l]);
    rowsTimesRows(
      unchecked(value[l - 1]),
      v + at,
      change,
      n,
      k,
      o,
      v + unchecked(biases[l]),
      false,
    );
    if (l > 1) rowsTimesRows(unchecked(dvalue[l - 1]), theta + at, change, n, k, o, 0, true);
    if (l < layers) multiply(change, unchecked(slope[l]), unchecked(dvalue[l]), n * o);
  }
  const o = unchecked(width[layers]);
  const change = unchecked(dz[layers]);
  const into = unchecked(ddelta[layers]);
  if (classes) crossEntropyBend(softmax, change, into, n, o);
  else squaredErrorBend(change, into, n, o);
  for (let l = layers; l >= 1; l--) {
    const k = unchecked(width[l - 1]);
    const o = unchecked(width[l]);
    const at = unchecked(weights[l]);
    const d = unchecked(delta[l]);
    const dd = unchecked(ddelta[l]);
    columnsTimes(dd, unchecked(value[l - 1]), product + at, n, o, k, false);
    if (l > 1) columnsTimes(d, unchecked(dvalue[l - 1]), product + at, n, o, k, true);
    columnSums(dd, product + unchecked(biases[l]), n, o);
    if (l == 1) break;
    const next = unchecked(ddelta[l - 1]);
    rowsTimes(dd, theta + at, next, n, o, k, false);
    rowsTimes(d, v + at, next, n, o, k, true);
    bendBack(next, l - 1, n * k);
  }
}

/** ddelta = (its activations' part) ∘ slope + back ∘ bend ∘ dz, in place. */
function bendBack(next: usize, layer: i32, size: i32): void {
  const s = unchecked(slope[layer]);
  const b = unchecked(back[layer]);
  const c = unchecked(bend[layer]);
  const z = unchecked(dz[layer]);
  const bytes: usize = (<usize>size) << 3;
  for (let i: usize = 0; i < bytes; i += 16) {
    const x = f64x2.mul(v128.load(next + i), v128.load(s + i));
    const y = f64x2.mul(f64x2.mul(v128.load(b + i), v128.load(c + i)), v128.load(z + i));
    v128.store(next + i, f64x2.add(x, y));
  }
}

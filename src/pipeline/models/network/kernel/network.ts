import { ACTIVATIONS, Activation } from './activations/activation';
import { crossEntropy, crossEntropyBend } from './losses/cross-entropy';
import { squaredError, squaredErrorBend } from './losses/mse';
import { columnSums, columnsTimes, multiply, rowsTimes, rowsTimesRows } from './matrix';
import * as single from './single';

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

/**
 * In single precision, of θ and of a direction: weights [outputs × inputs], their transposes, and
 * biases; of the arrays above: those [samples × width], back ∘ bend in one.
 */
const thetaRows = new StaticArray<usize>(MAX_LAYERS + 1);
const thetaColumns = new StaticArray<usize>(MAX_LAYERS + 1);
const vRows = new StaticArray<usize>(MAX_LAYERS + 1);
const vColumns = new StaticArray<usize>(MAX_LAYERS + 1);
const vBias = new StaticArray<usize>(MAX_LAYERS + 1);
const valueRows = new StaticArray<usize>(MAX_LAYERS + 1);
const slopeRows = new StaticArray<usize>(MAX_LAYERS + 1);
const bendRows = new StaticArray<usize>(MAX_LAYERS + 1);
const deltaRows = new StaticArray<usize>(MAX_LAYERS + 1);
const dzRows = new StaticArray<usize>(MAX_LAYERS + 1);
const dvalueRows = new StaticArray<usize>(MAX_LAYERS + 1);
const ddeltaRows = new StaticArray<usize>(MAX_LAYERS + 1);
/** Room for the weights of a layer of a product. */
let narrowProduct: usize = 0;
/** Whether those of θ are of the last gradient. */
let narrowed: bool = false;

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
  buildSingle(capacity);
  parameters = i32(at >> 3);
}

function buildSingle(capacity: i32): void {
  let largest = 0;
  let rows = 0;
  let columns = 0;
  valueRows[0] = single.matrixOf(capacity, width[0]);
  for (let l = 1; l <= layers; l++) {
    const k = width[l - 1];
    const o = width[l];
    thetaRows[l] = single.matrixOf(o, k);
    thetaColumns[l] = single.matrixOf(k, o);
    vRows[l] = single.matrixOf(o, k);
    vColumns[l] = single.matrixOf(k, o);
    vBias[l] = single.matrixOf(1, o);
    valueRows[l] = single.matrixOf(capacity, o);
    slopeRows[l] = single.matrixOf(capacity, o);
    bendRows[l] = single.matrixOf(capacity, o);
    deltaRows[l] = single.matrixOf(capacity, o);
    dzRows[l] = single.matrixOf(capacity, o);
    dvalueRows[l] = single.matrixOf(capacity, o);
    ddeltaRows[l] = single.matrixOf(capacity, o);
    const size = ((o + 3) & ~3) * ((k + 3) & ~3);
    if (size <= largest) continue;
    largest = size;
    rows = o;
    columns = k;
  }
  narrowProduct = single.matrixOf(rows, columns);
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
  narrowed = false;
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

/** What products in single precision need at θ. */
function narrowAll(theta: usize): void {
  const n = samples;
  for (let l = 0; l <= layers; l++) {
    const o = unchecked(width[l]);
    if (l < layers) single.narrow(unchecked(value[l]), unchecked(valueRows[l]), n, o);
    if (l == 0) continue;
    const k = unchecked(width[l - 1]);
    single.narrow(theta + unchecked(weights[l]), unchecked(thetaRows[l]), o, k);
    single.transpose(unchecked(thetaRows[l]), unchecked(thetaColumns[l]), o, k);
    single.narrow(unchecked(delta[l]), unchecked(deltaRows[l]), n, o);
    if (l == layers) break;
    single.narrow(unchecked(slope[l]), unchecked(slopeRows[l]), n, o);
    const room = unchecked(ddelta[l]);
    multiply(unchecked(back[l]), unchecked(bend[l]), room, n * o);
    single.narrow(room, unchecked(bendRows[l]), n, o);
  }
  narrowed = true;
}

/** `hessianTimes` in single precision. */
export function roughTimes(theta: usize, v: usize, product: usize): void {
  if (!narrowed) narrowAll(theta);
  const n = samples;
  for (let l = 1; l <= layers; l++) {
    const k = unchecked(width[l - 1]);
    const o = unchecked(width[l]);
    const change = unchecked(dzRows[l]);
    const columns = unchecked(vColumns[l]);
    single.narrow(v + unchecked(weights[l]), unchecked(vRows[l]), o, k);
    single.transpose(unchecked(vRows[l]), columns, o, k);
    single.narrow(v + unchecked(biases[l]), unchecked(vBias[l]), 1, o);
    single.fillRows(unchecked(vBias[l]), change, n, o);
    single.rowsTimes(unchecked(valueRows[l - 1]), columns, change, n, k, o, true);
    if (l > 1) {
      const before = unchecked(dvalueRows[l - 1]);
      single.rowsTimes(before, unchecked(thetaColumns[l]), change, n, k, o, true);
    }
    if (l < layers)
      single.multiply(change, unchecked(slopeRows[l]), unchecked(dvalueRows[l]), n, o);
  }
  const outputs = unchecked(width[layers]);
  const change = unchecked(dz[layers]);
  const into = unchecked(ddelta[layers]);
  single.widen(unchecked(dzRows[layers]), change, n, outputs);
  if (classes) crossEntropyBend(softmax, change, into, n, outputs);
  else squaredErrorBend(change, into, n, outputs);
  single.narrow(into, unchecked(ddeltaRows[layers]), n, outputs);
  for (let l = layers; l >= 1; l--) {
    const k = unchecked(width[l - 1]);
    const o = unchecked(width[l]);
    const dd = unchecked(ddeltaRows[l]);
    single.columnsTimes(dd, unchecked(valueRows[l - 1]), narrowProduct, n, o, k, false);
    if (l > 1) {
      const d = unchecked(deltaRows[l]);
      single.columnsTimes(d, unchecked(dvalueRows[l - 1]), narrowProduct, n, o, k, true);
    }
    single.widen(narrowProduct, product + unchecked(weights[l]), o, k);
    single.columnSums(dd, product + unchecked(biases[l]), n, o);
    if (l == 1) break;
    const next = unchecked(ddeltaRows[l - 1]);
    single.rowsTimes(dd, unchecked(thetaRows[l]), next, n, o, k, false);
    single.rowsTimes(unchecked(deltaRows[l]), unchecked(vRows[l]), next, n, o, k, true);
    single.bend(
      next,
      unchecked(slopeRows[l - 1]),
      unchecked(bendRows[l - 1]),
      unchecked(dzRows[l - 1]),
      n,
      k,
    );
  }
}

import fc from 'fast-check';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { expect, test } from 'vitest';
import { type NetworkOptions, setupNetwork } from '../../../src/pipeline/models/network/config.ts';
import { ACTIVATIONS, LOSSES } from '../../../src/pipeline/models/network/kernel.ts';
import {
  createNetwork,
  type Network,
  type NetworkShape,
  type Samples,
} from '../../../src/pipeline/models/network/network.ts';
import { startWeights } from '../../../src/pipeline/models/network/start.ts';
import { createRandom } from '../../../src/pipeline/numeric/random.ts';
import { difference } from './reference.ts';
import { twin } from './twin.ts';

/** Draws from the normal distribution. */
function normals(count: number, seed: number, deviation = 1): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: count }, () => deviation * random.normal());
}

const anyNetwork = fc.record({
  layers: fc.array(fc.integer({ min: 1, max: 13 }), { minLength: 2, maxLength: 5 }),
  activation: fc.constantFrom(...ACTIVATIONS),
  loss: fc.constantFrom(...LOSSES),
  count: fc.integer({ min: 1, max: 9 }),
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
});

function samplesOf({ layers, loss }: NetworkShape, count: number, seed: number): Samples {
  const outputs = layers.at(-1)!;
  return {
    count,
    inputs: normals(count * layers[0]!, seed + 1),
    targets:
      loss === 'mse'
        ? normals(count * outputs, seed + 2)
        : normals(count, seed + 2).map((x) => Math.floor(Math.abs(x) * 100) % outputs),
  };
}

/** Eigenvalues of the dense Hessian of the twin, the largest first. */
function spectrumOf(shape: NetworkShape, samples: Samples, { theta, parameters }: Network) {
  const { hessianTimes } = twin(shape, samples, theta);
  const columns = Array.from({ length: parameters }, (_, i) =>
    hessianTimes(Float64Array.from({ length: parameters }, (_, j) => (i === j ? 1 : 0))),
  );
  const hessian = new Matrix(columns);
  hessian.add(hessian.transpose()).mul(0.5);
  return new EigenvalueDecomposition(hessian, { assumeSymmetric: true }).realEigenvalues.sort(
    (a, b) => b - a,
  );
}

test('the kernel computes what its twin in plain loops does', () => {
  fc.assert(
    fc.property(anyNetwork, ({ count, seed, ...shape }) => {
      const samples = samplesOf(shape, count, seed);
      const network = createNetwork(shape, samples);
      network.theta.set(normals(network.parameters, seed + 3, 0.7));
      const other = twin(shape, samples, network.theta);
      expect(Math.abs(network.gradientAt() - other.loss)).toBeLessThan(1e-13 * (1 + other.loss));
      const largest = Math.max(...other.gradient.map(Math.abs), 1e-3);
      other.gradient.forEach((value, i) => {
        expect(Math.abs(network.gradient[i]! - value)).toBeLessThan(1e-12 * largest);
      });
      const v = normals(network.parameters, seed + 4);
      const product = other.hessianTimes(v);
      const scale = Math.max(...product.map(Math.abs), 1e-3);
      const found = network.hessianTimes(v);
      product.forEach((value, i) => {
        expect(Math.abs(found[i]! - value)).toBeLessThan(1e-12 * scale);
      });
      const rough = network.hessianTimes(v, true);
      product.forEach((value, i) => {
        expect(Math.abs(rough[i]! - value)).toBeLessThan(2e-5 * scale);
      });
    }),
    { numRuns: 200 },
  );
});

test('the gradient of a batch is that of its samples alone, and then all count again', () => {
  const shape: NetworkShape = { layers: [2, 5, 3], activation: 'silu', loss: 'cross-entropy' };
  const samples = samplesOf(shape, 8, 5);
  const network = createNetwork(shape, samples);
  network.theta.set(normals(network.parameters, 6, 0.7));
  const chosen = [6, 1, 3];
  const alone: Samples = {
    count: 3,
    inputs: Float64Array.from(chosen.flatMap((s) => [...samples.inputs.slice(2 * s, 2 * s + 2)])),
    targets: Float64Array.from(chosen, (s) => samples.targets[s]!),
  };
  const other = twin(shape, alone, network.theta);
  expect(network.batchGradientAt(chosen)).toBeCloseTo(other.loss, 13);
  expect(difference(network.gradient, other.gradient)).toBeLessThan(1e-13);
  const g = Float64Array.from(network.gradient);
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a, (x, i) => x * b[i]!).reduce((x, y) => x + y);
  const expected = dot(g, other.hessianTimes(g)) / dot(g, g);
  expect(network.batchSharpness()).toBeCloseTo(expected, 12);
  expect(network.gradientAt()).toBeCloseTo(twin(shape, samples, network.theta).loss, 13);
});

test('the tracker finds the largest eigenvalues, with a metric and without', () => {
  const shape: NetworkShape = { layers: [1, 8, 6, 1], activation: 'tanh', loss: 'mse' };
  const samples = samplesOf(shape, 12, 7);
  const network = createNetwork(shape, samples, { tracked: 4 });
  for (let i = 0; i < 5; i++) {
    network.theta.set(normals(network.parameters, 10 + i));
    network.gradientAt();
    const exact = spectrumOf(shape, samples, network).slice(0, 4);
    const { values, error } = network.track();
    expect(Math.abs(values[0]! - exact[0]!)).toBeLessThanOrEqual(error);
    expect(error).toBeLessThan(2e-6 * exact[0]!);
    expect(difference(network.track({ tolerance: 1e-9, all: true }).values, exact)).toBeLessThan(
      1e-11,
    );
    const u = network.ritzVector(1).slice();
    const residual = network.hessianTimes(u).map((x, j) => x - exact[1]! * u[j]!);
    expect(Math.hypot(...residual)).toBeLessThan(1e-8 * exact[0]!);
  }
  network.metric.fill(0.5);
  const plain = network.track({ tolerance: 1e-9, all: true }).values.slice();
  const scaled = network.track({ tolerance: 1e-9, all: true, preconditioned: true }).values;
  expect(
    difference(
      scaled.map((x) => 4 * x),
      plain,
    ),
  ).toBeLessThan(1e-11);
});

test('an eigenvalue that a catapult hides is found again at once', () => {
  const { layers, data, config } = setupNetwork({ steps: 1 });
  const shape = { layers, activation: config.activation, loss: config.loss };
  const [network, reference] = [createNetwork(shape, data), createNetwork(shape, data)];
  network.theta.set(startWeights(layers, config.seed, config['init-scale']));
  for (let t = 0; t < 100; t++) {
    network.gradientAt();
    const { values } = network.track();
    if (t % 10 === 0) {
      reference.theta.set(network.theta);
      reference.gradientAt();
      const [most, second] = reference.track({ tolerance: 1e-8, all: true }).values;
      expect(Math.abs(values[1]! - second!) / most!, `step ${t}`).toBeLessThan(1e-3);
    }
    for (let i = 0; i < network.parameters; i++)
      network.theta[i]! -= config.eta * network.gradient[i]!;
  }
});

/** A network of the command line at its start, and another to search its spectrum anew. */
function startedTwice(options: NetworkOptions) {
  const { layers, data, config } = setupNetwork(options);
  const shape = { layers, activation: config.activation, loss: config.loss };
  const [network, reference] = [createNetwork(shape, data), createNetwork(shape, data)];
  network.theta.set(startWeights(layers, config.seed, config['init-scale']));
  const converged = () => {
    reference.theta.set(network.theta);
    reference.gradientAt();
    return reference.track({ tolerance: 1e-9, all: true });
  };
  const step = () => {
    for (let i = 0; i < network.parameters; i++)
      network.theta[i]! -= config.eta * network.gradient[i]!;
  };
  return { network, converged, step };
}

test.each([
  [{ layers: '1-30-20-1', data: 'chebyshev:6:20', seed: 2, eta: 0.2 }, 300, 0],
  [{ layers: '1-20-15-1', data: 'chebyshev:5:20', seed: 1, eta: 0.3 }, 1500, 10],
] as const)(
  'products in single precision leave S within its error: %j',
  (options, steps, meetings) => {
    const { network, converged, step } = startedTwice({ ...options, steps: 1 });
    let met = 0;
    for (let t = 0; t < steps; t++) {
      network.gradientAt();
      const { values, error } = network.track({ probing: t % 4 === 0 ? 1 : 0 });
      const exact = converged();
      const most = exact.values[0]!;
      expect(Math.abs(values[0]! - most), `step ${t}`).toBeLessThanOrEqual(error + exact.error);
      expect(error).toBeLessThan(1.001e-6 * most);
      if (exact.values[1]! > 0.97 * most) met++;
      step();
    }
    expect(met).toBeGreaterThanOrEqual(meetings);
  },
);

test('where two directions are mixed, S is of a product in double precision', () => {
  const { network, converged, step } = startedTwice({ steps: 1 });
  for (let t = 0; t < 5; t++) {
    network.gradientAt();
    network.track();
    step();
  }
  network.gradientAt();
  network.track({ tolerance: 1e-9, all: true });
  const { vectors, ...state } = network.saveTracker();
  const size = network.parameters;
  const mixed = vectors.slice();
  for (let i = 0; i < size; i++) {
    mixed[i] = (vectors[i]! + vectors[size + i]!) / Math.SQRT2;
    mixed[size + i] = (vectors[i]! - vectors[size + i]!) / Math.SQRT2;
  }
  network.resumeTracker({ ...state, guess: 0, unrest: 0, vectors: mixed });
  const before = network.products();
  const { values, error } = network.track({ probing: 0 });
  const exact = converged();
  expect(Math.abs(values[0]! - exact.values[0]!)).toBeLessThanOrEqual(error + exact.error);
  expect(error).toBeLessThan(1e-7 * exact.values[0]!);
  // Of the three guesses, and of the first of what they are combined to.
  expect(network.products() - before).toBe(4);
});

test('what single precision cannot hold is computed in double precision', () => {
  // Samples that are all but sure of their class leave a Hessian of 1e-48.
  const shape: NetworkShape = {
    ...{ layers: [2, 20, 12, 2], activation: 'tanh', loss: 'cross-entropy' },
  };
  const samples = { ...samplesOf(shape, 10, 3), targets: new Float64Array(10) };
  const networks = [createNetwork(shape, samples), createNetwork(shape, samples)];
  const theta = normals(networks[0]!.parameters, 4, 0.3);
  theta[theta.length - 2] = 110;
  for (let t = 0; t < 3; t++) {
    const [found, exact] = networks.map((network, i) => {
      network.theta.set(theta.map((x) => x * (1 + 1e-4 * t)));
      network.gradientAt();
      const { values, error } = network.track(i === 0 ? {} : { tolerance: 1e-9, all: true });
      return { value: values[0]!, error };
    });
    expect(exact!.value).toBeGreaterThan(0);
    expect(exact!.value).toBeLessThan(1e-40);
    expect(Math.abs(found!.value - exact!.value)).toBeLessThan(1e-6 * exact!.value);
  }
});

test('directions keep their length where the sharpness is in the millions', () => {
  const { network, converged, step } = startedTwice({
    ...{ layers: '1-10-10-10-1', activation: 'gelu', seed: 556_113 },
    ...{ 'init-scale': 14.5, eta: 1e-7, steps: 1 },
  });
  for (let t = 0; t < 30; t++) {
    network.gradientAt();
    const { values, error } = network.track({ probing: t % 4 === 0 ? 1 : 0 });
    const exact = converged();
    expect(exact.values[0]).toBeGreaterThan(1e6);
    const rounding = 1e-13 * exact.values[0]!;
    expect(values[0]! - exact.values[0]!, `step ${t}`).toBeLessThan(exact.error + rounding);
    expect(exact.values[0]! - values[0]!).toBeLessThan(1e-6 * exact.values[0]!);
    expect(error).toBeLessThan(1.001e-6 * exact.values[0]!);
    for (let i = 0; i < 3; i++)
      expect(Math.abs(Math.hypot(...network.ritzVector(i)) - 1)).toBeLessThan(1e-13);
    step();
  }
});

test('a tracker that is resumed goes on to the last bit', () => {
  const shape: NetworkShape = { layers: [1, 8, 6, 1], activation: 'gelu', loss: 'mse' };
  const samples = samplesOf(shape, 12, 7);
  const network = createNetwork(shape, samples);
  network.theta.set(normals(network.parameters, 1));
  const step = (n: Network) => {
    const loss = n.gradientAt();
    const { values, error } = n.track();
    for (let i = 0; i < n.parameters; i++) n.theta[i]! -= 0.2 * n.gradient[i]!;
    return [loss, error, ...values];
  };
  for (let t = 0; t < 20; t++) step(network);
  const resumed = createNetwork(shape, samples);
  resumed.theta.set(network.theta);
  resumed.resumeTracker(network.saveTracker());
  for (let t = 0; t < 20; t++) expect(step(resumed)).toEqual(step(network));
});

/**
 * A small fully connected network trained by full-batch gradient descent, with its sharpness at
 * every step.
 */
export interface NetworkOptions {
  readonly widths: readonly number[];
  readonly activation: 'tanh' | 'linear' | 'relu';
  readonly eta: number;
  readonly steps: number;
  readonly seed?: number;
  /** Standard deviation of the weights is scale/√fan-in. */
  readonly scale?: number;
  readonly inputs: readonly (readonly number[])[];
  readonly targets: readonly (readonly number[])[];
}

export interface NetworkLog {
  readonly loss: number[];
  readonly sharpness: number[];
}

/** Chebyshev polynomial of a degree on n points of [−1, 1], as a regression task. */
export function chebyshevTask(
  degree: number,
  n: number,
): Pick<NetworkOptions, 'inputs' | 'targets'> {
  const xs = Array.from({ length: n }, (_, i) => -1 + (2 * i) / (n - 1));
  return { inputs: xs.map((x) => [x]), targets: xs.map((x) => [Math.cos(degree * Math.acos(x))]) };
}

/** Linear regression with well separated singular values, for deep linear networks. */
export function linearTask(seed: number): Pick<NetworkOptions, 'inputs' | 'targets'> {
  const random = generator(seed);
  const strengths = [1.4, 0.9, 0.4];
  const inputs = Array.from({ length: 60 }, () => Array.from({ length: 5 }, () => normal(random)));
  return { inputs, targets: inputs.map((x) => strengths.map((s, i) => s * x[i]!)) };
}

/**
 * Mean squared error ½·mean ‖f(x) − y‖², its gradient by backpropagation, λ_max by warm power
 * iteration.
 */
export function trainNetwork(options: NetworkOptions): NetworkLog {
  const { widths, activation, eta, steps, seed = 1, scale = 1, inputs, targets } = options;
  const random = generator(seed);
  const layers = widths.slice(1).map((out, l) => ({ inn: widths[l]!, out }));
  const size = layers.reduce((sum, { inn, out }) => sum + inn * out + out, 0);
  const theta = new Float64Array(size);
  let at = 0;
  for (const { inn, out } of layers) {
    for (let i = 0; i < inn * out; i++) theta[at + i] = (scale * normal(random)) / Math.sqrt(inn);
    at += inn * out + out;
  }

  const lossAndGradient = (parameters: Float64Array, gradient: Float64Array): number => {
    gradient.fill(0);
    let loss = 0;
    const n = inputs.length;
    for (let s = 0; s < n; s++) {
      const activations: Float64Array[] = [Float64Array.from(inputs[s]!)];
      let offset = 0;
      layers.forEach(({ inn, out }, l) => {
        const before = activations[l]!;
        const after = new Float64Array(out);
        for (let o = 0; o < out; o++) {
          let sum = parameters[offset + inn * out + o]!;
          for (let i = 0; i < inn; i++) sum += parameters[offset + o * inn + i]! * before[i]!;
          after[o] =
            l === layers.length - 1 || activation === 'linear'
              ? sum
              : activation === 'tanh'
                ? Math.tanh(sum)
                : Math.max(0, sum);
        }
        activations.push(after);
        offset += inn * out + out;
      });
      let delta = new Float64Array(activations.at(-1)!.length);
      for (let o = 0; o < delta.length; o++) {
        const error = activations.at(-1)![o]! - targets[s]![o]!;
        loss += (0.5 * error * error) / n;
        delta[o] = error / n;
      }
      for (let l = layers.length - 1; l >= 0; l--) {
        const { inn, out } = layers[l]!;
        offset -= inn * out + out;
        const before = activations[l]!;
        const next = new Float64Array(inn);
        for (let o = 0; o < out; o++) {
          gradient[offset + inn * out + o]! += delta[o]!;
          for (let i = 0; i < inn; i++) {
            gradient[offset + o * inn + i]! += delta[o]! * before[i]!;
            next[i]! += delta[o]! * parameters[offset + o * inn + i]!;
          }
        }
        if (l > 0 && activation !== 'linear') {
          for (let i = 0; i < inn; i++) {
            next[i]! *= activation === 'tanh' ? 1 - before[i]! ** 2 : before[i]! > 0 ? 1 : 0;
          }
        }
        delta = next;
      }
    }
    return loss;
  };

  const gradient = new Float64Array(size);
  const forward = new Float64Array(size);
  const backward = new Float64Array(size);
  const shifted = new Float64Array(size);
  const vector = Float64Array.from({ length: size }, () => normal(random));
  const h = 1e-4;
  const sharpnessAt = (iterations: number): number => {
    let value = 0;
    for (let k = 0; k < iterations; k++) {
      let norm = 0;
      for (let i = 0; i < size; i++) norm += vector[i]! ** 2;
      norm = Math.sqrt(norm);
      for (let i = 0; i < size; i++) {
        vector[i]! /= norm;
        shifted[i] = theta[i]! + h * vector[i]!;
      }
      lossAndGradient(shifted, forward);
      for (let i = 0; i < size; i++) shifted[i] = theta[i]! - h * vector[i]!;
      lossAndGradient(shifted, backward);
      value = 0;
      for (let i = 0; i < size; i++) {
        const product = (forward[i]! - backward[i]!) / (2 * h);
        value += product * vector[i]!;
        // The shift keeps negative curvature from winning.
        vector[i] = product + vector[i]! * 0.5 * Math.abs(value);
      }
    }
    return value;
  };

  const loss: number[] = [];
  const sharpness: number[] = [];
  for (let t = 0; t < steps; t++) {
    const value = lossAndGradient(theta, gradient);
    loss.push(value);
    sharpness.push(sharpnessAt(t === 0 ? 100 : 4));
    if (!(value < 1e12)) break;
    for (let i = 0; i < size; i++) theta[i]! -= eta * gradient[i]!;
  }
  return { loss, sharpness };
}

/** Uniform numbers in (0, 1), the same for the same seed (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296 + 2 ** -33;
  };
}

export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}

import { createRandom } from '../../numeric/random.ts';

/**
 * θ at the start: weights from the normal distribution of deviation scale/√(inputs of their layer),
 * biases 0.
 */
export function startWeights(layers: readonly number[], seed: number, scale: number): Float64Array {
  const random = createRandom(seed);
  const theta: number[] = [];
  for (let l = 1; l < layers.length; l++) {
    const inputs = layers[l - 1]!;
    const deviation = scale / Math.sqrt(inputs);
    for (let i = 0; i < inputs * layers[l]!; i++) theta.push(deviation * random.normal());
    for (let i = 0; i < layers[l]!; i++) theta.push(0);
  }
  return Float64Array.from(theta);
}

/** Streams of seeds for the epochs lie 2³² apart from that of the start. */
const NEXT_STREAM = 4294967296;

/** The samples of an epoch in the order in which its mini-batches take them: Fisher and Yates. */
export function epochOrder(count: number, seed: number, epoch: number): Int32Array {
  const random = createRandom(seed + NEXT_STREAM * (epoch + 1));
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1));
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}

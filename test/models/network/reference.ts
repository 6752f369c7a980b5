import { expect } from 'vitest';
import type { Activation, Loss } from '../../../src/pipeline/models/network/kernel.ts';
import { createNetwork } from '../../../src/pipeline/models/network/network.ts';

/** What reference.py says of one network. */
export interface ReferenceCase {
  readonly layers: readonly number[];
  readonly activation: Activation;
  readonly loss: Loss;
  readonly count: number;
  readonly points: readonly {
    readonly loss: number;
    readonly gradient: readonly number[];
    readonly product: readonly number[];
    readonly eigenvalues: readonly number[];
  }[];
}

/** The generator of reference.py. */
function draws(seed: number): (count: number, scale?: number) => Float64Array {
  let x = seed;
  return (count, scale = 1) =>
    Float64Array.from({ length: count }, () => {
      x = (16807 * x) % 2147483647;
      return (2 * (x / 2147483647) - 1) * scale;
    });
}

/** Largest difference, as a share of the largest entry. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    most = Math.max(most, Math.abs(a[i]! - b[i]!));
    largest = Math.max(largest, Math.abs(b[i]!));
  }
  return most / largest;
}

/** Holds the kernel against JAX at every point of a case. */
export function compareWithReference(reference: ReferenceCase, index: number): void {
  const { layers, activation, loss, count, points } = reference;
  const take = draws(1000 + index);
  const inputs = take(count * layers[0]!);
  const outputs = layers.at(-1)!;
  const targets =
    loss === 'mse'
      ? take(count * outputs)
      : take(count).map((value) => Math.floor(((value + 1) / 2) * outputs));
  const network = createNetwork({ layers, activation, loss }, { count, inputs, targets });
  for (const point of points) {
    network.theta.set(take(network.parameters, 1.5));
    const v = take(network.parameters);
    expect(Math.abs(network.gradientAt() / point.loss - 1)).toBeLessThan(1e-12);
    expect(difference(network.gradient, point.gradient)).toBeLessThan(1e-12);
    expect(difference(network.hessianTimes(v), point.product)).toBeLessThan(1e-12);
    const { values } = network.track({ tolerance: 1e-9, all: true });
    expect(difference(values, point.eigenvalues)).toBeLessThan(1e-11);
    const tracked = network.track();
    expect(Math.abs(tracked.values[0]! - point.eigenvalues[0]!)).toBeLessThanOrEqual(tracked.error);
  }
}

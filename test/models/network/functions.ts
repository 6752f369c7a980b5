import { expect } from 'vitest';
import { type Activation, startKernel } from '../../../src/pipeline/models/network/kernel.ts';
import { createNetwork } from '../../../src/pipeline/models/network/network.ts';

/** What functions.py says: of each function [x, value, rest in units of the last place]. */
export type FunctionTable = Readonly<
  Record<'exp' | 'log' | 'tanh' | 'normal', readonly (readonly [number, number, number])[]>
>;

/** The unit of the last place of a normal number. */
function lastPlace(value: number): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, Math.abs(value));
  const exponent = bits.getUint32(0) >>> 20;
  return 2 ** (exponent - 1023) * 2 ** -52;
}

/**
 * The activation of z and its slope: in a network of one sample, one neuron and an output of weight
 * 1, the gradient in the output's bias is the one, that in the neuron's bias the other times that.
 */
export function activationAt(activation: Activation) {
  const network = createNetwork(
    { layers: [1, 1, 1], activation, loss: 'mse' },
    { count: 1, inputs: new Float64Array(1), targets: new Float64Array(1) },
  );
  return (z: number): number => {
    network.theta.set([0, z, 1, 0]);
    network.gradientAt();
    return network.gradient[3]!;
  };
}

/** Largest error of each function, in units of the last place. */
export function largestErrors(table: FunctionTable): Record<keyof FunctionTable, number> {
  const kernel = startKernel();
  const gelu = activationAt('gelu');
  const functions = {
    exp: kernel.exp,
    log: kernel.log,
    tanh: activationAt('tanh'),
    // z·Φ(z), of which the rounding of the product is part.
    normal: (z: number) => gelu(z) / z,
  };
  const worst = { exp: 0, log: 0, tanh: 0, normal: 0 };
  for (const name of Object.keys(worst) as (keyof FunctionTable)[]) {
    expect(table[name].length).toBeGreaterThan(0);
    for (const [x, value, rest] of table[name]) {
      const error = Math.abs((functions[name](x) - value) / lastPlace(value) - rest);
      if (!(error <= worst[name])) worst[name] = error;
    }
  }
  return worst;
}

import type { NetworkShape, Samples } from '../../../src/pipeline/models/network/network.ts';

type Matrix = number[][];

/** An activation with its first and second derivative. */
const ACTIVATIONS: Readonly<Record<string, (z: number) => readonly [number, number, number]>> = {
  tanh(z) {
    const a = Math.tanh(z);
    return [a, 1 - a * a, -2 * a * (1 - a * a)];
  },
  relu: (z) => (z > 0 ? [z, 1, 0] : [0, 0, 0]),
  gelu(z) {
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    const share = normal(z);
    return [z * share, share + z * density, density * (2 - z * z)];
  },
  silu(z) {
    const s = 1 / (1 + Math.exp(-z));
    return [z * s, s + z * s * (1 - s), s * (1 - s) * (2 + z * (1 - 2 * s))];
  },
  linear: (z) => [z, 1, 0],
};

/** Φ(z) = ½ + φ(z) Σ z^(2n+1) / (1·3·5···(2n+1)); which ends at |z| = 20. */
function normal(z: number): number {
  if (Math.abs(z) > 20) return z > 0 ? 1 : 0;
  let term = z;
  let sum = z;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum) && n < 500; n++) {
    term *= (z * z) / (2 * n + 1);
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}

export interface Twin {
  readonly loss: number;
  readonly gradient: number[];
  hessianTimes(v: ArrayLike<number>): number[];
}

/**
 * The same formulas as the kernel's, in plain loops: loss and gradient at θ, and the derivative of
 * both along v.
 */
export function twin(
  { layers, activation, loss }: NetworkShape,
  { count, inputs, targets }: Samples,
  theta: ArrayLike<number>,
): Twin {
  const depth = layers.length - 1;
  const act = ACTIVATIONS[activation]!;
  const start = [0];
  for (let l = 1; l <= depth; l++) start.push(start[l - 1]! + (layers[l - 1]! + 1) * layers[l]!);

  /** W x + b of layer l, with weights from any vector of the size of θ; `bias` 0 leaves b out. */
  const affine = (from: ArrayLike<number>, l: number, x: readonly number[], bias: number) =>
    Array.from({ length: layers[l]! }, (_, i) => {
      const k = layers[l - 1]!;
      const w = start[l - 1]! + i * k;
      let z = bias * from[start[l - 1]! + k * layers[l]! + i]!;
      for (let j = 0; j < k; j++) z += from[w + j]! * x[j]!;
      return z;
    });
  /** Wᵀ d of layer l. */
  const back = (from: ArrayLike<number>, l: number, d: readonly number[]) =>
    Array.from({ length: layers[l - 1]! }, (_, j) => {
      let b = 0;
      for (let i = 0; i < d.length; i++) b += from[start[l - 1]! + i * layers[l - 1]! + j]! * d[i]!;
      return b;
    });
  /** Adds d xᵀ and d to where the weights and biases of layer l are. */
  const outer = (
    into: number[],
    l: number,
    d: readonly number[],
    x: readonly number[],
    bias: number,
  ) => {
    const k = layers[l - 1]!;
    d.forEach((value, i) => {
      for (let j = 0; j < k; j++) into[start[l - 1]! + i * k + j]! += value * x[j]!;
      into[start[l - 1]! + k * layers[l]! + i]! += value * bias;
    });
  };

  const outputs = layers.at(-1)!;
  const scale = loss === 'mse' ? 1 / (count * outputs) : 1 / count;
  let total = 0;
  const gradient: number[] = new Array(start[depth]!).fill(0);
  const samples = Array.from({ length: count }, (_, s) => {
    const a: Matrix = [Array.from(inputs.subarray(s * layers[0]!, (s + 1) * layers[0]!))];
    const parts: (readonly [number, number, number])[][] = [[]];
    for (let l = 1; l <= depth; l++) {
      const z = affine(theta, l, a[l - 1]!, 1);
      parts.push(z.map((value) => (l < depth ? act(value) : [value, 1, 0])));
      a.push(parts[l]!.map(([value]) => value));
    }
    const out = a[depth]!;
    const top = Math.max(...out);
    const shares = out.map((z) => Math.exp(z - top));
    const sum = shares.reduce((x, y) => x + y);
    const p = shares.map((share) => share / sum);
    const d: Matrix = [];
    if (loss === 'mse') {
      const error = out.map((z, i) => z - targets[s * outputs + i]!);
      total += error.reduce((x, e) => x + (e * e) / 2, 0) * scale;
      d[depth] = error.map((e) => e * scale);
    } else {
      const label = targets[s]!;
      total += (Math.log(sum) - (out[label]! - top)) * scale;
      d[depth] = p.map((share, i) => (share - (i === label ? 1 : 0)) * scale);
    }
    const b: Matrix = [];
    for (let l = depth; l >= 1; l--) {
      outer(gradient, l, d[l]!, a[l - 1]!, 1);
      if (l === 1) break;
      b[l - 1] = back(theta, l, d[l]!);
      d[l - 1] = b[l - 1]!.map((value, i) => value * parts[l - 1]![i]![1]);
    }
    return { a, parts, p, d, b };
  });

  return {
    loss: total,
    gradient,
    hessianTimes(v) {
      const product: number[] = new Array(start[depth]!).fill(0);
      for (const { a, parts, p, d, b } of samples) {
        const da: Matrix = [new Array(layers[0]!).fill(0)];
        const dz: Matrix = [[]];
        for (let l = 1; l <= depth; l++) {
          const along = affine(v, l, a[l - 1]!, 1);
          const through = affine(theta, l, da[l - 1]!, 0);
          dz.push(along.map((value, i) => value + through[i]!));
          da.push(dz[l]!.map((value, i) => value * parts[l]![i]![1]));
        }
        const mean = p.reduce((sum, share, i) => sum + share * dz[depth]![i]!, 0);
        let dd = dz[depth]!.map((value, i) =>
          loss === 'mse' ? value * scale : p[i]! * (value - mean) * scale,
        );
        for (let l = depth; l >= 1; l--) {
          outer(product, l, dd, a[l - 1]!, 1);
          outer(product, l, d[l]!, da[l - 1]!, 0);
          if (l === 1) break;
          const along = back(v, l, d[l]!);
          const through = back(theta, l, dd);
          dd = through.map((value, i) => {
            const [, slope, bend] = parts[l - 1]![i]!;
            return (value + along[i]!) * slope + b[l - 1]![i]! * bend * dz[l - 1]![i]!;
          });
        }
      }
      return product;
    },
  };
}

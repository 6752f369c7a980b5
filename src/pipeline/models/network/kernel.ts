import { bytesOf } from '../../core/base64.ts';
import { KERNEL_BYTES } from './kernel-bytes.ts';

export { ACTIVATIONS, type Activation } from './activations.ts';
export { LOSSES, type Loss } from './parameters.ts';

/** A global of the kernel. */
interface Global<T> {
  readonly value: T;
}

/** What the WebAssembly module of kernel/ offers; addresses are in bytes. */
export interface Kernel {
  readonly memory: WebAssembly.Memory;
  allocate(doubles: number): number;
  setWidth(layer: number, width: number): void;
  build(layers: number, samples: number, activation: number, crossEntropy: boolean): void;
  readonly parameters: Global<number>;
  useSamples(inputs: number, targets: number, count: number): void;
  lossAt(theta: number): number;
  gradientAt(theta: number, gradient: number): number;
  hessianTimes(theta: number, v: number, product: number): void;
  roughTimes(theta: number, v: number, product: number): void;
  readonly correct: Global<number>;
  addScaled(factor: number, x: number, y: number, count: number): void;
  dot(a: number, b: number, count: number): number;
  buildTracker(count: number): void;
  buildEdge(): void;
  edgeEnergy(gradient: number, metric: number, count: number): number;
  edgeWork(
    theta: number,
    gradient: number,
    thetaBefore: number,
    gradientBefore: number,
    metric: number,
    begins: number,
    ends: number,
    change: number,
    least: number,
  ): number;
  readonly swings: Global<number>;
  ritzVectors(before: number): number;
  ritzStride(): number;
  resumeTracker(measurements: number, guess: number, draws: number, unrest: number): void;
  readonly known: Global<number>;
  readonly guess: Global<number>;
  useOperator(theta: number, metric: number, shift: number): void;
  track(tolerance: number, all: boolean, seed: bigint, probing: number): number;
  operatorTimes(v: number, product: number): void;
  readonly products: Global<number>;
  readonly SEARCH: Global<number>;
  readonly draws: Global<number>;
  readonly scout: Global<number>;
  readonly unrest: Global<number>;
  readonly results: Global<number>;
  exp(x: number): number;
  log(x: number): number;
}

let compiled: WebAssembly.Module | undefined;

/** A kernel with a memory of its own: one a network. */
export function startKernel(): Kernel {
  compiled ??= new WebAssembly.Module(bytesOf(KERNEL_BYTES));
  return new WebAssembly.Instance(compiled).exports as unknown as Kernel;
}

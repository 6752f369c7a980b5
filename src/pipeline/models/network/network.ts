import { ACTIVATIONS, type Activation, type Loss, startKernel } from './kernel.ts';

/** Samples: inputs row by row, and targets row by row, or one class a sample. */
export interface Samples {
  readonly count: number;
  readonly inputs: Float64Array;
  readonly targets: Float64Array;
}

export interface NetworkShape {
  /** Width of each layer, inputs and outputs included. */
  readonly layers: readonly number[];
  readonly activation: Activation;
  readonly loss: Loss;
}

export interface TrackOptions extends OperatorOptions {
  /** Relative error of the largest eigenvalue at which the search ends. */
  readonly tolerance?: number;
  /** Products with the scout that joins the search, and what it leads to; 0 for none. */
  readonly probing?: number;
  /** Bring every tracked eigenvalue to the tolerance, not only what may be the largest. */
  readonly all?: boolean;
}

/**
 * The operator P^(−1/2) (H + shift) P^(−1/2): with the diagonal of P^(−1/2) in `metric`, or P = 1.
 */
export interface OperatorOptions {
  readonly preconditioned?: boolean;
  readonly shift?: number;
}

/**
 * Where the tracker stands: the Ritz vectors of the last four measurements side by side, how it
 * guesses the next ones from them, and the use of its random stream.
 */
export interface TrackerState {
  readonly vectors: Float64Array;
  readonly measurements: number;
  readonly guess: number;
  readonly draws: number;
  /** u·g and λ of each direction. */
  readonly swings: Float64Array;
  /** The direction that is sent out for what is not followed. */
  readonly scout: Float64Array;
  /** The largest eigenvalue, from which that of the next measurement may leap. */
  readonly largest: number;
  /** Measurements for which that direction is sent yet, since the spectrum has turned. */
  readonly unrest: number;
}

/**
 * What a measurement of the spectrum found. Arrays are views that the next measurement overwrites.
 */
export interface Spectrum {
  /** The largest eigenvalues in falling order. */
  readonly values: Float64Array;
  /** Bound on the error of the first. */
  readonly error: number;
}

/** A step of which the work along directions at the edge is asked for. */
export interface EdgeStep {
  /** Directions at the edge in the measurement at its begin, and in that behind it. */
  readonly begins: number;
  readonly ends: number;
  readonly lossBefore: number;
  /** Loss of all samples behind it. */
  readonly loss: number;
  /** What an eigenvalue at the edge is over. */
  readonly least: number;
  /** Where it ends, if not at θ; its loss is computed then. */
  readonly to?: Float64Array;
}

/**
 * A multilayer perceptron in the kernel. θ holds for each layer its weights [outputs × inputs] and
 * then its biases. All arrays are views of the kernel's memory.
 */
export interface Network {
  readonly parameters: number;
  /** Directions that `track` follows, those whose eigenvalues nobody asked for included. */
  readonly followed: number;
  /** Products that `track` spends on the scout where the spectrum has turned. */
  readonly search: number;
  readonly theta: Float64Array;
  readonly gradient: Float64Array;
  /** Room for the gradient of a step: of its mini-batch, with L₂ decay. */
  readonly stepGradient: Float64Array;
  /** Diagonal of P^(−1/2) of the optimizer, where `track` is to be in its metric. */
  readonly metric: Float64Array;
  /**
   * Share of the samples whose class was right at the last loss; NaN where the loss knows no
   * classes.
   */
  accuracy(): number;
  /** Products with the Hessian so far. */
  products(): number;
  /** Loss of all samples at θ. */
  lossAt(): number;
  /** Loss of all samples at θ, and its gradient. */
  gradientAt(): number;
  /** Euclidean norm of the last gradient. */
  gradientNorm(): number;
  /** θ ← θ − η g, g what stands in `stepGradient`. */
  descend(eta: number): void;
  /** Loss of some samples at θ, and its gradient; `gradientAt` is of all of them again. */
  batchGradientAt(samples: ArrayLike<number>): number;
  /** gᵀHg / ‖g‖² of the samples of the last gradient, H and g in the metric of the operator. */
  batchSharpness(options?: OperatorOptions): number;
  /**
   * H·v at the θ and the samples of the last gradient; in `single` precision as `track` takes most
   * of its products.
   */
  hessianTimes(v: Float64Array, single?: boolean): Float64Array;
  /** The top of the spectrum at the θ of the last gradient. */
  track(options?: TrackOptions): Spectrum;
  /**
   * Energy of the oscillation in the first `count` directions of the last `track`, at whose θ the
   * gradient is; to be asked once after each.
   */
  edgeEnergy(count: number, options?: OperatorOptions): number;
  /** Where θ and its gradient stand now: the next `edgeWork` is of the step from here. */
  keepStep(): void;
  /**
   * Part of the change of the loss since `keepStep` that lies in directions at the edge. Of a step
   * that was not taken no more than all of it changes, as the rest of it may have undone that part,
   * and less what the one that was taken changed otherwise: what is left owes nothing to chance.
   * Products with the Hessian are no longer at θ behind it.
   */
  edgeWork(step: EdgeStep, options?: OperatorOptions): number;
  /** The gradient at the last `keepStep`. */
  readonly gradientBefore: Float64Array;
  /** θ at the last `keepStep`. */
  readonly thetaBefore: Float64Array;
  /** Ritz vector i of the last `track`. */
  ritzVector(index: number): Float64Array;
  saveTracker(): TrackerState;
  resumeTracker(state: TrackerState): void;
}

/**
 * Directions that are followed at least: a single one may stay with what has become the second
 * largest eigenvalue, and its residual does not tell.
 */
const LEAST_FOLLOWED = 3;
/** Measurements whose Ritz vectors the tracker keeps. */
export const PAST = 4;
/** Bound on the relative error of the sharpness where nothing else is asked for. */
const TOLERANCE = 1e-6;

/**
 * A network with its samples in a kernel of its own; θ is 0 at first.
 *
 * @param tracked how many of the largest eigenvalues `track` finds
 * @param seed of the tracker's random probes
 */
export function createNetwork(
  { layers, activation, loss }: NetworkShape,
  samples: Samples,
  { tracked = 3, seed = 0 }: { readonly tracked?: number; readonly seed?: number } = {},
): Network {
  const kernel = startKernel();
  const { count } = samples;
  for (const [i, width] of layers.entries()) kernel.setWidth(i, width);
  kernel.build(layers.length - 1, count, ACTIVATIONS.indexOf(activation), loss === 'cross-entropy');
  const size = kernel.parameters.value;
  const followed = Math.min(size, Math.max(tracked, LEAST_FOLLOWED));
  kernel.buildTracker(followed);
  kernel.buildEdge();

  const inputWidth = layers[0]!;
  const targetWidth = samples.targets.length / count;
  const [inputs, targets, batchInputs, batchTargets] = [
    count * inputWidth,
    count * targetWidth,
    count * inputWidth,
    count * targetWidth,
  ].map((doubles) => kernel.allocate(doubles)) as [number, number, number, number];
  const [theta, gradient, stepGradient, metric, direction, product, thetaBefore, gradientBefore] =
    Array.from({ length: 8 }, () => kernel.allocate(size)) as [
      ...[number, number, number, number],
      ...[number, number, number, number],
    ];

  // Nothing is allocated beyond this point, so that views stay valid.
  const view = (address: number, length: number) =>
    new Float64Array(kernel.memory.buffer, address, length);
  const views = {
    theta: view(theta, size),
    gradient: view(gradient, size),
    stepGradient: view(stepGradient, size),
    metric: view(metric, size),
    direction: view(direction, size),
    product: view(product, size),
    thetaBefore: view(thetaBefore, size),
    gradientBefore: view(gradientBefore, size),
    batchInputs: view(batchInputs, count * inputWidth),
    batchTargets: view(batchTargets, count * targetWidth),
  };
  view(inputs, count * inputWidth).set(samples.inputs);
  view(targets, count * targetWidth).set(samples.targets);
  const results = view(kernel.results.value, Math.min(tracked, size));
  const swings = view(kernel.swings.value, 2 * followed);
  const scout = view(kernel.scout.value, size);
  const ritzVector = (index: number, before = 0) =>
    view(kernel.ritzVectors(before) + index * kernel.ritzStride(), size);
  const probeSeed = BigInt(seed);
  // By themselves: V8 looks for what a kernel exports by its name, each time.
  const { useSamples, useOperator, lossAt, gradientAt, dot, addScaled } = kernel;
  const { track, edgeEnergy, edgeWork } = kernel;
  const useAll = () => useSamples(inputs, targets, count);

  return {
    parameters: size,
    followed,
    search: kernel.SEARCH.value,
    theta: views.theta,
    gradient: views.gradient,
    stepGradient: views.stepGradient,
    metric: views.metric,
    accuracy: () => (loss === 'cross-entropy' ? kernel.correct.value / count : Number.NaN),
    products: () => kernel.products.value,
    lossAt() {
      useAll();
      return lossAt(theta);
    },
    gradientAt() {
      useAll();
      return gradientAt(theta, gradient);
    },
    gradientNorm: () => Math.sqrt(dot(gradient, gradient, size)),
    descend: (eta) => addScaled(-eta, stepGradient, theta, size),
    batchGradientAt(chosen) {
      for (let i = 0; i < chosen.length; i++) {
        const at = chosen[i]!;
        views.batchInputs.set(
          samples.inputs.subarray(at * inputWidth, (at + 1) * inputWidth),
          i * inputWidth,
        );
        views.batchTargets.set(
          samples.targets.subarray(at * targetWidth, (at + 1) * targetWidth),
          i * targetWidth,
        );
      }
      useSamples(batchInputs, batchTargets, chosen.length);
      return gradientAt(theta, gradient);
    },
    batchSharpness({ preconditioned = false, shift = 0 } = {}) {
      for (let i = 0; i < size; i++)
        views.direction[i] = views.gradient[i]! * (preconditioned ? views.metric[i]! : 1);
      useOperator(theta, preconditioned ? metric : 0, shift);
      kernel.operatorTimes(direction, product);
      const square = dot(direction, direction, size);
      return square > 0 ? dot(direction, product, size) / square : Number.NaN;
    },
    hessianTimes(v, single = false) {
      views.direction.set(v);
      if (single) kernel.roughTimes(theta, direction, product);
      else kernel.hessianTimes(theta, direction, product);
      return views.product;
    },
    track({
      tolerance = TOLERANCE,
      all = false,
      probing = 1,
      preconditioned = false,
      shift = 0,
    } = {}) {
      useOperator(theta, preconditioned ? metric : 0, shift);
      const error = track(tolerance, all, probeSeed, probing);
      return { values: results, error };
    },
    edgeEnergy: (among, { preconditioned = false } = {}) =>
      edgeEnergy(gradient, preconditioned ? metric : 0, among),
    keepStep() {
      views.thetaBefore.set(views.theta);
      views.gradientBefore.set(views.gradient);
    },
    edgeWork({ begins, ends, lossBefore, loss, least, to }, { preconditioned = false } = {}) {
      useAll();
      if (to) views.direction.set(to);
      const [end, slope] = to ? [direction, product] : [theta, gradient];
      const change = (to ? gradientAt(end, slope) : loss) - lossBefore;
      const within = preconditioned ? metric : 0;
      const work = edgeWork(
        end,
        slope,
        thetaBefore,
        gradientBefore,
        within,
        begins,
        ends,
        change,
        to ? Number.POSITIVE_INFINITY : least,
      );
      return to ? Math.min(work, change) - Math.abs(loss - lossBefore - change) : work;
    },
    thetaBefore: views.thetaBefore,
    gradientBefore: views.gradientBefore,
    ritzVector: (index) => ritzVector(index),
    saveTracker() {
      const vectors = new Float64Array(PAST * followed * size);
      for (let before = 0; before < PAST; before++)
        for (let i = 0; i < followed; i++)
          vectors.set(ritzVector(i, before), (before * followed + i) * size);
      return {
        vectors,
        measurements: kernel.known.value,
        guess: kernel.guess.value,
        draws: kernel.draws.value,
        swings: swings.slice(),
        scout: scout.slice(),
        largest: results[0]!,
        unrest: kernel.unrest.value,
      };
    },
    resumeTracker({ vectors, measurements, guess, draws, swings: saved, ...more }) {
      swings.set(saved);
      scout.set(more.scout);
      results[0] = more.largest;
      for (let before = 0; before < PAST; before++) {
        for (let i = 0; i < followed; i++) {
          const from = (before * followed + i) * size;
          ritzVector(i, before).set(vectors.subarray(from, from + size));
        }
      }
      kernel.resumeTracker(measurements, guess, draws, more.unrest);
    },
  };
}

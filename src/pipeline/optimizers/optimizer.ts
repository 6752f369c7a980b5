import type { NumberParameter } from '../core/parameters.ts';
import type { Stability } from '../core/run.ts';
import { log, log1p } from '../numeric/elementary.ts';

/** Values of an optimizer's own parameters, by name. */
export type OptimizerValues = Readonly<Record<string, number>>;

/** A rule that moves θ along the gradient, and the sharpness up to which it is stable. */
export interface Optimizer {
  readonly name: string;
  /** One sentence: what it does. */
  readonly about: string;
  /** Other names of it. */
  readonly aliases: readonly string[];
  /** Its own parameters: each becomes a flag, a key of config files, and an axis of sweeps. */
  readonly parameters: Readonly<Record<string, NumberParameter & { readonly default: number }>>;
  /** Vectors of the size of θ that it carries from step to step. */
  readonly slots: number;
  /** The largest sharpness at which it is stable on a quadratic; source in each file. */
  stability(values: OptimizerValues): Stability;
  /** Whether it takes weight decay for itself; else λθ is added to the gradient. */
  readonly decoupled?: boolean;
  /**
   * The diagonal of P^(−1/2) for the coming step, where it divides its steps by P: the sharpness is
   * then that of P^(−1/2) H P^(−1/2).
   */
  metric?(
    gradient: Float64Array,
    slots: readonly Float64Array[],
    values: StepValues,
    into: Float64Array,
  ): void;
  /** One step: moves `theta` in place. */
  step(
    theta: Float64Array,
    gradient: Float64Array,
    slots: readonly Float64Array[],
    values: StepValues,
  ): void;
}

/** An optimizer that divides its steps. */
export type PreconditionedOptimizer = Optimizer & Required<Pick<Optimizer, 'metric'>>;

/** The defaults of an optimizer's own parameters. */
export function defaultsOf({ parameters }: Optimizer): OptimizerValues {
  return Object.fromEntries(Object.entries(parameters).map(([name, each]) => [name, each.default]));
}

/**
 * What a step is told: the optimizer's parameters, the learning rate, and the number of steps taken
 * before.
 */
export type StepValues = OptimizerValues & { readonly eta: number; readonly t: number };

/** Stability where the threshold is a constant over η. */
export function factorOverEta(
  optimizer: string,
  factor: number,
  formula: string,
  decay: Stability['decay'],
): Stability {
  return {
    optimizer,
    formula,
    threshold: (eta, excess = 0) => (factor + excess) / eta,
    ratio: (sharpness, eta) => (eta * sharpness) / factor,
    decay,
  };
}

/**
 * ln |1 − e| for the smaller root e of e² − be + c = 0: what is left of the slow mode of a step
 * with two roots 1 − e.
 */
export function slowDecay(b: number, c: number): number {
  const square = b * b - 4 * c;
  // A pair of complex roots has the size √(1 − b + c).
  return square < 0 ? 0.5 * log(1 - b + c) : log1p((-2 * c) / (b + Math.sqrt(square)));
}

/**
 * The threshold with L₂ decay λ in the gradient: the Hessian of the loss is then short of that of
 * the step by λ.
 */
export function withDecay(stability: Stability, lambda: number): Stability {
  if (lambda === 0) return stability;
  return {
    ...stability,
    formula: `${stability.formula} − λ`,
    threshold: (eta, excess) => stability.threshold(eta, excess) - lambda,
    ratio: (sharpness, eta) => sharpness / (stability.threshold(eta) - lambda),
  };
}

/**
 * The same where λ is told of an optimizer: one that takes decay for itself has it in its threshold
 * already, and one that divides its steps measures the spectrum of H + λ itself.
 */
export const withDecayOf = (
  { decoupled = false, metric }: Optimizer,
  stability: Stability,
  lambda: number,
): Stability => (decoupled || metric ? stability : withDecay(stability, lambda));

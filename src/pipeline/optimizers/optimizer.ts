import type { NumberParameter } from '../core/parameters.ts';
import type { Stability } from '../core/run.ts';

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

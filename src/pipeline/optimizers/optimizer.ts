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
  /** Its own parameters with their defaults. */
  readonly defaults: OptimizerValues;
  /** Vectors of the size of θ that it carries from step to step. */
  readonly slots: number;
  /** The largest sharpness at which it is stable on a quadratic; source in each file. */
  stability(values: OptimizerValues): Stability;
  /**
   * One step: moves `theta` in place.
   * @param t number of steps taken before this one
   */
  step(
    theta: Float64Array,
    gradient: Float64Array,
    slots: readonly Float64Array[],
    values: OptimizerValues & { readonly eta: number; readonly t: number },
  ): void;
}

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

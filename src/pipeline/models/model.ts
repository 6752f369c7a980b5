import type { ParameterTable } from '../core/parameters.ts';
import type { ColumnArray, Schema } from '../core/schema.ts';

/** The loss of a model with its parameters as chosen, as a function of θ. */
export interface Objective {
  loss(theta: Float64Array): number;
  /** ∇L(θ), written into `into`. */
  gradient(theta: Float64Array, into: Float64Array): void;
  /** λ_max of the Hessian at θ, exact; absent where an operator adds it. */
  sharpness?(theta: Float64Array): number;
  /** What ends a step: moves `theta` where it may not be. `before` is θ before the step. */
  project?(theta: Float64Array, before: Float64Array): void;
  /** Further columns of the model in row `i`. */
  describe?(theta: Float64Array, columns: Readonly<Record<string, ColumnArray>>, i: number): void;
}

/** A model that can be trained: a loss over a few numbers. */
export interface Model {
  readonly name: string;
  /** One sentence: what it is. */
  readonly about: string;
  /** Its own parameters, each with a default. */
  readonly parameters: ParameterTable;
  /** Values of the parameters of every run, unless said otherwise. */
  readonly defaults: { readonly eta: number; readonly steps: number };
  /** The components of θ as columns, and what `describe` adds. */
  readonly columns: Schema;
  /**
   * θ₀ and the loss for these values of its parameters.
   * @throws ConfigError where they do not go together
   */
  start(values: object): {
    readonly theta: Float64Array;
    readonly objective: Objective;
  };
}

import type { Stability } from '../../core/run.ts';
import { withDecayOf } from '../../optimizers/decay.ts';
import { findOptimizer, optimizers } from '../../optimizers/index.ts';
import type { Optimizer, OptimizerValues } from '../../optimizers/optimizer.ts';
import { resolveOptimizer } from '../../optimizers/parameters.ts';

/** An optimizer with its parameters, as the training of a network uses it. */
export interface ChosenOptimizer {
  readonly optimizer: Optimizer;
  readonly values: OptimizerValues;
  /**
   * λ of L₂ decay, which adds λθ to the gradient; 0 where the optimizer takes the decay for itself.
   */
  readonly decay: number;
  readonly stability: Stability;
}

/**
 * The optimizer that options or a config name. Weight decay goes with every one of them: in the
 * gradient, unless the optimizer takes it for itself.
 *
 * @throws ConfigError for a value that cannot be, or that belongs to another optimizer
 */
export function chosenOptimizer(options: object): ChosenOptimizer {
  const given: Readonly<Record<string, unknown>> = { ...options };
  const { 'weight-decay': decay, ...others } = given;
  const decoupled = findOptimizer(String(given.optimizer))?.decoupled ?? false;
  const { optimizer: name, ...values } = resolveOptimizer(optimizers, decoupled ? given : others);
  const optimizer = findOptimizer(name)!;
  const lambda = decoupled || typeof decay !== 'number' ? 0 : decay;
  const stability = withDecayOf(optimizer, optimizer.stability(values), lambda);
  return { optimizer, values, decay: lambda, stability };
}

import type { Stability } from '../core/run.ts';
import { adam } from './adam.ts';
import { adamw } from './adamw.ts';
import { withDecayOf } from './decay.ts';
import { gd } from './gd.ts';
import type { Optimizer, OptimizerValues } from './optimizer.ts';
import { plainOptimizers } from './plain.ts';
import { rmsprop } from './rmsprop.ts';

/**
 * Every optimizer that a model can be trained with. The build adds a new `PreconditionedOptimizer`
 * here, any other to the plain ones.
 */
export const optimizers: readonly Optimizer[] = [...plainOptimizers, rmsprop, adam, adamw];

/** The optimizer of this name, or of another name of it; undefined where there is none. */
export function findOptimizer(name: string): Optimizer | undefined {
  const plain = name.toLowerCase();
  return optimizers.find((each) => each.name === plain || each.aliases.includes(plain));
}

/** The optimizer that a run's config names; gradient descent where it names none. */
export function optimizerOf(config: object): Optimizer {
  const { optimizer = 'gd' } = config as { readonly optimizer?: string };
  return findOptimizer(optimizer) ?? gd;
}

/**
 * Stability of the optimizer that a run's config names, with its weight decay; gradient descent
 * where it names none.
 */
export function stabilityOf(config: object): Stability {
  const optimizer = optimizerOf(config);
  const values = config as OptimizerValues;
  const lambda: unknown = values['weight-decay'];
  const stability = optimizer.stability(values);
  return withDecayOf(optimizer, stability, typeof lambda === 'number' ? lambda : 0);
}

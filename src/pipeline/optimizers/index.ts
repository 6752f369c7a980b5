import type { Stability } from '../core/run.ts';
import { adam } from './adam.ts';
import { adamw } from './adamw.ts';
import { gd } from './gd.ts';
import { momentum } from './momentum.ts';
import { nesterov } from './nesterov.ts';
import type { Optimizer, OptimizerValues } from './optimizer.ts';
import { rmsprop } from './rmsprop.ts';

/**
 * Every optimizer that a model can be trained with: a new one is one new file, which the build adds
 * here.
 */
export const optimizers: readonly Optimizer[] = [gd, momentum, nesterov, rmsprop, adam, adamw];

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

/** Stability of the optimizer that a run's config names; gradient descent where it names none. */
export function stabilityOf(config: object): Stability {
  return optimizerOf(config).stability(config as OptimizerValues);
}

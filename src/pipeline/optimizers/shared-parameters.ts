import type { NumberParameter } from '../core/parameters.ts';
import type { Optimizer, OptimizerValues } from './optimizer.ts';

/** A share from 0 to below 1 of something that is kept from step to step. */
function share(symbol: string, meaning: string, value: number) {
  return {
    type: 'number',
    minimum: 0,
    exclusiveMaximum: 1,
    symbol,
    meaning,
    example: String(value),
    group: 'OPTIMIZER',
    default: value,
  } as const satisfies NumberParameter;
}

/** β: the share of the velocity (of Adam the mean gradient) that is kept. */
export const momentumParameter = share('β', 'share of the velocity that each step keeps', 0.9);

/** d: the share of the gradient that is left out of the velocity. */
export const dampeningParameter = share(
  'd',
  'share of the gradient that the velocity leaves out',
  0,
);

/** β₂: the share of the mean squared gradient that is kept. */
export const averagingParameter = (value: number) =>
  share('β₂', 'share of the mean squared gradient that each step keeps', value);

/** ε: what is added to the root of the mean squared gradient. */
export const dampingParameter = {
  type: 'number',
  minimum: 0,
  symbol: 'ε',
  meaning: 'number that is added to the root of the mean squared gradient',
  example: '1e-8',
  group: 'OPTIMIZER',
  default: 1e-8,
} as const satisfies NumberParameter;

/** λ: the rate at which weights decay. */
export const decayParameter = (value: number) =>
  ({
    type: 'number',
    minimum: 0,
    symbol: 'λ',
    meaning: 'weight decay',
    example: '0.01',
    group: 'OPTIMIZER',
    default: value,
  }) as const satisfies NumberParameter;

/** The defaults of an optimizer's own parameters. */
export function defaultsOf({ parameters }: Optimizer): OptimizerValues {
  return Object.fromEntries(Object.entries(parameters).map(([name, each]) => [name, each.default]));
}

import type { NumberParameter, ParameterTable } from './parameters.ts';
import { BAND, DELTA, EPSILON, ETA, EVERY, STEPS } from './run-ranges.ts';

/** δ: what `detectPhases` may be told otherwise. */
export const deltaParameter = {
  ...DELTA,
  symbol: 'δ',
  meaning: 'tolerance of convergence, S ≤ (2 + δ)/η for gradient descent',
  example: '0.01',
  group: 'PHASES',
} as const satisfies NumberParameter;

/** b: what `classifySharpness` may be told otherwise. */
export const bandParameter = {
  ...BAND,
  symbol: 'b',
  meaning: 'half-width of the regime edge around a sharpness of the threshold, relative',
  example: '0.05',
  group: 'PHASES',
} as const satisfies NumberParameter;

/** Parameters of every run, whatever its model and optimizer. */
export const descentParameters = {
  eta: {
    ...ETA,
    symbol: 'η',
    meaning: 'learning rate',
    example: '0.05 or 1/20',
    aliases: ['lr'],
    group: 'OPTIMIZER',
  },
  steps: {
    ...STEPS,
    symbol: 'N',
    meaning: 'number of steps',
    example: '10000',
    group: 'RUN',
  },
  delta: deltaParameter,
  epsilon: {
    ...EPSILON,
    symbol: 'ϵ',
    meaning: 'loss that counts as converged in T(δ, ϵ)',
    example: '1e-8',
    group: 'PHASES',
  },
  band: bandParameter,
  every: {
    ...EVERY,
    symbol: 'K',
    meaning:
      'stride K of the rows to keep; those within K of a phase change or a peak of L₁ are all kept',
    example: '10',
    group: 'OUTPUT',
  },
} as const satisfies ParameterTable;

import type { NumberParameter, ParameterTable } from './parameters.ts';

// By a name of its own: bundlers keep a table in which something is looked up.
const LARGEST = Number.MAX_SAFE_INTEGER;

/** δ: what `detectPhases` may be told otherwise. */
export const deltaParameter = {
  type: 'number',
  exclusiveMinimum: 0,
  symbol: 'δ',
  meaning: 'tolerance of convergence, S ≤ (2 + δ)/η for gradient descent',
  example: '0.01',
  group: 'PHASES',
  default: 0.01,
} as const satisfies NumberParameter;

/** b: what `classifySharpness` may be told otherwise. */
export const bandParameter = {
  type: 'number',
  minimum: 0,
  symbol: 'b',
  meaning: 'half-width of the regime edge around a sharpness of the threshold, relative',
  example: '0.05',
  group: 'PHASES',
  default: 0.05,
} as const satisfies NumberParameter;

/** Parameters of every run, whatever its model and optimizer. */
export const descentParameters = {
  eta: {
    type: 'number',
    exclusiveMinimum: 0,
    symbol: 'η',
    meaning: 'learning rate',
    example: '0.05 or 1/20',
    aliases: ['lr'],
    group: 'OPTIMIZER',
  },
  steps: {
    type: 'integer',
    minimum: 0,
    maximum: LARGEST,
    symbol: 'N',
    meaning: 'number of steps',
    example: '10000',
    group: 'RUN',
  },
  delta: deltaParameter,
  epsilon: {
    type: 'number',
    exclusiveMinimum: 0,
    symbol: 'ϵ',
    meaning: 'loss that counts as converged in T(δ, ϵ)',
    example: '1e-8',
    group: 'PHASES',
    default: 1e-8,
  },
  band: bandParameter,
  every: {
    type: 'integer',
    minimum: 1,
    maximum: 1e9,
    symbol: 'K',
    meaning:
      'stride K of the rows to keep; those within K of a phase change or a peak of L₁ are all kept',
    example: '10',
    group: 'OUTPUT',
    default: 1,
  },
} as const satisfies ParameterTable;

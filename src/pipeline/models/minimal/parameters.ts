import type { ParameterTable } from '../../core/parameters.ts';
import { plainRanges as RANGES } from './ranges.ts';

/** Parameters of the minimal network and its data. */
export const minimalParameters = {
  lambda1: {
    ...RANGES.lambda1,
    symbol: 'λ₁',
    meaning: 'second moment of the irrelevant feature',
    example: '100',
    group: 'MODEL',
  },
  lambda2: {
    ...RANGES.lambda2,
    symbol: 'λ₂',
    meaning: 'second moment of the relevant feature',
    example: '0.01',
    group: 'MODEL',
  },
  covariance: {
    ...RANGES.covariance,
    symbol: 'σ',
    meaning: 'covariance of the two features',
    group: 'MODEL',
  },
  samples: {
    ...RANGES.samples,
    symbol: 'n',
    meaning: 'number of Gaussian points that the moments are taken from',
    example: '200',
    group: 'MODEL',
  },
  seed: {
    ...RANGES.seed,
    symbol: 'seed',
    meaning: 'seed of these points',
    example: '7',
    group: 'MODEL',
  },
  init: {
    ...RANGES.init,
    symbol: 'θ₀',
    meaning: 'start θ₀',
    example: '0.3,0.1,0.3',
    parts: [
      { name: 'alpha', symbol: 'α', meaning: 'second-layer weight at the start' },
      {
        name: 'beta1',
        symbol: 'β₁',
        meaning: 'first-layer weight of the irrelevant feature at the start',
      },
      {
        name: 'beta2',
        symbol: 'β₂',
        meaning: 'first-layer weight of the relevant feature at the start',
      },
    ],
    group: 'START',
  },
  floor: {
    ...RANGES.floor,
    symbol: 'ε',
    meaning: 'least |β₁| that each step is projected to, 0 for plain gradient descent',
    example: '1e-6',
    group: 'START',
  },
} as const satisfies ParameterTable;

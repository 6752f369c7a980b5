/** A parameter that a sweep can vary. */
export interface SweepParameter {
  readonly name: SweepParameterName;
  readonly symbol: string;
  readonly meaning: string;
  /** Whole numbers only, between these two. */
  readonly whole?: readonly [number, number];
}

/** In the order in which a sweep nests them: the last one varies fastest. */
export const SWEEP_PARAMETER_NAMES = [
  'lambda1',
  'lambda2',
  'covariance',
  'samples',
  'seed',
  'eta',
  'alpha',
  'beta1',
  'beta2',
  'floor',
  'steps',
  'delta',
  'epsilon',
  'band',
] as const;

export type SweepParameterName = (typeof SWEEP_PARAMETER_NAMES)[number];

export const SWEEP_PARAMETERS: Readonly<Record<SweepParameterName, Omit<SweepParameter, 'name'>>> =
  {
    lambda1: { symbol: 'λ₁', meaning: 'second moment of the irrelevant feature' },
    lambda2: { symbol: 'λ₂', meaning: 'second moment of the relevant feature' },
    covariance: { symbol: 'σ', meaning: 'covariance of the two features' },
    samples: { symbol: 'n', meaning: 'number of sampled data points', whole: [2, 1e9] },
    seed: {
      symbol: 'seed',
      meaning: 'seed of the sampled data points',
      whole: [-(2 ** 31), 2 ** 31 - 1],
    },
    eta: { symbol: 'η', meaning: 'learning rate' },
    alpha: { symbol: 'α₀', meaning: 'second-layer weight at the start' },
    beta1: { symbol: 'β₁₀', meaning: 'first-layer weight of the irrelevant feature at the start' },
    beta2: { symbol: 'β₂₀', meaning: 'first-layer weight of the relevant feature at the start' },
    floor: { symbol: 'ε', meaning: 'least |β₁| of the projection, 0 for plain gradient descent' },
    steps: { symbol: 'N', meaning: 'steps', whole: [0, Number.MAX_SAFE_INTEGER] },
    delta: { symbol: 'δ', meaning: 'tolerance over 2/η that still counts as convergence' },
    epsilon: { symbol: 'ϵ', meaning: 'loss that counts as converged' },
    band: { symbol: 'b', meaning: 'half-width of the edge regime' },
  };

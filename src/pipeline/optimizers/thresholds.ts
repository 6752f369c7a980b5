import { ConfigError } from '../models/minimal/config.ts';

/** Optimizers whose edge of stability is known, by name. */
export const OPTIMIZERS = ['gd', 'momentum', 'nesterov', 'adam'] as const;
export type Optimizer = (typeof OPTIMIZERS)[number];

export interface ThresholdOptions {
  /** `gd` unless given; `momentum` where only `beta` is. */
  readonly optimizer?: string | undefined;
  /** β of heavy ball and Nesterov, β₁ of Adam; 0.9 unless given, 0 for plain gradient descent. */
  readonly beta?: number | undefined;
}

/** The largest sharpness at which an optimizer is stable on a quadratic: `factor` / η. */
export interface Threshold {
  readonly optimizer: Optimizer;
  readonly beta: number;
  readonly factor: number;
  /** The formula, as text. */
  readonly formula: string;
}

/**
 * Stability threshold of an optimizer, of which the sharpness is λ_max of the Hessian, and for Adam λ_max of the
 * preconditioned Hessian P⁻¹H.
 *
 * gd: 2/η. momentum (heavy ball): (2 + 2β)/η. nesterov: (2 + 2β)/((1 + 2β)η). All three from Cohen, Kaur, Li, Kolter,
 * Talwalkar 2021, "Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability" (arXiv:2103.00065).
 * adam: (2 + 2β₁)/((1 − β₁)η), 38/η for β₁ = 0.9, from Cohen et al. 2022, "Adaptive Gradient Methods at the Edge of
 * Stability" (arXiv:2207.14484).
 * @throws ConfigError naming what cannot be used
 */
export function stabilityThreshold({ optimizer: name, beta }: ThresholdOptions = {}): Threshold {
  const optimizer = optimizerOf(name ?? (beta === undefined ? 'gd' : 'momentum'));
  if (optimizer === 'gd') {
    if (beta !== undefined && beta !== 0) {
      throw new ConfigError(
        'momentum',
        `${beta} does not go with --optimizer gd; use momentum or nesterov`,
      );
    }
    return { optimizer, beta: 0, factor: 2, formula: '2/η' };
  }
  const b = beta ?? 0.9;
  if (!(b >= 0 && b < 1))
    throw new ConfigError('momentum', `${b} is not a number from 0 to below 1, such as 0.9`);
  switch (optimizer) {
    case 'momentum':
      return { optimizer, beta: b, factor: 2 + 2 * b, formula: '(2 + 2β)/η' };
    case 'nesterov':
      return {
        optimizer,
        beta: b,
        factor: (2 + 2 * b) / (1 + 2 * b),
        formula: '(2 + 2β)/((1 + 2β)η)',
      };
    case 'adam':
      return {
        optimizer,
        beta: b,
        factor: (2 + 2 * b) / (1 - b),
        formula: '(2 + 2β₁)/((1 − β₁)η)',
      };
  }
}

const ALIASES: Readonly<Record<string, Optimizer>> = {
  sgd: 'gd',
  'gradient-descent': 'gd',
  'heavy-ball': 'momentum',
  heavyball: 'momentum',
  polyak: 'momentum',
};

function optimizerOf(name: string): Optimizer {
  const plain = name.toLowerCase();
  const optimizer = OPTIMIZERS.find((known) => known === plain) ?? ALIASES[plain];
  if (optimizer) return optimizer;
  throw new ConfigError('optimizer', `'${name}' is none of ${OPTIMIZERS.join(', ')}`);
}

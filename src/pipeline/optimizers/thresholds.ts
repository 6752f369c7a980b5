import { ConfigError } from '../core/parameters.ts';
import type { Stability } from '../core/run.ts';
import { parseExpression } from './expression.ts';
import { findOptimizer, optimizers } from './index.ts';
import { defaultsOf } from './shared-parameters.ts';

export interface ThresholdOptions {
  /** `gd` unless given; `momentum` where only `beta` is; `sgd` is gradient descent with batches. */
  readonly optimizer?: string | undefined;
  /** β of heavy ball and Nesterov, β₁ of Adam; 0.9 unless given, 0 for plain gradient descent. */
  readonly beta?: number | undefined;
  /** Dampening of heavy ball, as PyTorch has it: v ← βv + (1 − dampening)∇L; β for an average. */
  readonly dampening?: number | undefined;
  /** λ: an L₂ term in the gradient, for AdamW its own decay. */
  readonly weightDecay?: number | undefined;
  /** The threshold itself, as an expression of eta (lr), beta and lambda. */
  readonly expression?: string | undefined;
}

/** The largest sharpness at which an optimizer is stable on a quadratic: `factor` / η. */
export interface Threshold {
  readonly optimizer: string;
  readonly beta: number;
  /** The threshold at η = 1. */
  readonly factor: number;
  /** The formula, as text. */
  readonly formula: string;
  readonly stability: Stability;
}

/**
 * Stability threshold of an optimizer of which no more is known than its name and a few of its
 * numbers. L₂ decay adds λ to every eigenvalue, so the threshold of the loss without it is λ lower;
 * dampening divides the step, so the threshold is 1/(1 − dampening) times higher.
 * @throws ConfigError naming what cannot be used
 */
export function stabilityThreshold(options: ThresholdOptions = {}): Threshold {
  const { optimizer: name, beta, dampening = 0, weightDecay = 0, expression } = options;
  const optimizer = findOptimizer(name ?? (beta === undefined ? 'gd' : 'momentum'));
  if (!optimizer) {
    const names = optimizers.map((each) => each.name).join(', ');
    throw new ConfigError('optimizer', `'${name}' is none of ${names}`);
  }
  const defaults = defaultsOf(optimizer);
  const key = Object.hasOwn(defaults, 'momentum') ? 'momentum' : undefined;
  if (key === undefined && expression === undefined && beta !== undefined && beta !== 0) {
    throw new ConfigError(
      'momentum',
      `${beta} does not go with --optimizer ${optimizer.name}; use momentum or nesterov`,
    );
  }
  const b = beta ?? (key === undefined ? 0 : defaults[key]!);
  if (!(b >= 0 && b < 1))
    throw new ConfigError('momentum', `${b} is not a number from 0 to below 1, such as 0.9`);
  if (!(dampening >= 0 && dampening < 1))
    throw new ConfigError('dampening', `${dampening} is not a number from 0 to below 1`);
  const own = optimizer.decoupled === true;
  const values = { ...defaults, ...(key === undefined ? {} : { [key]: b }) };
  const base = optimizer.stability({ ...values, 'weight-decay': own ? weightDecay : 0 });
  const coupled = own ? 0 : weightDecay;
  const formula = [
    dampening > 0 ? `${base.formula}/(1 − dampening)` : base.formula,
    coupled > 0 ? ' − λ' : '',
  ].join('');
  const given =
    expression === undefined
      ? null
      : parseExpression('threshold', expression, ['eta', 'lr', 'beta', 'lambda']);
  const threshold = (eta: number, excess = 0): number =>
    given
      ? given({ eta, lr: eta, beta: b, lambda: weightDecay }) * (1 + excess / 2)
      : base.threshold(eta, excess) / (1 - dampening) - coupled;
  const stability: Stability = {
    ...base,
    formula: expression ?? formula,
    threshold,
    ratio: (sharpness, eta) =>
      given || dampening > 0 || coupled > 0
        ? sharpness / threshold(eta)
        : base.ratio(sharpness, eta),
  };
  return {
    optimizer: optimizer.name,
    beta: b,
    factor: threshold(1),
    formula: stability.formula,
    stability,
  };
}

import { ConfigError } from '../core/parameters.ts';
import { findOptimizer, optimizers } from './index.ts';
import { defaultsOf } from './optimizer.ts';

export interface ThresholdOptions {
  /** `gd` unless given; `momentum` where only `beta` is. */
  readonly optimizer?: string | undefined;
  /** β of heavy ball and Nesterov, β₁ of Adam; 0.9 unless given, 0 for plain gradient descent. */
  readonly beta?: number | undefined;
}

/** The largest sharpness at which an optimizer is stable on a quadratic: `factor` / η. */
export interface Threshold {
  readonly optimizer: string;
  readonly beta: number;
  readonly factor: number;
  /** The formula, as text. */
  readonly formula: string;
}

/**
 * Stability threshold of an optimizer of which no more is known than its name and its β.
 * @throws ConfigError naming what cannot be used
 */
export function stabilityThreshold({ optimizer: name, beta }: ThresholdOptions = {}): Threshold {
  const optimizer = findOptimizer(name ?? (beta === undefined ? 'gd' : 'momentum'));
  if (!optimizer) {
    const names = optimizers.map((each) => each.name).join(', ');
    throw new ConfigError('optimizer', `'${name}' is none of ${names}`);
  }
  const defaults = defaultsOf(optimizer);
  const key = Object.hasOwn(defaults, 'momentum') ? 'momentum' : undefined;
  if (key === undefined && beta !== undefined && beta !== 0) {
    throw new ConfigError(
      'momentum',
      `${beta} does not go with --optimizer ${optimizer.name}; use momentum or nesterov`,
    );
  }
  const b = key === undefined ? 0 : (beta ?? defaults[key]!);
  if (!(b >= 0 && b < 1))
    throw new ConfigError('momentum', `${b} is not a number from 0 to below 1, such as 0.9`);
  const values = { ...defaults, ...(key === undefined ? {} : { [key]: b }) };
  const { formula, threshold } = optimizer.stability({ ...values, 'weight-decay': 0 });
  return { optimizer: optimizer.name, beta: b, factor: threshold(1), formula };
}

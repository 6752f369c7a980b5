import type { Stability } from '../core/run.ts';
import { ConfigError, type RunConfig } from '../models/minimal/config.ts';
import type { Theta } from '../models/minimal/loss.ts';
import type { Network } from '../models/network/network.ts';

/** A point that moves: θ now, and how to come to the next row. */
export interface Mover {
  readonly theta: Theta;
  /** ln|β₁|, valid where β₁ underflows. */
  readonly logBeta1: number;
  /** αβ₂ − 1, where it is known better than from θ. */
  readonly residual?: number;
  /** Moves on by one step of gradient descent, which is the time η. */
  advance(): void;
}

/** The weights of a network on their way under a dynamics. */
export interface NetworkMover {
  /** Where the network's θ is put for a row: the weights, or the center of their oscillation. */
  readonly center: Float64Array;
  /** Mean loss over the oscillation; where there is none, that of the center. */
  readonly loss?: () => number;
  /** Moves on by one step of gradient descent at this learning rate, which is the time η. */
  advance(eta: number): void;
}

/** Fills `into` with the gradient of a network's loss at θ, with L₂ decay λ. */
export function gradientOf(network: Network, decay: number) {
  return (theta: Float64Array, into: Float64Array): void => {
    network.theta.set(theta);
    network.gradientAt();
    for (let i = 0; i < into.length; i++) into[i] = network.gradient[i]! + decay * theta[i]!;
  };
}

/**
 * A dynamics that can stand beside gradient descent, from the same start and on the same axis of
 * steps.
 */
export interface Dynamics {
  readonly name: string;
  /** One sentence: what moves, and how. */
  readonly about: string;
  /** @throws ConfigError where it is not defined for such a run */
  start(config: RunConfig, stability: Stability): Mover;
  /**
   * The same of a network that stands at its start, where it is defined for networks; `decay` is
   * the λ of L₂ decay in the gradient.
   */
  startNetwork?(network: Network, decay: number): NetworkMover;
}

/** Covariance 0 is what the formulas of that dynamics are made for. */
export function needsNoCovariance({ moments: { covariance } }: RunConfig, name: string): void {
  if (covariance === 0) return;
  throw new ConfigError(
    'covariance',
    `the ${name} trajectory is defined for covariance 0 only, and here it is ${covariance}; ` +
      'leave that trajectory out',
  );
}

/** What is made for the steps of plain gradient descent. */
export function needsGradientDescent({ optimizer }: Stability, name: string): void {
  if (optimizer === 'gd') return;
  throw new ConfigError(
    'optimizer',
    `the ${name} trajectory is that of gradient descent, and here it is ${optimizer}; leave ` +
      'that trajectory out',
  );
}

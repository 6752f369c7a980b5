import type { Stability } from '../core/run.ts';
import { log, log1p } from '../numeric/elementary.ts';
import type { Optimizer } from './optimizer.ts';

/**
 * ln |1 − e| for the smaller root e of e² − be + c = 0: what is left of the slow mode of a step
 * with two roots 1 − e.
 */
export function slowDecay(b: number, c: number): number {
  const square = b * b - 4 * c;
  // A pair of complex roots has the size √(1 − b + c).
  return square < 0 ? 0.5 * log(1 - b + c) : log1p((-2 * c) / (b + Math.sqrt(square)));
}

/**
 * The threshold with L₂ decay λ in the gradient: the Hessian of the loss is then short of that of
 * the step by λ.
 */
export function withDecay(stability: Stability, lambda: number): Stability {
  if (lambda === 0) return stability;
  return {
    ...stability,
    formula: `${stability.formula} − λ`,
    threshold: (eta, excess) => stability.threshold(eta, excess) - lambda,
    ratio: (sharpness, eta) => sharpness / (stability.threshold(eta) - lambda),
  };
}

/**
 * The same where λ is told of an optimizer: one that takes decay for itself has it in its threshold
 * already, and one that divides its steps measures the spectrum of H + λ itself.
 */
export const withDecayOf = (
  { decoupled = false, metric }: Optimizer,
  stability: Stability,
  lambda: number,
): Stability => (decoupled || metric ? stability : withDecay(stability, lambda));

import type { RunConfig } from '../models/minimal/config.ts';
import type { Theta } from '../models/minimal/loss.ts';
import { balance } from '../models/minimal/solution.ts';
import { edgeAlpha, predictedSlope } from '../models/minimal/surrogate.ts';
import { log } from '../numeric/elementary.ts';
import { exp } from '../numeric/exponential.ts';
import { gd } from '../optimizers/gd.ts';

/** What of a run's parameters a prediction takes. */
export type PredictedRun = Pick<
  RunConfig,
  'eta' | 'delta' | 'epsilon' | 'floor' | 'init' | 'moments' | 'steps' | 'optimizer'
>;

/** One oscillation at the edge, from an upward crossing of 2/η to the next. */
export interface PredictedCycle {
  readonly first_step: number;
  readonly period: number;
  /** Largest ηS/2 − 1. */
  readonly overshoot: number;
}

/** What can be said of a run before it is made; steps are counted from its start. */
export interface Prediction {
  /** First step with S ≥ 2/η; null where gradient flow ends below it. */
  readonly first_crossing: number | null;
  /** Steps at the edge of stability, until S∞ ≤ (2 + δ)/η; null where the run never comes there. */
  readonly edge_steps: number | null;
  /** T(δ, ε). */
  readonly convergence_time: number | null;
  readonly cycles: readonly PredictedCycle[];
  /** Why there is no prediction; undefined where there is one. */
  readonly reason?: string;
}

/**
 * The start's own oscillation has died down where it pushes α by no more than this part of the
 * rest.
 */
const SETTLED = 1e-3;
/** Steps that the start's oscillation may take to die down. */
const LONGEST_TRANSIENT = 100_000;
/** The formulas are for gradient descent alone. */
const stability = gd.stability({});
/** Steps over which single cycles are predicted. */
const LONGEST_CYCLES = 1_000_000;

const NOTHING = { first_crossing: null, edge_steps: null, convergence_time: null, cycles: [] };

/**
 * Predictions for projected gradient descent, covariance 0 and λ₁ ≫ λ₂, from four pieces:
 *
 * 1. The first steps, until the oscillation of the start has died down, are taken as they are.
 * 2. Gradient flow on the hyperbola α² − β₂² = Q. With y = (α + β₂)² it is
 *    y' = ½λ₂(4y − y² + Q²), so that the time from y₀ to y₁ is
 *    ln[(y₁ − y₋)(y₊ − y₀) / ((y₊ − y₁)(y₀ − y₋))] / (λ₂√(Q² + 4)), y± = 2 ± √(Q² + 4).
 *    The edge, α = α̂, is at y = (α̂ + √(α̂² − Q))².
 * 3. At the edge z = 1 − α̂β₂ contracts by 1 − 2λ₂/λ₁ a step. S∞ is at most (2 + δ)/η once Q is
 *   that of λ₁α∞² = (2 + δ)/η, and the loss, oscillation included, is ½λ₂(z + z²) on average.
 * 4. A cycle is one turn of (α, ln|β₁|) around (α̂, the β₁ that holds it there), from the floor to
 *   its peak and back: where it crosses 2/η upward it stands on the floor, and from there it is
 *   followed step by step.
 */
export function predict(config: PredictedRun): Prediction {
  const { eta, delta, epsilon, floor, moments, steps } = config;
  const { lambda1, lambda2, covariance } = moments;
  if (config.optimizer !== gd.name)
    return { ...NOTHING, reason: 'the formulas are for gradient descent' };
  if (covariance !== 0) return { ...NOTHING, reason: 'the formulas are for covariance 0' };
  if (lambda1 < 100 * lambda2) return { ...NOTHING, reason: 'the formulas are for λ₁ ≥ 100·λ₂' };
  const alphaHat = edgeAlpha(lambda1, eta, stability);
  const settled = settle(config, alphaHat);
  if (typeof settled === 'string') return { ...NOTHING, reason: settled };
  const { theta, step } = settled;
  const q = balance(theta);
  const way = flowTime(theta, q, lambda2, edgeY(alphaHat, q));
  if (way === null) {
    const target = Math.sqrt((2 * epsilon) / lambda2);
    const last = flowTime(theta, q, lambda2, residualY(target, q));
    const convergence_time = last === null ? null : Math.ceil(step + last / eta);
    return { ...NOTHING, convergence_time };
  }

  const crossing = Math.ceil(step + way / eta);
  const start = 1 - alphaHat * Math.sqrt(Math.max(0, alphaHat * alphaHat - q));
  const rate = -0.5 * predictedSlope(moments, stability);
  const until = (z: number) => (z >= start ? 0 : log(start / z) / rate);
  // Q of a minimum whose sharpness is just what is tolerated, and β₂ at the edge with that Q.
  const x = stability.threshold(eta, delta) / lambda1;
  const endBeta2 = Math.sqrt(Math.max(0, alphaHat * alphaHat - (x - 1 / x)));
  const edge = until(1 - alphaHat * endBeta2);
  const ratio = (2 * epsilon) / lambda2;
  const calm = until((2 * ratio) / (1 + Math.sqrt(1 + 4 * ratio)));
  const held = floor > 0;
  return {
    first_crossing: crossing,
    edge_steps: held ? Math.round(edge) : null,
    convergence_time: held ? Math.round(crossing + Math.max(edge, calm)) : null,
    cycles: held
      ? cyclesFrom(config, alphaHat, crossing, start, Math.min(edge, steps - crossing))
      : [],
  };
}

/**
 * y = (α + β₂)² at the edge, on the side where α and β₂ grow together; undefined where Q is over
 * α̂².
 */
function edgeY(alphaHat: number, q: number): number {
  const square = alphaHat * alphaHat - q;
  const root = alphaHat + Math.sqrt(Math.max(0, square));
  return square < 0 ? 0 : root * root;
}

/** y at the point of the hyperbola where 1 − αβ₂ = r. */
function residualY(r: number, q: number): number {
  const half = 2 * (1 - r);
  return half + Math.sqrt(half * half + q * q);
}

/**
 * Time of gradient flow to y on its hyperbola, 0 where it is there already; null where it never
 * comes there.
 */
function flowTime({ alpha, beta2 }: Theta, q: number, lambda2: number, y: number): number | null {
  const from = (alpha + beta2) * (alpha + beta2);
  const radius = Math.sqrt(q * q + 4);
  const [least, most] = [2 - radius, 2 + radius];
  if (from === 0 || y >= most) return null;
  if (y <= from) return 0;
  return log(((y - least) * (most - from)) / ((most - y) * (from - least))) / (lambda2 * radius);
}

/**
 * The run until its start's oscillation has died down, or it is at the edge; a reason where it does
 * neither.
 */
function settle(config: PredictedRun, alphaHat: number): { theta: Theta; step: number } | string {
  const { eta, floor, init, moments } = config;
  const { lambda1, lambda2 } = moments;
  let [alpha, beta1, beta2] = init;
  for (let step = 0; step < LONGEST_TRANSIENT; step++) {
    const r = alpha * beta2 - 1;
    const push = lambda1 * alpha * beta1 * beta1;
    const pull = lambda2 * beta2 * r;
    const calm = Math.abs(push) <= SETTLED * Math.abs(pull) || Math.abs(beta1) <= floor;
    if (calm && Math.abs(alpha) < alphaHat) return { theta: { alpha, beta1, beta2 }, step };
    if (Math.abs(alpha) >= alphaHat && (step === 0 || calm))
      return step === 0
        ? 'the run starts at the edge of stability'
        : { theta: { alpha, beta1, beta2 }, step };
    beta1 *= 1 - eta * lambda1 * alpha * alpha;
    if (Math.abs(beta1) < floor) beta1 = beta1 < 0 ? -floor : floor;
    beta2 -= eta * lambda2 * alpha * r;
    alpha -= eta * (push + pull);
    if (!(Math.abs(alpha) < 1e6)) return 'the start diverges';
  }
  return 'the oscillation of the start does not die down';
}

/** Cycle after cycle from the first crossing on, for so many steps. */
function cyclesFrom(
  { eta, floor, moments }: PredictedRun,
  alphaHat: number,
  crossing: number,
  start: number,
  steps: number,
): PredictedCycle[] {
  const { lambda1, lambda2 } = moments;
  const shrink = exp(0.5 * predictedSlope(moments, stability));
  const cycles: PredictedCycle[] = [];
  let first = 0;
  let highest = 0;
  let alpha = alphaHat;
  let beta1 = floor;
  let z = start;
  for (let t = 1; t <= Math.min(steps, LONGEST_CYCLES); t++) {
    const beta2 = (1 - z) / alphaHat;
    const next =
      alpha - eta * (lambda1 * alpha * beta1 * beta1 + lambda2 * beta2 * (alpha * beta2 - 1));
    beta1 = Math.max(floor, Math.abs(beta1 * (1 - eta * lambda1 * alpha * alpha)));
    z *= shrink;
    if (alpha < alphaHat && next >= alphaHat) {
      cycles.push({ first_step: crossing + first, period: t - first, overshoot: highest - 1 });
      [first, highest] = [t, 0];
    }
    alpha = next;
    if (!(alpha > 0 && alpha < 1e6)) break;
    // S ≈ λ₁α² + 4λ₁β₁².
    const sharpness = lambda1 * (alpha * alpha + 4 * beta1 * beta1);
    highest = Math.max(highest, stability.ratio(sharpness, eta));
  }
  return cycles;
}

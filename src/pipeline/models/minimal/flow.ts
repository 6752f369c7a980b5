import { hypot, log } from '../../numeric/elementary.ts';
import { exp } from '../../numeric/exponential.ts';
import { SMALL_RESIDUAL, startResidual } from './descend.ts';
import type { Theta } from './loss.ts';
import type { Moments } from './moments.ts';
import { createRadau, type System, WEIGHTS } from './radau.ts';
import { balance, solution, solutionAlphaSquared } from './solution.ts';

export interface FlowOptions {
  /** Of the integrator's error estimate, relative. */
  readonly tolerance?: number;
  /** Whether each step is put back onto the balance of the start; true unless said otherwise. */
  readonly project?: boolean;
}

/** Gradient flow θ' = −∇L(θ) from a start, moved on in time. */
export interface Flow {
  readonly theta: Theta;
  readonly time: number;
  /** ln|β₁|, which for covariance 0 goes on where β₁ itself underflows; −Infinity where β₁ is 0. */
  readonly logBeta1: number;
  /** αβ₂ − 1; for covariance 0 to its own last places also where it is small. */
  readonly residual: number;
  /** Steps of the integrator so far. */
  readonly steps: number;
  /** See FlowEnd. */
  readonly drift: number;
  /** Moves on by exactly that time. */
  advance(duration: number): void;
  /** One step of the integrator, as long as its tolerance allows but no longer than `limit`. */
  step(limit?: number): void;
}

/** Where a gradient flow has come to. */
export interface FlowEnd {
  /**
   * `minimum`: at a minimum to within the tolerance. `saddle`: on the stable set of the saddle α =
   * β₂ = 0 (or so close to it that float64 cannot tell on which side), where the flow ends and
   * never reaches a minimum. `unfinished`: the limit of steps came first.
   */
  readonly outcome: 'minimum' | 'saddle' | 'unfinished';
  readonly theta: Theta;
  readonly time: number;
  readonly steps: number;
  /**
   * The integrator's own error in Q: the sum of |ΔQ| of each step before it was put back;
   * unprojected, the largest |Q − Q₀|.
   */
  readonly drift: number;
}

/**
 * Measured against closed forms and an explicit integrator, θ is then right to 3e-9 at any time.
 */
const TOLERANCE = 1e-13;
/**
 * The end of a projected flow follows from its balance, whatever the way: here the way need not be
 * as exact.
 */
const END_TOLERANCE = 1e-11;
/** Distance from the minimum, by Newton's estimate, at which the flow has arrived. */
const ARRIVED = 1e-11;
const LIMIT = 100_000;

/**
 * Gradient flow from θ. Its stiffness (λ₁/λ₂ = 10⁴) is why the integrator is implicit (see
 * bench/flow.ts); after each step θ is projected back onto its balance Q, which the flow conserves,
 * so that errors of α and β₂ do not add up across it (Hairer, Lubich & Wanner, *Geometric Numerical
 * Integration*, IV.4).
 *
 * What the projection does, plainly: it makes the balance of every θ right by construction, and
 * with it the minimum at which the flow ends, since α∞ follows from Q and the side alone. So
 * neither says anything of the integrator; what does is `drift`, the time course, and a flow with
 * `project: false`.
 */
export function createFlow(start: Theta, moments: Moments, options: FlowOptions = {}): Flow {
  const { tolerance = TOLERANCE, project: projected = true } = options;
  const { lambda1, lambda2, covariance } = moments;
  const radau = createRadau(flowSystem(moments), [start.alpha, start.beta1, start.beta2], {
    tolerance,
  });
  const decoupled = covariance === 0;
  const sign = start.beta1 < 0 ? -1 : 1;
  const q = balance(start);
  let logBeta1 = log(Math.abs(start.beta1));
  let residual = startResidual(start.alpha, start.beta2);
  let time = 0;
  let drift = 0;

  const step = (limit: number) => {
    const h = radau.step(limit);
    if (decoupled) {
      // (ln|β₁|)' = −λ₁α², whose integral neither underflows nor is stiff.
      let square = 0;
      let rate = 0;
      let push = 0;
      for (let i = 0; i < 3; i++) {
        const [alpha, beta1, beta2] = radau.stage(i) as unknown as [number, number, number];
        square += WEIGHTS[i]! * (alpha * alpha);
        rate += WEIGHTS[i]! * (alpha * alpha + beta2 * beta2);
        push += WEIGHTS[i]! * (alpha * beta2 * (beta1 * beta1));
      }
      logBeta1 -= lambda1 * h * square;
      radau.y[1] = sign * exp(logBeta1);
      // r' = −λ₂(α² + β₂²)r − λ₁αβ₂β₁²: αβ₂ itself loses its digits as r falls.
      residual = residual * exp(-lambda2 * h * rate) - lambda1 * h * push;
    } else {
      logBeta1 = log(Math.abs(radau.y[1]!));
    }
    project();
    if (!(decoupled && Math.abs(residual) < SMALL_RESIDUAL && quiet()))
      residual = radau.y[0]! * radau.y[2]! - 1;
    return h;
  };

  /** Whether β₁ no longer moves αβ₂: what it does within a step is known to few digits only. */
  function quiet(): boolean {
    return lambda1 * radau.y[1]! * radau.y[1]! < 1e-10 * lambda2 * Math.abs(residual);
  }

  /** The shortest way in (α, β₂) back to balance Q; β₁ has its own equation. */
  function project(): void {
    const { y } = radau;
    const square = y[0]! * y[0]! + y[2]! * y[2]!;
    const missing = q - balance({ alpha: y[0]!, beta1: y[1]!, beta2: y[2]! });
    drift = projected ? drift + Math.abs(missing) : Math.max(drift, Math.abs(missing));
    if (!projected || square < 1e-24) return;
    const shift = missing / (2 * square);
    y[0] = y[0]! * (1 + shift);
    y[2] = y[2]! * (1 - shift);
  }

  return {
    get theta() {
      return { alpha: radau.y[0]!, beta1: radau.y[1]!, beta2: radau.y[2]! };
    },
    get time() {
      return time;
    },
    get logBeta1() {
      return logBeta1;
    },
    get residual() {
      return residual;
    },
    get steps() {
      return radau.steps;
    },
    get drift() {
      return drift;
    },
    step(limit = Number.POSITIVE_INFINITY) {
      time += step(limit);
    },
    advance(duration) {
      let left = duration;
      while (left > 0) {
        const h = step(left);
        left = h >= left ? 0 : left - h;
      }
      time += duration;
    },
  };
}

/**
 * The end of gradient flow from θ, by integration. Large times are cheap: the nearer the minimum,
 * the longer the steps.
 *
 * @param visit called with each point of the way, the start included
 * @param options tolerance 1e-11 and projected unless said otherwise; unprojected, the end point is
 * what the integrator itself makes of the way, to be held against the closed form
 */
export function flowEnd(
  start: Theta,
  moments: Moments,
  visit?: (theta: Theta, time: number) => void,
  options: FlowOptions = {},
): FlowEnd {
  const flow = createFlow(start, moments, { tolerance: END_TOLERANCE, ...options });
  const gradient = new Float64Array(3);
  const system = flowSystem(moments);
  const end = (outcome: FlowEnd['outcome']): FlowEnd => {
    const { theta, time, steps, drift } = flow;
    return { outcome, theta, time, steps, drift };
  };

  visit?.(start, 0);
  if (onStableSet(start, moments))
    return { outcome: 'saddle', theta: saddleOf(start), time: 0, steps: 0, drift: 0 };
  while (flow.steps < LIMIT) {
    const { theta } = flow;
    const y = Float64Array.of(theta.alpha, theta.beta1, theta.beta2);
    system.f(y, gradient);
    const slope = hypot(gradient[0]!, gradient[1]!, gradient[2]!);
    if (theta.alpha * theta.beta2 > 0.5) {
      // The smallest eigenvalue that is not 0 of the Hessian at a minimum is over this one.
      const square = theta.alpha * theta.alpha;
      const rate = slowRate(square, moments);
      if (slope <= ARRIVED * rate) return end('minimum');
    } else if (slope <= 1e-13 * (moments.lambda2 + Math.abs(moments.covariance))) {
      return end('saddle');
    }
    flow.step();
    visit?.(flow.theta, flow.time);
  }
  return end('unfinished');
}

/** A lower bound of the slowest rate at which the flow approaches the minimum (α, 0, 1/α). */
function slowRate(square: number, { lambda1, lambda2, covariance }: Moments): number {
  // For covariance 0 the rates are λ₁α² and λ₂(α² + α⁻²); else the determinant over the trace of
  // the same two.
  const a = lambda1 * square;
  const b = lambda2 * (square + 1 / square);
  const determinant = (lambda1 * lambda2 - covariance * covariance) * (square * square + 1);
  return Math.min(a, b, determinant / (a + b));
}

/**
 * Whether θ lies on that part of the saddle's stable set which is known in closed form: α = 0 and
 * β·Σ(0, 1) = 0, or (for covariance 0) β₁ = 0 and α = −β₂.
 */
export function onStableSet(
  { alpha, beta1, beta2 }: Theta,
  { lambda2, covariance }: Moments,
): boolean {
  if (alpha === 0 && covariance * beta1 + lambda2 * beta2 === 0) return true;
  return covariance === 0 && beta1 === 0 && alpha === -beta2;
}

function saddleOf(start: Theta): Theta {
  return start.alpha === 0 ? start : { alpha: 0, beta1: 0, beta2: 0 };
}

/**
 * The minimum that gradient flow from θ reaches: in closed form where its side is known, else the
 * side is found by integration. Undefined where the flow ends at the saddle.
 */
export function flowMinimum(theta: Theta, moments: Moments): Theta | undefined {
  const known = solution(theta, moments);
  if (known || onStableSet(theta, moments)) return known;
  const { outcome, theta: end } = flowEnd(theta, moments);
  if (outcome !== 'minimum') return undefined;
  const alpha = Math.sign(end.alpha) * Math.sqrt(solutionAlphaSquared(balance(theta)));
  return { alpha, beta1: 0, beta2: 1 / alpha };
}

/** −∇L and −∇²L. */
function flowSystem({ lambda1, lambda2, covariance }: Moments): System {
  return {
    size: 3,
    f(y, into) {
      const alpha = y[0]!;
      const beta1 = y[1]!;
      const beta2 = y[2]!;
      const p = alpha * beta1;
      const r = alpha * beta2 - 1;
      const e1 = lambda1 * p + covariance * r;
      const e2 = covariance * p + lambda2 * r;
      into[0] = -(beta1 * e1 + beta2 * e2);
      into[1] = -alpha * e1;
      into[2] = -alpha * e2;
    },
    jacobian(y, into) {
      const alpha = y[0]!;
      const beta1 = y[1]!;
      const beta2 = y[2]!;
      const s1 = lambda1 * beta1 + covariance * beta2;
      const s2 = covariance * beta1 + lambda2 * beta2;
      const square = alpha * alpha;
      into[0] = -(beta1 * s1 + beta2 * s2);
      into[1] = covariance - 2 * alpha * s1;
      into[2] = lambda2 - 2 * alpha * s2;
      into[3] = into[1];
      into[4] = -square * lambda1;
      into[5] = -square * covariance;
      into[6] = into[2];
      into[7] = into[5];
      into[8] = -square * lambda2;
    },
  };
}

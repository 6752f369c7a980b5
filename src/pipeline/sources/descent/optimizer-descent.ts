import type { StateReader } from '../../core/stored-state.ts';
import { agreement, keptApart, RISE } from '../../models/minimal/agreement.ts';
import type { RunConfig } from '../../models/minimal/config.ts';
import { SMALL_RESIDUAL, startResidual } from '../../models/minimal/descend.ts';
import type { Theta } from '../../models/minimal/loss.ts';
import { DIVERGENCE_LOSS } from '../../models/minimal/loss.ts';
import { rowAgreement, rowContext } from '../../models/minimal/row-agreement.ts';
import type { SourceArrays } from '../../models/minimal/run.ts';
import { hypot, log10 } from '../../numeric/elementary.ts';
import { optimizerOf, stabilityOf } from '../../optimizers/index.ts';
import type { Optimizer, OptimizerValues } from '../../optimizers/optimizer.ts';
import type { Stepper } from './stepper.ts';
import { copyStored } from './trainee.ts';

/**
 * The minimal model under any optimizer, in plain float64. Beside it goes its shadow, the same
 * steps with a gradient whose operations stand in another order: `digits` are the decimal digits to
 * which both agree.
 */
export function optimizerStepper(config: RunConfig, saved?: StateReader): Stepper {
  const { floor, steps } = config;
  const optimizer = optimizerOf(config);
  const values = { ...(config as unknown as OptimizerValues), eta: config.eta };
  const context = rowContext(config, stabilityOf(config));
  const own = startPoint(config, optimizer);
  const shadow = startPoint(config, optimizer);
  let step = 0;
  let divergedAt: number | null = null;
  let agreed = 15;
  if (saved) {
    step = saved.number('step');
    divergedAt = saved.numberOrNull('divergedAt');
    agreed = saved.number('agreed');
    restore(own, saved.record('own'));
    restore(shadow, saved.record('shadow'));
  }

  function digits(): number {
    const [a, b] = [thetaOf(own), thetaOf(shadow)];
    const now = agreement(
      ...([Math.abs(a.alpha - b.alpha), Math.abs(a.alpha)] as const),
      ...([Math.abs(a.beta1 - b.beta1), Math.abs(a.beta1)] as const),
      ...([Math.abs(a.beta2 - b.beta2), Math.abs(a.beta2)] as const),
    );
    if (now <= agreed) agreed = now;
    else if ((step & (RISE - 1)) === 0) agreed++;
    return rowAgreement(agreed, a, own.residual, b, context);
  }

  function keepApart(): void {
    const [a, b] = [own.theta, shadow.theta];
    const side = (b[0]! - a[0]!) * a[0]! < 0 ? -1 : 1;
    for (let k = 0; k < 3; k++) b[k] = keptApart(a[k]!, b[k]!, k === 2 ? -side : side);
    shadow.residual = startResidual(b[0]!, b[2]!);
  }

  return {
    get step() {
      return step;
    },
    get divergedAt() {
      return divergedAt;
    },
    float64ZeroAt: null,
    bits: null,
    next(count, columns) {
      let i = 0;
      while (i < count && divergedAt === null) {
        const gradient = gradientOf(own, config);
        writeRow(columns, i, step, own, gradient, config);
        columns.digits[i] = digits();
        if ((step & (RISE - 1)) === 0) keepApart();
        advance(own, gradient, step);
        advance(shadow, shadowGradient(shadow, config), step);
        i++;
        step++;
        if (!(lossOf(own, config) <= DIVERGENCE_LOSS) && step <= steps) divergedAt = step;
      }
      return i;
    },
    state() {
      const now = { step, divergedAt, agreed, own: stored(own), shadow: stored(shadow) };
      return () => now;
    },
  };

  function advance(point: Point, gradient: Float64Array, t: number): void {
    const { theta, slots, residual: r } = point;
    const [alpha, , beta2] = theta as unknown as readonly [number, number, number];
    // Steps of 0 are the changes themselves, before they are rounded to the digits of θ.
    const change = new Float64Array(3);
    optimizer.step(change, gradient, slots, { ...values, t });
    for (let k = 0; k < 3; k++) theta[k]! += change[k]!;
    point.residual =
      Math.abs(r) < SMALL_RESIDUAL
        ? r + (beta2 * change[0]! + alpha * change[2]! + change[0]! * change[2]!)
        : theta[0]! * theta[2]! - 1;
    if (Math.abs(theta[1]!) < floor) theta[1] = theta[1]! < 0 ? -floor : floor;
  }
}

/** Where a run stands. */
interface Point {
  readonly theta: Float64Array;
  readonly slots: readonly Float64Array[];
  /** αβ₂ − 1, carried where it is small. */
  residual: number;
}

function startPoint({ init }: RunConfig, { slots }: Optimizer): Point {
  return {
    theta: Float64Array.from(init),
    slots: Array.from({ length: slots }, () => new Float64Array(3)),
    residual: startResidual(init[0], init[2]),
  };
}

function thetaOf({ theta }: Point): Theta {
  return { alpha: theta[0]!, beta1: theta[1]!, beta2: theta[2]! };
}

function lossOf({ theta, residual: r }: Point, { moments }: RunConfig): number {
  const { lambda1, lambda2, covariance } = moments;
  const p = theta[0]! * theta[1]!;
  return 0.5 * lambda1 * (p * p) + 0.5 * lambda2 * (r * r) + covariance * p * r;
}

function gradientOf(point: Point, { moments }: RunConfig): Float64Array {
  const { lambda1, lambda2, covariance } = moments;
  const { alpha, beta1, beta2 } = thetaOf(point);
  const p = alpha * beta1;
  const e1 = lambda1 * p + covariance * point.residual;
  const e2 = covariance * p + lambda2 * point.residual;
  return Float64Array.of(beta1 * e1 + beta2 * e2, alpha * e1, alpha * e2);
}

function shadowGradient(point: Point, { moments }: RunConfig): Float64Array {
  const { lambda1, lambda2, covariance } = moments;
  const { alpha, beta1, beta2 } = thetaOf(point);
  const s1 = lambda1 * beta1 + covariance * beta2;
  const s2 = covariance * beta1 + lambda2 * beta2;
  return Float64Array.of(
    alpha * (s1 * beta1 + s2 * beta2) - (covariance * beta1 + lambda2 * beta2),
    alpha * (alpha * s1 - covariance),
    alpha * (alpha * s2 - lambda2),
  );
}

function writeRow(
  columns: SourceArrays,
  i: number,
  step: number,
  point: Point,
  gradient: Float64Array,
  config: RunConfig,
): void {
  const { theta, residual: r } = point;
  columns.step[i] = step;
  columns.alpha[i] = theta[0]!;
  columns.beta1[i] = theta[1]!;
  columns.beta2[i] = theta[2]!;
  columns.log10_abs_beta1[i] = log10(Math.abs(theta[1]!));
  columns.loss[i] = lossOf(point, config);
  columns.l2[i] = 0.5 * config.moments.lambda2 * (r * r);
  columns.grad_norm[i] = hypot(gradient[0]!, gradient[1]!, gradient[2]!);
}

function stored({ theta, slots, residual }: Point) {
  return { theta: [...theta], slots: slots.map((slot) => ({ values: [...slot] })), residual };
}

function restore(point: Point, saved: StateReader): void {
  copyStored(saved, 'theta', point.theta);
  saved.list('slots').forEach((slot, k) => {
    const into = point.slots[k];
    if (into) copyStored(slot, 'values', into);
  });
  point.residual = saved.number('residual');
}

import type { StateReader } from '../../core/checkpoint.ts';
import { DIVERGENCE_LOSS, type RunConfig } from '../../models/minimal/config.ts';
import { agreement } from '../../models/minimal/descend.ts';
import { minimal } from '../../models/minimal/index.ts';
import type { SourceArrays } from '../../models/minimal/run.ts';
import type { Objective } from '../../models/model.ts';
import { hypot, log10 } from '../../numeric/elementary.ts';
import { optimizerOf } from '../../optimizers/index.ts';
import type { OptimizerValues } from '../../optimizers/optimizer.ts';
import type { Stepper } from './stepper.ts';
import { createTrainee, type Trainee } from './trainee.ts';

/**
 * The minimal model under any optimizer, in plain float64. Beside it goes its shadow, the same steps with a gradient
 * whose operations stand in another order: `digits` are the decimal digits to which both agree.
 */
export function optimizerStepper(config: RunConfig, saved?: StateReader): Stepper {
  const optimizer = optimizerOf(config);
  const values = { ...(config as unknown as OptimizerValues), eta: config.eta };
  const own = createTrainee(minimal.start(config), optimizer, values);
  const start = minimal.start(config);
  const shadow = createTrainee(
    { ...start, objective: { ...start.objective, gradient: shadowGradient(config) } },
    optimizer,
    values,
  );
  let step = 0;
  let divergedAt: number | null = null;
  if (saved) {
    step = saved.number('step');
    divergedAt = saved.numberOrNull('divergedAt');
    own.restore(saved.record('own'));
    shadow.restore(saved.record('shadow'));
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
        writeRow(columns, i, step, own, config);
        columns.digits[i] = agreed(own.theta, shadow.theta);
        own.step(step);
        shadow.step(step);
        i++;
        step++;
        if (!(own.loss() <= DIVERGENCE_LOSS) && step <= config.steps) divergedAt = step;
      }
      return i;
    },
    state() {
      const now = { step, divergedAt, own: own.state(), shadow: shadow.state() };
      return () => now;
    },
  };
}

function writeRow(
  columns: SourceArrays,
  i: number,
  step: number,
  { theta, gradient, loss }: Trainee,
  { moments }: RunConfig,
): void {
  const r = theta[0]! * theta[2]! - 1;
  columns.step[i] = step;
  columns.alpha[i] = theta[0]!;
  columns.beta1[i] = theta[1]!;
  columns.beta2[i] = theta[2]!;
  columns.log10_abs_beta1[i] = log10(Math.abs(theta[1]!));
  columns.loss[i] = loss();
  columns.l2[i] = 0.5 * moments.lambda2 * (r * r);
  columns.grad_norm[i] = hypot(gradient[0]!, gradient[1]!, gradient[2]!);
}

function shadowGradient({ moments }: RunConfig): Objective['gradient'] {
  const { lambda1, lambda2, covariance } = moments;
  return (theta, into) => {
    const [alpha, beta1, beta2] = theta as unknown as readonly [number, number, number];
    const s1 = lambda1 * beta1 + covariance * beta2;
    const s2 = covariance * beta1 + lambda2 * beta2;
    into[0] = alpha * (s1 * beta1 + s2 * beta2) - (covariance * beta1 + lambda2 * beta2);
    into[1] = alpha * (alpha * s1 - covariance);
    into[2] = alpha * (alpha * s2 - lambda2);
  };
}

function agreed(one: Float64Array, other: Float64Array): number {
  const off = (k: number) => Math.abs(one[k]! - other[k]!);
  const size = (k: number) => Math.abs(one[k]!);
  return agreement(off(0), size(0), off(1), size(1), off(2), size(2));
}

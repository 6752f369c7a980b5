import { CheckpointError, type StageState } from '../../core/checkpoint.ts';
import type { StateReader } from '../../core/stored-state.ts';
import type { Objective } from '../../models/model.ts';
import type { Optimizer, OptimizerValues } from '../../optimizers/optimizer.ts';

/** A point θ on its way under an optimizer, in plain float64. */
export interface Trainee {
  readonly theta: Float64Array;
  /** ∇L(θ). */
  readonly gradient: Float64Array;
  /** L(θ). */
  loss(): number;
  /**
   * One step of the optimizer, from the gradient as it stands; the new gradient stands after it.
   */
  step(t: number): void;
  state(): StageState;
  restore(saved: StateReader): void;
}

/** θ₀ before the first step. */
export function createTrainee(
  start: { readonly theta: Float64Array; readonly objective: Objective },
  optimizer: Optimizer,
  values: OptimizerValues & { readonly eta: number },
): Trainee {
  const { theta, objective } = start;
  const gradient = new Float64Array(theta.length);
  const before = new Float64Array(theta.length);
  const slots = Array.from({ length: optimizer.slots }, () => new Float64Array(theta.length));
  objective.gradient(theta, gradient);
  return {
    theta,
    gradient,
    loss: () => objective.loss(theta),
    step(t) {
      before.set(theta);
      optimizer.step(theta, gradient, slots, { ...values, t });
      objective.project?.(theta, before);
      objective.gradient(theta, gradient);
    },
    state: () => ({ theta: [...theta], slots: slots.map((slot) => ({ values: [...slot] })) }),
    restore(saved) {
      copyStored(saved, 'theta', theta);
      saved.list('slots').forEach((slot, k) => {
        const into = slots[k];
        if (into) copyStored(slot, 'values', into);
      });
      objective.gradient(theta, gradient);
    },
  };
}

/** Numbers of a checkpoint into an array of as many. */
export function copyStored(saved: StateReader, key: string, into: Float64Array): void {
  const numbers = saved.numbers(key);
  if (numbers.length !== into.length) {
    throw new CheckpointError(`checkpoint: ${key} is not of ${into.length} numbers`);
  }
  into.set(numbers);
}

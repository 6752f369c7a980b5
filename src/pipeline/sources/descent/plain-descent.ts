import type { StateReader } from '../../core/checkpoint.ts';
import type { RunConfig } from '../../models/minimal/config.ts';
import { type DescentState, descend, initialState } from '../../models/minimal/descend.ts';
import type { StartStepper, Stepper } from './stepper.ts';

/** Plain gradient descent in float64, from this state where one is given. */
export function plainStepper(from?: DescentState): StartStepper {
  return (config, saved) =>
    stepperFrom(config, saved ? storedDescent(saved) : { ...(from ?? initialState(config)) });
}

function stepperFrom(config: RunConfig, state: DescentState): Stepper {
  return {
    get step() {
      return state.step;
    },
    get divergedAt() {
      return state.divergedAt;
    },
    get float64ZeroAt() {
      return state.float64ZeroAt;
    },
    bits: null,
    next(count, columns) {
      const first = state.step;
      descend(config, state, count, columns);
      return state.step - first;
    },
    state() {
      const now = { ...state };
      return () => now;
    },
  };
}

/** A state as it was stored. @throws CheckpointError where a field is missing */
export function storedDescent(saved: StateReader): DescentState {
  return {
    step: saved.number('step'),
    alpha: saved.number('alpha'),
    mantissa: saved.number('mantissa'),
    exponent: saved.number('exponent'),
    beta2: saved.number('beta2'),
    residual: saved.number('residual'),
    plainBeta1: saved.number('plainBeta1'),
    divergedAt: saved.numberOrNull('divergedAt'),
    float64ZeroAt: saved.numberOrNull('float64ZeroAt'),
    shadowAlpha: saved.number('shadowAlpha'),
    shadowMantissa: saved.number('shadowMantissa'),
    shadowBeta2: saved.number('shadowBeta2'),
    agreed: saved.number('agreed'),
    told: saved.number('told'),
    moves: saved.flag('moves'),
    blind: saved.flag('blind'),
  };
}

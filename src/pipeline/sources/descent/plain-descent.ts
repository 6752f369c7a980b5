import type { RunConfig } from '../../models/minimal/config.ts';
import { type DescentState, descend, initialState } from '../../models/minimal/descend.ts';
import type { Stepper } from './stepper.ts';

/** Plain gradient descent in float64, from this state where one is given. */
export function plainStepper(config: RunConfig, from?: DescentState): Stepper {
  const state = { ...(from ?? initialState(config)) };
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

import type { RunConfig } from '../../models/minimal/config.ts';
import { type DescentState, descend, initialState } from '../../models/minimal/descend.ts';
import type { RowDigits } from '../../models/minimal/row-agreement.ts';
import type { Stepper } from './stepper.ts';

/** What tells the digits of whole rows, where it is there; where it is not, it can be sent for. */
export interface LateDigits {
  rowDigits?: RowDigits;
  send?(): void;
}

/** Plain gradient descent in float64, from this state where one is given. */
export function plainStepper(config: RunConfig, digits: LateDigits, from?: DescentState): Stepper {
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
      if (descend(config, state, count, columns, digits.rowDigits)) digits.send?.();
      return state.step - first;
    },
    state() {
      const now = { ...state };
      return () => now;
    },
  };
}

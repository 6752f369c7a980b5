import type { Observable } from 'rxjs';
import { source } from '../../core/source.ts';
import type { RunConfig } from '../../models/minimal/config.ts';
import { type DescentState, descend, initialState } from '../../models/minimal/descend.ts';
import { type SourceBatch, startModelRun } from '../../models/minimal/run.ts';
import { gd } from '../../optimizers/gd.ts';
import { type DescentOptions, rowsOf, type Stepper } from './stepper.ts';

/** The batches of a run of plain gradient descent in float64 from its start. */
export const descent = (config: RunConfig, options: DescentOptions): Observable<SourceBatch> =>
  source(
    () =>
      rowsOf(startModelRun(config, gd.stability({})), (told) => plainStepper(told, options.from)),
    options,
  );

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

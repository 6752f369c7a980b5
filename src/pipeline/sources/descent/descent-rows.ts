import type { Observable } from 'rxjs';
import { CheckpointError, resumedState } from '../../core/checkpoint.ts';
import { ConfigError } from '../../core/parameters.ts';
import { type RowSource, source } from '../../core/source.ts';
import { type StateReader, storedStages } from '../../core/stored-state.ts';
import { count } from '../../format.ts';
import type { RunConfig } from '../../models/minimal/config.ts';
import type { DescentState } from '../../models/minimal/descend.ts';
import {
  type ModelRun,
  type SourceArrays,
  type SourceBatch,
  startModelRun,
} from '../../models/minimal/run.ts';
import { stabilityOf } from '../../optimizers/index.ts';
import { optimizerStepper } from './optimizer-descent.ts';
import { wholeStepper } from './plain-descent.ts';
import { preciseStepper } from './precise-descent.ts';
import { type DescentOptions, rowsOf, STAGE, type StartStepper } from './stepper.ts';

/** The batches of a run under any optimizer, in any precision. */
export const descent = (config: RunConfig, options: DescentOptions): Observable<SourceBatch> =>
  source(() => descentRows(config, options), options);

/** The rows of a run under any optimizer, in any precision. */
export function descentRows(
  config: RunConfig,
  options: DescentOptions & { readonly reuse?: boolean } = {},
): RowSource<SourceArrays, ModelRun> {
  const startStepper =
    config.optimizer !== 'gd'
      ? optimizerStepper
      : config.precision === 'float64'
        ? plainFrom(options.from)
        : preciseStepper;
  const { run, saved } = beginRun(config, options);
  return rowsOf(run, startStepper, { ...options, saved });
}

/** Plain gradient descent from a stored state, from this one, or from the start. */
const plainFrom =
  (from?: DescentState): StartStepper =>
  (config, saved) =>
    wholeStepper(config, saved ? storedDescent(saved) : from);

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

/** A run of this config, and the state from which its source goes on where it is resumed. */
export function beginRun(config: RunConfig, { resume }: DescentOptions) {
  const run = startModelRun(config, stabilityOf(config));
  if (!resume) return { run };
  run.resumed = storedStages(resume);
  const saved = resumedState(run, STAGE)!;
  checkStep(saved.number('step'), config);
  return { run, saved };
}

function checkStep(step: number, { steps }: RunConfig): void {
  if (!Number.isSafeInteger(step) || step < 0)
    throw new CheckpointError('checkpoint: its step is not a count');
  if (step <= steps + 1) return;
  throw new ConfigError(
    'steps',
    `the run stands at step ${count(step)} already; there is nothing left to compute up to ` +
      `${count(steps)}`,
  );
}

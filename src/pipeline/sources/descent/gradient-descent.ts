import type { Observable } from 'rxjs';
import { CheckpointError, resumedState, type StateReader } from '../../core/checkpoint.ts';
import { startRun } from '../../core/run.ts';
import { arraysOf } from '../../core/schema.ts';
import { type RowSource, type SourceOptions, source } from '../../core/source.ts';
import { RUN_COLUMNS, runColumns } from '../../models/minimal/columns.ts';
import {
  ConfigError,
  type RunConfig,
  type RunOptions,
  resolveConfig,
} from '../../models/minimal/config.ts';
import { type DescentState, descend, initialState } from '../../models/minimal/descend.ts';
import type { ModelRun, SourceArrays, SourceBatch } from '../../models/minimal/run.ts';
import type { RunSummary } from '../../models/minimal/summary.ts';
import { stabilityOf } from '../../optimizers/index.ts';
import { optimizerStepper } from './optimizer-descent.ts';
import { preciseStepper } from './precise-descent.ts';

export interface DescentOptions extends SourceOptions {
  /** Start from here instead of from `init`; for runs in float64. */
  readonly from?: DescentState;
}

/** The columns of every dynamics of the model, in the order in which operators' columns are added. */
export const POINT_COLUMNS = runColumns(
  'step',
  'alpha',
  'beta1',
  'beta2',
  'log10_abs_beta1',
  'loss',
  'l2',
  'grad_norm',
);

const SOURCE_COLUMNS = [...POINT_COLUMNS, ...runColumns('digits')] as const;

const FILE_ORDER = RUN_COLUMNS.map(({ name }) => name);

/**
 * Gradient descent θ ← θ − η∇L(θ) on the minimal network, with the projection that keeps its oscillation
 * alive: a cold Observable of batches of consecutive steps, rows t = 0 … steps. Each subscription is a run
 * of its own. A run that diverges ends with the last row whose loss is at most 10¹².
 *
 * @throws ConfigError at once where a parameter cannot be used, RangeError where `batchSize` or `pace` cannot.
 */
export function gradientDescent(
  options: RunOptions = {},
  sourceOptions: DescentOptions = {},
): Observable<SourceBatch> {
  const config = resolveConfig(options);
  return source(() => descentRows(config, sourceOptions), sourceOptions);
}

/** A run of the model before its first row. */
export function startModelRun(config: RunConfig): ModelRun {
  return {
    ...startRun<RunConfig, RunSummary>(config, stabilityOf(config), FILE_ORDER),
    float64ZeroAt: null,
    bits: null,
  };
}

/** The arithmetic of a run: computes its rows in order, and can be stored between two blocks. */
export interface Stepper {
  readonly step: number;
  readonly divergedAt: number | null;
  readonly float64ZeroAt: number | null;
  readonly bits: number | null;
  /** Fills up to so many rows, and returns how many it has. */
  next(count: number, columns: SourceArrays): number;
  /** Where it stands; made only where it is written. */
  state(): () => Readonly<Record<string, unknown>>;
}

/** The rows of a run of gradient descent from step 0, or from where a checkpoint stands. */
export function descentRows(
  config: RunConfig,
  { from, resume }: DescentOptions = {},
): RowSource<SourceArrays, ModelRun> {
  const run = startModelRun(config);
  if (resume) run.resumed = resume.stages;
  const saved = resumedState(run, STAGE);
  if (saved) checkStep(saved.number('step'), config);
  const stepper =
    config.optimizer !== 'gd'
      ? optimizerStepper(config, saved)
      : config.precision === 'float64'
        ? plainStepper(config, saved ? storedState(saved) : { ...(from ?? initialState(config)) })
        : preciseStepper(config, saved);
  const follow = () => {
    const { divergedAt, float64ZeroAt, bits } = stepper;
    Object.assign(run, { divergedAt, float64ZeroAt, bits });
  };
  follow();
  const ended = () => run.divergedAt !== null || stepper.step > config.steps;
  return {
    run,
    get step() {
      return stepper.step;
    },
    get ended() {
      return ended();
    },
    next(size, into) {
      // A resumed run may have nothing left to compute but its end.
      const capacity = ended() ? 0 : Math.min(size, config.steps - stepper.step + 1);
      const columns = (into as SourceArrays | undefined) ?? arraysOf(SOURCE_COLUMNS, capacity);
      const length = capacity > 0 ? stepper.next(capacity, columns) : 0;
      follow();
      const state = stepper.state();
      return {
        run,
        length,
        schema: SOURCE_COLUMNS,
        columns,
        after: { [STAGE]: { state } },
      };
    },
  };
}

const STAGE = 'gradientDescent';

function plainStepper(config: RunConfig, state: DescentState): Stepper {
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

function checkStep(step: number, { steps }: RunConfig): void {
  if (!Number.isSafeInteger(step) || step < 0)
    throw new CheckpointError('checkpoint: its step is not a count');
  if (step <= steps + 1) return;
  throw new ConfigError(
    'steps',
    `the run stands at step ${step} already; there is nothing left to compute up to ${steps}`,
  );
}

function storedState(saved: StateReader): DescentState {
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
    blind: saved.flag('blind'),
  };
}

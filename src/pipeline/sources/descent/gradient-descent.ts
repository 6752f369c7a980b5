import type { Observable } from 'rxjs';
import { CheckpointError, resumedState, type StateReader } from '../../core/checkpoint.ts';
import { startRun } from '../../core/run.ts';
import { arraysOf } from '../../core/schema.ts';
import { type RowSource, type SourceOptions, source } from '../../core/source.ts';
import { RUN_COLUMNS, runColumns } from '../../models/minimal/columns.ts';
import {
  ConfigError,
  DIVERGENCE_LOSS,
  type RunConfig,
  type RunOptions,
  resolveConfig,
} from '../../models/minimal/config.ts';
import type { ModelRun, SourceArrays, SourceBatch } from '../../models/minimal/run.ts';
import type { RunSummary } from '../../models/minimal/summary.ts';
import { hypot, log10 } from '../../numeric/elementary.ts';
import { gd } from '../../optimizers/gd.ts';

/**
 * θ_t at full reach: β₁ = mantissa·2^exponent never underflows. The exponent is 0 in the range of normal numbers, where
 * the digits are those of plain float64, and a multiple of −512 below.
 */
export interface DescentState {
  readonly step: number;
  readonly alpha: number;
  readonly mantissa: number;
  readonly exponent: number;
  readonly beta2: number;
  /** β₁ as plain float64 would carry it, once the exponent has left 0. */
  readonly plainBeta1: number;
}

export interface DescentOptions extends SourceOptions {
  /** Start from here instead of from `init`. */
  readonly from?: DescentState;
}

/** The columns of gradient descent, in the order in which its operators' columns are added. */
export const SOURCE_COLUMNS = runColumns(
  'step',
  'alpha',
  'beta1',
  'beta2',
  'log10_abs_beta1',
  'loss',
  'grad_norm',
);

const FILE_ORDER = RUN_COLUMNS.map(({ name }) => name);

/** Squares below this have lost digits to underflow. */
const LEAST_SQUARES = 2 ** -960;

/**
 * Gradient descent θ ← θ − η∇L(θ) on the minimal network, with the projection |β₁| ≥ floor: a cold Observable of
 * batches of consecutive steps, rows t = 0 … steps. Each subscription is a run of its own. A run that diverges ends
 * with the last row whose loss is at most 10¹².
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
    ...startRun<RunConfig, RunSummary>(config, gd.stability({}), FILE_ORDER),
    float64ZeroAt: null,
  };
}

/** The rows of a run of gradient descent from step 0, or from where a checkpoint stands. */
export function descentRows(
  config: RunConfig,
  { from, resume }: DescentOptions = {},
): RowSource<SourceArrays, ModelRun> {
  const run = startModelRun(config);
  let state = from ?? initialState(config);
  if (resume) {
    run.resumed = resume.stages;
    const saved = resumedState(run, STAGE)!;
    state = descentState(saved, config);
    run.float64ZeroAt = saved.numberOrNull('float64ZeroAt');
    run.divergedAt = saved.numberOrNull('divergedAt');
  }
  const ended = () => run.divergedAt !== null || state.step > config.steps;
  return {
    run,
    get step() {
      return state.step;
    },
    get ended() {
      return ended();
    },
    next(size, into) {
      const first = state.step;
      // A resumed run may have nothing left to compute but its end.
      const capacity = ended() ? 0 : Math.min(size, config.steps - first + 1);
      const columns = (into as SourceArrays | undefined) ?? arraysOf(SOURCE_COLUMNS, capacity);
      if (capacity > 0) state = descend(run, state, capacity, columns);
      const { float64ZeroAt, divergedAt } = run;
      const now = { ...state, float64ZeroAt, divergedAt };
      return {
        run,
        length: state.step - first,
        schema: SOURCE_COLUMNS,
        columns,
        after: { [STAGE]: { state: () => now } },
      };
    },
  };
}

const STAGE = 'gradientDescent';

function descentState(saved: StateReader, { steps }: RunConfig): DescentState {
  const step = saved.number('step');
  if (!Number.isSafeInteger(step) || step < 0)
    throw new CheckpointError('checkpoint: its step is not a count');
  if (step > steps + 1) {
    throw new ConfigError(
      'steps',
      `the run stands at step ${step} already; there is nothing left to compute up to ${steps}`,
    );
  }
  return {
    step,
    alpha: saved.number('alpha'),
    mantissa: saved.number('mantissa'),
    exponent: saved.number('exponent'),
    beta2: saved.number('beta2'),
    plainBeta1: saved.number('plainBeta1'),
  };
}

/** The state of a run at step 0. */
export function initialState({ init: [alpha, beta1, beta2] }: RunConfig): DescentState {
  return { step: 0, alpha, ...split(beta1), beta2, plainBeta1: beta1 };
}

/** 2^−512: below it β₁ is held with an exponent of its own; powers of two, so that no digit changes. */
const TINY = 2 ** -512;
const HUGE = 2 ** 512;
const LOG10_2 = 0.3010299956639812;

function split(beta1: number): { mantissa: number; exponent: number } {
  return beta1 !== 0 && Math.abs(beta1) < TINY
    ? { mantissa: beta1 * HUGE, exponent: -512 }
    : { mantissa: beta1, exponent: 0 };
}

/** The loop itself. Everything it touches is a local number: it is the speed of the whole. */
function descend(
  run: ModelRun,
  state: DescentState,
  count: number,
  columns: SourceArrays,
): DescentState {
  const { eta, floor } = run.config;
  const { lambda1, lambda2, covariance } = run.config.moments;
  const {
    step,
    alpha: alphas,
    beta1: beta1s,
    beta2: beta2s,
    log10_abs_beta1: logs,
    loss: losses,
    grad_norm,
  } = columns;
  const decoupled = covariance === 0;
  const logFloor = log10(floor);

  const first = state.step;
  let { alpha, mantissa, exponent, beta2, plainBeta1 } = state;
  let beta1 = unscaled(mantissa, exponent);
  let p = alpha * beta1;
  let r = alpha * beta2 - 1;
  let loss = 0.5 * lambda1 * (p * p) + 0.5 * lambda2 * (r * r) + covariance * p * r;

  let i = 0;
  while (i < count) {
    const e1 = lambda1 * p + covariance * r;
    const e2 = covariance * p + lambda2 * r;
    const gradAlpha = beta1 * e1 + beta2 * e2;
    const gradBeta1 = alpha * e1;
    const gradBeta2 = alpha * e2;
    const size = Math.abs(mantissa);

    step[i] = first + i;
    alphas[i] = alpha;
    beta1s[i] = beta1;
    beta2s[i] = beta2;
    logs[i] =
      exponent !== 0 ? log10(size) + exponent * LOG10_2 : size === floor ? logFloor : log10(size);
    losses[i] = loss;
    const squares = gradAlpha * gradAlpha + gradBeta1 * gradBeta1 + gradBeta2 * gradBeta2;
    // Squares lose digits long before what is squared does; the function that minds that is slow.
    grad_norm[i] =
      squares >= LEAST_SQUARES ? Math.sqrt(squares) : hypot(gradAlpha, gradBeta1, gradBeta2);
    i++;

    if (decoupled) {
      const factor = 1 - eta * (lambda1 * (alpha * alpha));
      mantissa *= factor;
      if (exponent !== 0) {
        if (plainBeta1 !== 0) {
          plainBeta1 *= factor;
          if (plainBeta1 === 0 && mantissa !== 0) run.float64ZeroAt ??= first + i;
        }
        if (Math.abs(mantissa) > 1) {
          mantissa *= TINY;
          exponent += 512;
        }
      } else if (Math.abs(mantissa) < TINY && mantissa !== 0) {
        plainBeta1 = mantissa;
        mantissa *= HUGE;
        exponent -= 512;
      }
      if (exponent < 0 && Math.abs(mantissa) < TINY && mantissa !== 0) {
        mantissa *= HUGE;
        exponent -= 512;
      }
      beta1 = exponent === 0 ? mantissa : unscaled(mantissa, exponent);
    } else {
      beta1 -= eta * gradBeta1;
      mantissa = beta1;
      exponent = 0;
    }
    alpha -= eta * gradAlpha;
    beta2 -= eta * gradBeta2;
    if (Math.abs(beta1) < floor) {
      beta1 = mantissa < 0 ? -floor : floor;
      mantissa = beta1;
      exponent = 0;
    }

    p = alpha * beta1;
    r = alpha * beta2 - 1;
    loss = 0.5 * lambda1 * (p * p) + 0.5 * lambda2 * (r * r) + covariance * p * r;
    if (!(loss <= DIVERGENCE_LOSS)) {
      if (first + i <= run.config.steps) run.divergedAt = first + i;
      break;
    }
  }
  return { step: first + i, alpha, mantissa, exponent, beta2, plainBeta1 };
}

/** mantissa·2^exponent as float64: 0 or subnormal where it is below the range. */
function unscaled(mantissa: number, exponent: number): number {
  if (exponent === 0) return mantissa;
  return exponent < -1600 ? mantissa * 0 : mantissa * 2 ** (exponent / 2) * 2 ** (exponent / 2);
}

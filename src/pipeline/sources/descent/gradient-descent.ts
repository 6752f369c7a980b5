import { Observable } from 'rxjs';
import { type Run, type StepBatch, startRun } from '../../core/batch.ts';
import {
  type Checkpoint,
  CheckpointError,
  resumedState,
  type StateReader,
} from '../../core/checkpoint.ts';
import { type Clock, realClock } from '../../core/clock.ts';
import type { RunArrays } from '../../models/minimal/columns.ts';
import {
  ConfigError,
  DIVERGENCE_LOSS,
  type RunConfig,
  type RunOptions,
  resolveConfig,
} from '../../models/minimal/config.ts';
import { hypot, log10 } from '../../numeric/elementary.ts';
import type { RunSummary } from '../../operators/run-summary.ts';

/** A run of gradient descent, and what the source has found out about it so far. */
export interface ModelRun extends Run<RunConfig, RunSummary> {
  /** First step whose loss is over the limit or not finite; it has no row. */
  divergedAt: number | null;
  /** First step whose β₁ plain float64 would hold as 0 although it is not. */
  float64ZeroAt: number | null;
  /** Whether the run was stopped from outside before its last step. */
  interrupted: boolean;
  /** Whether somebody downstream counts the steps for its summary. */
  summarized?: boolean;
  /** Where the run stands after the last batch: enough to continue it to the last digit. */
  state: DescentState;
}

/** What gradient descent computes by itself; operators add the other columns. */
export type SourceColumn =
  | 'step'
  | 'alpha'
  | 'beta1'
  | 'beta2'
  | 'log10_abs_beta1'
  | 'loss'
  | 'grad_norm';

/** A block of steps of the model: θ, loss and gradient norm from the source, further columns from operators. */
export type ModelBatch = StepBatch<
  Readonly<Pick<RunArrays, SourceColumn> & Partial<Omit<RunArrays, SourceColumn>>>,
  ModelRun
>;

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

export interface SourceOptions {
  /** Rows a batch; has no influence on any digit. */
  readonly batchSize?: number;
  /** Steps per second of wall time, to watch it happen; unlimited unless given. */
  readonly pace?: number;
  /** Ends the run early: it completes after the batch under way, marked `interrupted`. */
  readonly signal?: AbortSignal;
  /** Continue from here instead of from `init`. */
  readonly from?: DescentState;
  /** Continue the run of this checkpoint, all stages of its pipeline included. */
  readonly resume?: Checkpoint;
  readonly clock?: Clock;
}

const DEFAULT_BATCH = 4096;
const FRAMES_PER_SECOND = 20;
/** Squares below this have lost digits to underflow. */
const LEAST_SQUARES = 2 ** -960;
/** How long the source may keep the event loop to itself, in milliseconds. */
const SLICE = 10;

/**
 * Gradient descent θ ← θ − η∇L(θ) on the minimal network, with the projection |β₁| ≥ floor: a cold Observable of
 * batches of consecutive steps, rows t = 0 … steps. Each subscription is a run of its own. A run that diverges ends
 * with the last row whose loss is at most 10¹².
 *
 * @throws ConfigError at once where a parameter cannot be used, RangeError where `batchSize` or `pace` cannot.
 */
export function gradientDescent(
  options: RunOptions = {},
  source: SourceOptions = {},
): Observable<ModelBatch> {
  const config = resolveConfig(options);
  const { pace, signal, clock = realClock } = source;
  const batchSize =
    source.batchSize ??
    (pace
      ? Math.max(1, Math.min(DEFAULT_BATCH, Math.ceil(pace / FRAMES_PER_SECOND)))
      : DEFAULT_BATCH);
  if (!(Number.isSafeInteger(batchSize) && batchSize >= 1))
    throw new RangeError(`batchSize: ${batchSize} is not a whole number from 1 up`);
  if (pace !== undefined && !(pace > 0))
    throw new RangeError(`pace: ${pace} is not a positive number`);

  return new Observable((subscriber) => {
    const run = startDescent(config, source.from);
    try {
      if (source.resume) resumeDescent(run, source.resume);
    } catch (error) {
      subscriber.error(error);
      return;
    }

    const descend = async () => {
      const start = clock.now();
      const firstStep = run.state.step;
      let sliceStart = start;
      for (;;) {
        const batch = nextBatch(run, batchSize);
        const ended = hasEnded(run);
        run.interrupted = !ended && signal?.aborted === true;
        subscriber.next(batch);
        await run.ready();
        if (subscriber.closed) return;
        if (ended || run.interrupted) {
          subscriber.complete();
          return;
        }
        if (pace) {
          const due = start + ((run.state.step - firstStep) / pace) * 1000;
          await clock.sleep(due - clock.now(), signal);
        } else if (clock.now() - sliceStart > SLICE) {
          await clock.yield();
          sliceStart = clock.now();
        }
        if (subscriber.closed) return;
      }
    };
    descend().catch((error: unknown) => subscriber.error(error));
  });
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

/** A run before its first batch, at step 0 or where `from` left off. */
export function startDescent(
  config: RunConfig,
  from: DescentState = initialState(config),
): ModelRun {
  return {
    ...startRun<RunConfig, RunSummary>(config),
    divergedAt: null,
    float64ZeroAt: null,
    interrupted: false,
    state: from,
  };
}

/** Moves a run to where a checkpoint stands, and lets its stages know. */
function resumeDescent(run: ModelRun, { stages }: Checkpoint): void {
  run.resumed = stages;
  const saved = resumedState(run, STAGE);
  if (!saved) return;
  run.state = descentState(saved, run.config);
  run.float64ZeroAt = saved.numberOrNull('float64ZeroAt');
  run.divergedAt = saved.numberOrNull('divergedAt');
}

/** Whether all rows of a run have been computed. */
export function hasEnded({ divergedAt, state, config }: ModelRun): boolean {
  return divergedAt !== null || state.step > config.steps;
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

/** Computes up to `size` rows from `run.state` on, into new arrays unless others are given, and moves the state behind them. */
export function nextBatch(
  run: ModelRun,
  size: number,
  into?: Pick<RunArrays, SourceColumn>,
): ModelBatch {
  const { steps } = run.config;
  const { step: first } = run.state;
  // A resumed run may have nothing left to compute but its end.
  const capacity = run.divergedAt !== null ? 0 : Math.max(0, Math.min(size, steps - first + 1));
  const columns = into ?? sourceArrays(capacity);
  if (capacity > 0) descend(run, capacity, columns);
  const length = run.state.step - first;
  const { state, float64ZeroAt, divergedAt } = run;
  return {
    run,
    length,
    columns,
    after: { [STAGE]: () => ({ ...state, float64ZeroAt, divergedAt }) },
  };
}

function sourceArrays(capacity: number): Pick<RunArrays, SourceColumn> {
  return {
    step: new Float64Array(capacity),
    alpha: new Float64Array(capacity),
    beta1: new Float64Array(capacity),
    beta2: new Float64Array(capacity),
    log10_abs_beta1: new Float64Array(capacity),
    loss: new Float64Array(capacity),
    grad_norm: new Float64Array(capacity),
  };
}

/** The loop itself. Everything it touches is a local number: it is the speed of the whole. */
function descend(run: ModelRun, count: number, columns: Pick<RunArrays, SourceColumn>): void {
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

  const first = run.state.step;
  let { alpha, mantissa, exponent, beta2, plainBeta1 } = run.state;
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
  run.state = { step: first + i, alpha, mantissa, exponent, beta2, plainBeta1 };
}

/** mantissa·2^exponent as float64: 0 or subnormal where it is below the range. */
function unscaled(mantissa: number, exponent: number): number {
  if (exponent === 0) return mantissa;
  return exponent < -1600 ? mantissa * 0 : mantissa * 2 ** (exponent / 2) * 2 ** (exponent / 2);
}

import { Observable } from 'rxjs';
import { startRun } from '../core/batch.ts';
import { realClock } from '../core/clock.ts';
import {
  ConfigError,
  type RunConfig,
  type RunOptions,
  resolveConfig,
} from '../models/minimal/config.ts';
import { gradient, lossSplit, type Theta } from '../models/minimal/loss.ts';
import { hypot } from '../numeric/elementary.ts';
import type { RunSummary } from '../operators/run-summary.ts';
import {
  initialState,
  type ModelBatch,
  type ModelRun,
  type SourceOptions,
} from '../sources/descent/gradient-descent.ts';

/** Dynamics beside gradient descent. */
export type DynamicsName = 'gradient-flow' | 'constrained' | 'central';

/** Config of such a trajectory: that of the run it stands beside, and which dynamics it is. */
export interface TrajectoryConfig extends RunConfig {
  readonly dynamics: DynamicsName;
}

/** A point that moves: θ now, and how to come to the next row. */
export interface Mover {
  readonly theta: Theta;
  /** ln|β₁|, valid where β₁ underflows. */
  readonly logBeta1: number;
  /** Moves on by one step of gradient descent, which is the time η. */
  advance(): void;
}

/** What a source beside `gradientDescent` is: the same options, the same batches on the same axis of steps. */
export type TrajectorySource = (
  options?: RunOptions,
  source?: SourceOptions,
) => Observable<ModelBatch>;

const BATCH = 4096;
/** How long the source may keep the event loop to itself, in milliseconds. */
const SLICE = 10;

/**
 * A source of the rows t = 0 … steps of some dynamics: `start` gives the point that moves, from the run's config. Row t
 * stands for the time ηt. The batches have the columns of `gradientDescent`, so `splitLoss`, `classifySharpness` and
 * `flowSolution` work on them; phases and cycles are those of gradient descent and do not apply. `pace` and `from`
 * of the source options have no meaning here.
 */
export function trajectory(
  dynamics: DynamicsName,
  start: (config: RunConfig) => Mover,
): TrajectorySource {
  return (options = {}, { batchSize = BATCH, signal, clock = realClock } = {}) => {
    const config: TrajectoryConfig = { ...resolveConfig(options), dynamics };
    start(config);
    return new Observable((subscriber) => {
      const run: ModelRun = {
        ...startRun<RunConfig, RunSummary>(config),
        divergedAt: null,
        float64ZeroAt: null,
        interrupted: false,
        state: initialState(config),
      };
      const mover = start(config);
      const descend = async () => {
        let sliceStart = clock.now();
        for (let first = 0; first <= config.steps; ) {
          const batch = nextBatch(run, mover, first, Math.min(batchSize, config.steps + 1 - first));
          first += batch.length;
          run.interrupted = first <= config.steps && signal?.aborted === true;
          subscriber.next(batch);
          await run.ready();
          if (subscriber.closed) return;
          if (run.interrupted) break;
          if (clock.now() - sliceStart > SLICE) {
            await clock.yield();
            sliceStart = clock.now();
          }
          if (subscriber.closed) return;
        }
        subscriber.complete();
      };
      descend().catch((error: unknown) => subscriber.error(error));
    });
  };
}

/** Covariance 0 is what the formulas of that dynamics are made for. */
export function needsNoCovariance(
  { moments: { covariance } }: RunConfig,
  dynamics: DynamicsName,
): void {
  if (covariance === 0) return;
  throw new ConfigError(
    'covariance',
    `the ${dynamics} trajectory is defined for covariance 0 only, and here it is ${covariance}; leave that trajectory out`,
  );
}

function nextBatch(run: ModelRun, mover: Mover, first: number, length: number): ModelBatch {
  const { moments, steps } = run.config;
  const columns = {
    step: new Float64Array(length),
    alpha: new Float64Array(length),
    beta1: new Float64Array(length),
    beta2: new Float64Array(length),
    log10_abs_beta1: new Float64Array(length),
    loss: new Float64Array(length),
    grad_norm: new Float64Array(length),
  };
  for (let i = 0; i < length; i++) {
    const { theta } = mover;
    const slope = gradient(theta, moments);
    columns.step[i] = first + i;
    columns.alpha[i] = theta.alpha;
    columns.beta1[i] = theta.beta1;
    columns.beta2[i] = theta.beta2;
    columns.log10_abs_beta1[i] = mover.logBeta1 / Math.LN10;
    columns.loss[i] = lossSplit(theta, moments).loss;
    columns.grad_norm[i] = hypot(slope.alpha, slope.beta1, slope.beta2);
    if (first + i < steps) mover.advance();
  }
  const { alpha, beta1, beta2 } = mover.theta;
  run.state = {
    step: first + length,
    alpha,
    mantissa: beta1,
    exponent: 0,
    beta2,
    plainBeta1: beta1,
  };
  return { run, length, columns };
}

import type { Observable } from 'rxjs';
import type { Batch } from '../core/batch.ts';
import { arraysOf } from '../core/schema.ts';
import { type RowSource, source } from '../core/source.ts';
import { checkSourceOptions, type SourceOptions } from '../core/source-options.ts';
import type { Dynamics, Mover } from '../dynamics/dynamics.ts';
import { POINT_COLUMNS } from '../models/minimal/columns.ts';
import { type RunConfig, type RunOptions, resolveConfig } from '../models/minimal/config.ts';
import { gradient, lossSplit } from '../models/minimal/loss.ts';
import { type ModelRun, type PointArrays, startModelRun } from '../models/minimal/run.ts';
import { hypot } from '../numeric/elementary.ts';
import { stabilityOf } from '../optimizers/index.ts';

/** Config of such a trajectory: that of the run it stands beside, and which dynamics it is. */
export interface TrajectoryConfig extends RunConfig {
  readonly dynamics: string;
}

/** A batch of a dynamics: the columns of gradient descent, and no checkpoint. */
export type TrajectoryBatch = Batch<PointArrays, ModelRun>;

/**
 * The rows t = 0 … steps of a dynamics beside gradient descent: a cold Observable of batches with
 * the columns of `gradientDescent`, on which `splitLoss`, `classifySharpness` and `flowSolution`
 * work. Row t stands for the time ηt. Phases and cycles are those of gradient descent and do not
 * apply.
 *
 * @throws ConfigError at once where a parameter cannot be used, or the dynamics is not defined for
 * it
 */
export function trajectory(
  dynamics: Dynamics,
  options: RunOptions = {},
  sourceOptions: Omit<SourceOptions, 'resume'> = {},
): Observable<TrajectoryBatch> {
  const config: TrajectoryConfig = { ...resolveConfig(options), dynamics: dynamics.name };
  dynamics.start(config, startModelRun(config, stabilityOf(config)).stability);
  checkSourceOptions(sourceOptions);
  return source(() => trajectoryRows(dynamics, config), sourceOptions);
}

/**
 * The same rows in blocks, from this step on, at which the dynamics stands at the config's `init`.
 */
export function trajectoryRows(
  dynamics: Dynamics,
  config: TrajectoryConfig,
  from = 0,
): RowSource<PointArrays, ModelRun> {
  const run = startModelRun(config, stabilityOf(config));
  const mover = dynamics.start(config, run.stability);
  let step = from;
  return {
    run,
    get step() {
      return step;
    },
    get ended() {
      return step > config.steps;
    },
    next(size, into) {
      const length = Math.min(size, config.steps + 1 - step);
      const columns = (into as PointArrays | undefined) ?? arraysOf(POINT_COLUMNS, length);
      for (let i = 0; i < length; i++) {
        writeRow(columns, i, step, mover, config);
        if (step < config.steps) mover.advance();
        step++;
      }
      return { run, length, schema: POINT_COLUMNS, columns };
    },
  };
}

function writeRow(
  columns: PointArrays,
  i: number,
  step: number,
  { theta, logBeta1, residual }: Mover,
  { moments }: RunConfig,
): void {
  const slope = gradient(theta, moments, residual);
  columns.step[i] = step;
  columns.alpha[i] = theta.alpha;
  columns.beta1[i] = theta.beta1;
  columns.beta2[i] = theta.beta2;
  columns.log10_abs_beta1[i] = logBeta1 / Math.LN10;
  const { loss, l2 } = lossSplit(theta, moments, residual);
  columns.loss[i] = loss;
  columns.l2[i] = l2;
  columns.grad_norm[i] = hypot(slope.alpha, slope.beta1, slope.beta2);
}

import type { Observable } from 'rxjs';
import { etaPlan } from '../core/eta-plan.ts';
import { ConfigError } from '../core/parameters.ts';
import { startRun } from '../core/run.ts';
import { arraysOf } from '../core/schema.ts';
import { type RowSource, source } from '../core/source.ts';
import { checkSourceOptions, type SourceOptions } from '../core/source-options.ts';
import { type Dynamics, needsGradientDescent } from '../dynamics/dynamics.ts';
import { networkOrder, trainingColumns } from '../models/network/columns.ts';
import {
  type NetworkConfig,
  type NetworkOptions,
  type NetworkSetup,
  setupNetwork,
} from '../models/network/config.ts';
import { createNetwork } from '../models/network/network.ts';
import { chosenOptimizer } from '../models/network/optimizer.ts';
import { startWeights } from '../models/network/start.ts';
import { norm } from '../numeric/vectors.ts';
import type {
  NetworkArrays,
  NetworkBatch,
  NetworkRun,
  NetworkSummary,
} from '../operators/network-run.ts';

/** The work of a row is large. */
const BATCH_ROWS = 256;

/**
 * The rows t = 0 … steps of a dynamics beside the training of a network by gradient descent, from
 * the same weights: row t stands for the sum of the learning rates before it. Spectrum, accuracy
 * and norm of the gradient are those at the center; `l1` is what the oscillation adds to its loss.
 *
 * @throws ConfigError at once where a parameter cannot be used, or the dynamics is not defined for
 * networks, for the optimizer or for mini-batches
 */
export function networkTrajectory(
  dynamics: Dynamics,
  options: NetworkOptions = {},
  sourceOptions: Omit<SourceOptions, 'resume'> = {},
): Observable<NetworkBatch> {
  const setup = setupNetwork(options);
  startOf(dynamics, setup);
  checkSourceOptions(sourceOptions);
  return source(() => networkTrajectoryRows(dynamics, setup), {
    batchSize: BATCH_ROWS,
    ...sourceOptions,
  });
}

/** How a dynamics starts where it is defined for such a run. */
function startOf(
  { name, startNetwork }: Dynamics,
  { config }: NetworkSetup,
): NonNullable<Dynamics['startNetwork']> {
  needsGradientDescent(chosenOptimizer(config).stability, name);
  if (config.batch !== null)
    throw new ConfigError(
      'batch',
      `the ${name} trajectory is that of all samples; leave that trajectory out`,
    );
  if (!startNetwork)
    throw new ConfigError('also', `${name} is defined for the minimal model alone`);
  return startNetwork;
}

/**
 * The same rows in blocks, from the start of the run, or from these weights at a step of it.
 *
 * @throws ConfigError where the dynamics is not defined for such a run
 */
export function networkTrajectoryRows(
  dynamics: Dynamics,
  setup: NetworkSetup,
  from?: { readonly step: number; readonly theta: Float64Array },
): RowSource<NetworkArrays, NetworkRun> {
  const start = startOf(dynamics, setup);
  const { layers, data, config } = setup;
  const { activation, loss, seed, eigenvalues, measure } = config;
  const { stability, decay } = chosenOptimizer(config);
  const columns = trainingColumns({
    eigenvalues,
    batch: null,
    classes: loss === 'cross-entropy',
    metric: false,
    relu: activation === 'relu',
  }).filter(({ name }) => name !== 'edge_directions' && name !== 'edge_work');
  const run: NetworkRun = {
    ...startRun<NetworkConfig & { readonly dynamics: string }, NetworkSummary>(
      { ...config, dynamics: dynamics.name },
      stability,
      networkOrder(eigenvalues),
    ),
    title: `${dynamics.name} of mlp ${config.layers}`,
    tally: { entries: [] },
    warnings: [],
  };
  const network = createNetwork({ layers, activation, loss }, data, { tracked: eigenvalues, seed });
  network.theta.set(from?.theta ?? startWeights(layers, seed, config['init-scale']));
  const mover = start(network, decay);
  const eta = etaPlan(config.schedule, config.eta, config.steps);
  let step = from?.step ?? 0;

  function row(arrays: Readonly<Record<string, Float64Array>>, i: number): void {
    const mean = mover.loss?.();
    network.theta.set(mover.center);
    const value = network.gradientAt();
    for (const array of Object.values(arrays)) array[i] = Number.NaN;
    arrays.step![i] = step;
    arrays.eta![i] = eta(step);
    arrays.loss![i] = mean ?? value;
    arrays.l1![i] = mean === undefined ? 0 : mean - value;
    arrays.l2![i] = value;
    arrays.grad_norm![i] = norm(network.gradient);
    if (arrays.accuracy) arrays.accuracy[i] = network.accuracy();
    if (step % measure !== 0) return;
    const { values, error } = network.track();
    for (const [k, lambda] of values.entries())
      arrays[k === 0 ? 'sharpness' : `sharpness_${k + 1}`]![i] = lambda;
    arrays.sharpness_error![i] = error;
  }

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
      const arrays = (into ?? arraysOf(columns, length)) as Record<string, Float64Array>;
      for (let i = 0; i < length; i++) {
        row(arrays, i);
        if (step < config.steps) mover.advance(eta(step));
        step++;
      }
      return { run, length, schema: columns, columns: arrays as NetworkArrays };
    },
  };
}

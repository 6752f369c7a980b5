import type { Observable } from 'rxjs';
import { base64Of, bytesOf } from '../../core/base64.ts';
import { CheckpointError, resumedState, type StageState } from '../../core/checkpoint.ts';
import { etaPlan } from '../../core/eta-plan.ts';
import { ConfigError } from '../../core/parameters.ts';
import { startRun } from '../../core/run.ts';
import { arraysOf } from '../../core/schema.ts';
import { type RowSource, source } from '../../core/source.ts';
import { checkSourceOptions, type SourceOptions } from '../../core/source-options.ts';
import { type StateReader, storedStages } from '../../core/stored-state.ts';
import { count } from '../../format.ts';
import { networkOrder, trainingColumns } from '../../models/network/columns.ts';
import {
  type NetworkConfig,
  type NetworkOptions,
  type NetworkSetup,
  setupNetwork,
} from '../../models/network/config.ts';
import {
  createNetwork,
  type Network,
  type OperatorOptions,
  PAST,
} from '../../models/network/network.ts';
import { type ChosenOptimizer, chosenOptimizer } from '../../models/network/optimizer.ts';
import { epochOrder, startWeights } from '../../models/network/start.ts';
import type {
  NetworkArrays,
  NetworkBatch,
  NetworkRun,
  NetworkSummary,
} from '../../operators/network-run.ts';
import type { MeasuredWarning } from '../../phases/measured/summary.ts';
import type { WeightsAt } from '../trainings/training.ts';

/** A loss above this, or not finite, counts as divergence. */
const DIVERGENCE_LOSS = 1e12;
/** Eigenvalues over this share of the threshold are at the edge. */
export const EDGE_SHARE = 0.8;
/** The work along the edge is taken of steps that change the loss by more than this share. */
const WORTHWHILE = 0.003;
/** A scout joins the search for eigenvalues once in so many steps at least. */
const PROBE_EVERY = 4;
/** The work of a row is large: batches are small, so that logs and files keep up. */
const BATCH_ROWS = 256;
const STAGE = 'networkDescent';
/** Columns that take work of their own, on which the training does not depend. */
const DEAR: ReadonlySet<string> = new Set(['grad_norm', 'accuracy', 'batch_sharpness']);

/** What is no number has many bits, and which an operation leaves depends on the compiler. */
const storedBits = (values: Float64Array): string =>
  base64Of(values.map((value) => (Number.isNaN(value) ? Number.NaN : value)));

/**
 * Trains a network: a cold Observable of batches of consecutive steps, rows t = 0 … steps, with the
 * top of the spectrum of the Hessian at each. Each subscription is a run of its own.
 *
 * @throws ConfigError at once where a parameter cannot be used
 */
export function networkDescent(
  options: NetworkOptions = {},
  sourceOptions: SourceOptions = {},
): Observable<NetworkBatch> {
  const setup = setupNetwork(options);
  checkSourceOptions(sourceOptions);
  const batchSize = sourceOptions.batchSize ?? (sourceOptions.pace ? undefined : BATCH_ROWS);
  return source(() => networkRows(setup, sourceOptions), {
    ...sourceOptions,
    ...(batchSize === undefined ? {} : { batchSize }),
  });
}

/** What is measured of all samples does not tell when mini-batches are at the edge. */
function warningsOf({ config: { batch }, data }: NetworkSetup): MeasuredWarning[] {
  if (batch === null || batch === data.count) return [];
  const message =
    'phases and spikes are judged by λ_max of all samples; with mini-batches it is ' +
    'batch_sharpness that settles at 2/η (arXiv:2412.20553), and λ_max below it';
  return [{ kind: 'batches', step: 0, message }];
}

/**
 * The rows of a run from step 0, or from where a checkpoint stands.
 * @param stores whether batches say how to go on behind them; `unkept` where they say it until
 * the next batch alone, for which nothing is copied
 * @param reads the columns that are looked at, where others that take work are to be left out
 */
export function networkRows(
  setup: NetworkSetup,
  { resume }: SourceOptions = {},
  stores: boolean | 'unkept' = true,
  reads?: ReadonlySet<string>,
): RowSource<NetworkArrays, NetworkRun> {
  const { config } = setup;
  const chosen = chosenOptimizer(config);
  const columns = trainingColumns({
    eigenvalues: config.eigenvalues,
    batch: config.batch,
    classes: config.loss === 'cross-entropy',
    metric: chosen.optimizer.metric !== undefined,
    relu: config.activation === 'relu',
  }).filter(({ name }) => !reads || reads.has(name) || !DEAR.has(name));
  const order = networkOrder(config.eigenvalues);
  const run: NetworkRun = {
    ...startRun<NetworkConfig, NetworkSummary>(config, chosen.stability, order),
    title: `mlp ${config.layers}`,
    tally: { entries: [] },
    warnings: warningsOf(setup),
  };
  const training = createTraining(setup, chosen);
  let step = 0;
  if (resume) {
    run.resumed = storedStages(resume);
    const saved = resumedState(run, STAGE)!;
    step = stepOf(saved, config);
    training.resume(saved);
  }
  const ended = () => run.divergedAt !== null || step > config.steps;
  return {
    run,
    get step() {
      return step;
    },
    get ended() {
      return ended();
    },
    next(size, into) {
      const first = step;
      const capacity = ended() ? 0 : Math.min(size, config.steps - first + 1);
      const arrays = (into ?? arraysOf(columns, capacity)) as Record<string, Float64Array>;
      // What is not measured stays so.
      for (const array of Object.values(arrays)) array.fill(Number.NaN, 0, capacity);
      const row = training.rowsInto(arrays);
      for (let i = 0; i < capacity; i++) {
        if (!row(i, step)) {
          run.divergedAt = step;
          break;
        }
        step++;
      }
      const batch = {
        ...{ run, length: step - first, schema: columns },
        columns: arrays as NetworkArrays,
      };
      if (!stores) return batch;
      const at = step;
      const kept = stores === 'unkept' ? undefined : training.state();
      const state = () => {
        if (!kept && step !== at) throw new TypeError('the run has gone on');
        return { step: at, ...(kept ?? training.state())() };
      };
      // Where it diverged is found anew: what stands here is the same, wherever a batch ends.
      return { ...batch, after: { [STAGE]: { state } } };
    },
  };

  function stepOf(saved: StateReader, { steps }: NetworkConfig): number {
    const at = saved.number('step');
    if (!Number.isSafeInteger(at) || at < 0)
      throw new CheckpointError('checkpoint: its step is not a count');
    if (at <= steps + 1) return at;
    throw new ConfigError(
      'steps',
      `the run stands at step ${count(at)} already; there is nothing left to compute up to ` +
        `${count(steps)}`,
    );
  }
}

/**
 * θ at every K-th step of a training and at its last one: to the last bit that of its rows, which
 * it makes without what is measured on them.
 */
export function* networkWeights(setup: NetworkSetup, every: number): Generator<WeightsAt> {
  const { steps } = setup.config;
  let before = new Float64Array();
  let last = -1;
  let told = -1;
  for (const { step, network } of networkSteps(setup)) {
    last = step;
    if (step % every === 0 || step === steps) {
      told = step;
      yield { step, theta: network.theta };
    }
    before = network.theta.slice();
  }
  if (told < last) yield { step: last, theta: before };
}

/** A training at one of its steps; θ must be back in its place for the next one. */
export interface NetworkAt {
  readonly step: number;
  readonly loss: number;
  /** At θ, with the gradient of all samples, and the metric of the optimizer. */
  readonly network: Network;
  /** The operator whose spectrum is measured. */
  readonly operator: OperatorOptions;
}

/** All steps of a training, without what is measured on them, up to a divergence. */
export function* networkSteps(setup: NetworkSetup): Generator<NetworkAt> {
  const training = createTraining(setup, chosenOptimizer(setup.config));
  const { network } = training;
  for (let step = 0; step <= setup.config.steps; step++) {
    const loss = training.gradients(step);
    if (!(loss <= DIVERGENCE_LOSS)) return;
    yield { step, loss, network, operator: training.operatorAt(step) };
    training.advance(step);
  }
}

interface Training {
  readonly network: Network;
  /** The loss of step t, and its gradients. */
  gradients(t: number): number;
  /** The operator whose spectrum is measured at step t, whose gradients were taken last. */
  operatorAt(t: number): OperatorOptions;
  /** Takes the step behind t, whose gradients were taken last. */
  advance(t: number): void;
  /**
   * Fills row i of these columns with step t, and takes the step behind it; false where the loss of
   * t has diverged.
   */
  rowsInto(columns: Record<string, Float64Array>): (i: number, t: number) => boolean;
  /**
   * Remembers where it stands; the texts of a checkpoint are made only where they are asked for.
   */
  state(): () => StageState;
  resume(saved: StateReader): void;
}

function createTraining({ config, layers, data }: NetworkSetup, chosen: ChosenOptimizer): Training {
  const { activation, loss, batch, seed, eigenvalues, measure } = config;
  const { optimizer, values, decay, stability } = chosen;
  const network = createNetwork({ layers, activation, loss }, data, { tracked: eigenvalues, seed });
  const { parameters: size, theta, gradient, stepGradient, metric } = network;
  theta.set(startWeights(layers, seed, config['init-scale']));
  const eta = etaPlan(config.schedule, config.eta, config.steps);
  const slots = Array.from({ length: optimizer.slots }, () => new Float64Array(size));
  /**
   * Where the last step would have led, had all samples made it: what a mini-batch does by chance
   * is not the edge's.
   */
  const meant = batch === null ? undefined : new Float64Array(size);
  const spare = batch === null ? [] : [stepGradient, ...slots].map((array) => array.slice());
  const preconditioned = optimizer.metric !== undefined;
  const operator = { preconditioned, shift: preconditioned ? decay : 0 };
  const tracking = { ...operator, probing: 0 };
  const valueColumns = Array.from({ length: eigenvalues }, (_, k) =>
    k === 0 ? 'sharpness' : `sharpness_${k + 1}`,
  );
  const batches = batch === null ? 1 : Math.ceil(data.count / batch);
  let epoch = -1;
  /** The first step of the optimizer: another may have taken those before. */
  let since = 0;
  let order: Int32Array = new Int32Array();
  /** The last measurement: its step, the loss at it, and how many directions were at the edge. */
  let last = { t: Number.NaN, loss: Number.NaN, edges: 0 };

  function batchOf(t: number): Int32Array {
    const now = Math.floor(t / batches);
    if (now !== epoch) order = epochOrder(data.count, seed, now);
    epoch = now;
    const first = (t % batches) * batch!;
    return order.subarray(first, Math.min(first + batch!, data.count));
  }

  function takeGradient(): void {
    if (decay === 0) stepGradient.set(gradient);
    else for (let i = 0; i < size; i++) stepGradient[i] = gradient[i]! + decay * theta[i]!;
  }

  function gradients(t: number): number {
    if (batch !== null) {
      network.batchGradientAt(batchOf(t));
      takeGradient();
    }
    const value = network.gradientAt();
    if (batch === null) takeGradient();
    return value;
  }

  /** What the optimizer is told of a step: one object, in which V8 writes numbers in place. */
  const told = { ...values, eta: Number.NaN, t: 0 };
  function valuesAt(t: number): typeof told {
    told.eta = eta(t);
    told.t = t - since;
    return told;
  }

  function operatorAt(t: number): OperatorOptions {
    optimizer.metric?.(stepGradient, slots, valuesAt(t), metric);
    return operator;
  }

  /** The step behind t as all samples would make it, whose gradient `keepStep` kept. */
  function takeMeant(into: Float64Array, t: number): void {
    const [whole, ...copies] = spare;
    const { gradientBefore } = network;
    for (let i = 0; i < size; i++) whole![i] = gradientBefore[i]! + decay * theta[i]!;
    for (const [k, copy] of copies.entries()) copy.set(slots[k]!);
    into.set(theta);
    optimizer.step(into, whole!, copies, valuesAt(t));
  }

  function advance(t: number): void {
    // The kernel takes the most common steps itself, to the same bits.
    if (optimizer.name === 'gd') network.descend(eta(t));
    else optimizer.step(theta, stepGradient, slots, valuesAt(t));
  }

  /** Mean over the mini-batches of the epoch of their curvature along their own gradient. */
  function batchSharpness(): number {
    let sum = 0;
    for (let b = 0; b < batches; b++) {
      network.batchGradientAt(order.subarray(b * batch!, Math.min((b + 1) * batch!, data.count)));
      sum += network.batchSharpness(operator);
    }
    return sum / batches;
  }

  function probingAt(t: number): number {
    // What an optimizer divides by may turn the spectrum within a step.
    if (operator.preconditioned) return network.search;
    return (t / measure) % Math.ceil(PROBE_EVERY / measure) === 0 ? 1 : 0;
  }

  function measuredInto(arrays: Record<string, Float64Array>) {
    const eigenvalueColumns = valueColumns.map((name) => arrays[name]!);
    const { sharpness_error, l1, l2, edge_directions, edge_work } = arrays;
    return (i: number, t: number, value: number) => {
      operatorAt(t);
      tracking.probing = probingAt(t);
      const { values: spectrum, error } = network.track(tracking);
      const edge = EDGE_SHARE * stability.threshold(eta(t));
      let edges = 0;
      for (let k = 0; k < spectrum.length; k++) {
        eigenvalueColumns[k]![i] = spectrum[k]!;
        if (spectrum[k]! > edge) edges++;
      }
      const energy = network.edgeEnergy(edges, operator);
      sharpness_error![i] = error;
      l1![i] = energy;
      l2![i] = value - energy;
      edge_directions![i] = edges;
      if (last.t === t - 1) edge_work![i] = workSince(value, edges, edge);
      last = { t, loss: value, edges };
      network.keepStep();
    };
  }

  /** Part of the change of the loss in the last step that lies in directions at the edge. */
  function workSince(value: number, edges: number, least: number): number {
    const change = value - last.loss;
    const rose = change > WORTHWHILE * last.loss;
    // A rise may be due to a wall within the step.
    if (last.edges === 0 && edges === 0 && (meant || !rose)) return 0;
    if (!(Math.abs(change) > WORTHWHILE * last.loss)) return Number.NaN;
    const step = { begins: last.edges, ends: edges, lossBefore: last.loss, loss: value, least };
    return network.edgeWork(meant ? { ...step, to: meant } : step, operator);
  }

  return {
    network,
    gradients,
    operatorAt,
    advance,
    rowsInto(arrays) {
      const { step, eta: rates, loss: losses, grad_norm, accuracy, batch_sharpness } = arrays;
      const measured = measuredInto(arrays);
      return (i, t) => {
        const value = gradients(t);
        if (!(value <= DIVERGENCE_LOSS)) return false;
        step![i] = t;
        rates![i] = eta(t);
        losses![i] = value;
        if (grad_norm) grad_norm[i] = network.gradientNorm();
        if (accuracy) accuracy[i] = network.accuracy();
        if (t % measure === 0) {
          measured(i, t, value);
          if (batch_sharpness) batch_sharpness[i] = batchSharpness();
          if (meant) takeMeant(meant, t);
        }
        advance(t);
        return true;
      };
    },
    state() {
      // Those of the tracker are copies already.
      const { vectors, swings, scout, ...tracker } = network.saveTracker();
      const arrays = [theta.slice(), vectors, ...slots.map((array) => array.slice())];
      const before = [network.thetaBefore.slice(), swings, scout];
      if (meant) before.push(meant.slice());
      const { t, edges } = last;
      const begun = since > 0 ? { since } : {};
      return () => ({
        ...tracker,
        ...begun,
        arrays: arrays.map(storedBits),
        before: before.map(storedBits),
        measured: Number.isNaN(t) ? null : t,
        edges,
      });
    },
    resume(saved) {
      if (saved.raw('largest') === undefined)
        throw new CheckpointError(
          'checkpoint: an older eos wrote it, which followed eigenvalues in another way; ' +
            'resume it with that one, or start the run anew',
        );
      since = saved.raw('since') === undefined ? 0 : saved.number('since');
      const [weights, vectors, ...rest] = saved.texts('arrays').map(bytesOf);
      const [before, swings, scout, ...led] = saved.texts('before').map(bytesOf);
      const kept = network.followed;
      const sizes = [size, PAST * kept * size, size, 2 * kept, size, ...slots.map(() => size)];
      if (meant) sizes.push(size);
      const found = [weights, vectors, before, swings, scout, ...rest, ...led].map(
        (bytes) => (bytes?.byteLength ?? 0) / 8,
      );
      if (found.length !== sizes.length || found.some((length, i) => length !== sizes[i]))
        throw new CheckpointError('checkpoint: its weights do not fit the network');
      const [measurements, guess] = [saved.number('measurements'), saved.number('guess')];
      if (!(Number.isInteger(guess) && guess >= 0 && guess < PAST && measurements <= PAST))
        throw new CheckpointError('checkpoint: its eigenvectors are not those of a run');
      const numbers = (bytes: Uint8Array<ArrayBuffer>) => new Float64Array(bytes.buffer);
      const measuredAt = saved.numberOrNull('measured');
      if (measuredAt !== null) {
        theta.set(numbers(before!));
        last = { t: measuredAt, loss: network.gradientAt(), edges: saved.number('edges') };
        network.keepStep();
      }
      theta.set(numbers(weights!));
      meant?.set(numbers(led[0]!));
      for (const [i, bytes] of rest.entries()) slots[i]!.set(numbers(bytes));
      network.resumeTracker({
        vectors: numbers(vectors!),
        measurements,
        guess,
        draws: saved.number('draws'),
        swings: numbers(swings!),
        scout: numbers(scout!),
        largest: saved.numberOrNull('largest') ?? Number.NaN,
        unrest: saved.number('unrest'),
      });
    },
  };
}

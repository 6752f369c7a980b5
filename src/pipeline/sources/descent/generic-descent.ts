import { resumedState } from '../../core/checkpoint.ts';
import type { Run } from '../../core/run.ts';
import { arraysOf, type Column, type ColumnArray, type Schema } from '../../core/schema.ts';
import type { RowSource } from '../../core/source.ts';
import type { SourceOptions } from '../../core/source-options.ts';
import { storedStages } from '../../core/stored-state.ts';
import { DIVERGENCE_LOSS } from '../../models/minimal/loss.ts';
import type { Model } from '../../models/model.ts';
import { norm } from '../../numeric/vectors.ts';
import type { Optimizer, OptimizerValues } from '../../optimizers/optimizer.ts';
import { createTrainee } from './trainee.ts';

const STAGE = 'gradientDescent';

const STEP = {
  name: 'step',
  type: 'INT64',
  symbol: 't',
  unit: 'steps',
  meaning: 'steps of the optimizer, from 0',
} as const satisfies Column;
const ETA = {
  name: 'eta',
  type: 'DOUBLE',
  symbol: 'η',
  unit: '1',
  meaning: 'learning rate of the step',
} as const satisfies Column;
const LOSS = {
  name: 'loss',
  type: 'DOUBLE',
  symbol: 'L',
  unit: '1',
  meaning: 'training loss',
} as const satisfies Column;
const GRADIENT = {
  name: 'grad_norm',
  type: 'DOUBLE',
  symbol: '‖∇L‖₂',
  unit: '1',
  meaning: 'Euclidean norm of the gradient',
} as const satisfies Column;
const SHARPNESS = {
  name: 'sharpness',
  type: 'DOUBLE',
  symbol: 'S',
  unit: '1',
  meaning: 'largest eigenvalue of the Hessian, exact',
} as const satisfies Column;

/** What a run of any model must know of its config. */
interface DescentValues extends Readonly<Record<string, unknown>> {
  readonly eta: number;
  readonly steps: number;
}

/** What a run of a model with an optimizer is made of. */
export interface Training<R extends Run<DescentValues>> {
  readonly run: R;
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly values: OptimizerValues;
}

/** The columns that the source of a model fills. */
export function trainingSchema(model: Model, exact: boolean): Schema {
  return [STEP, ETA, ...model.columns, LOSS, GRADIENT, ...(exact ? [SHARPNESS] : [])];
}

/**
 * The rows of any model under any optimizer: θ, loss and gradient norm of each step, in plain
 * float64, from step 0 or from where a checkpoint stands.
 */
export function trainingRows<R extends Run<DescentValues>>(
  { run, model, optimizer, values }: Training<R>,
  { resume }: SourceOptions = {},
): RowSource<Readonly<Record<string, ColumnArray>>, R> {
  const { eta, steps } = run.config;
  const start = model.start(run.config);
  const { theta, objective } = start;
  const schema = trainingSchema(model, objective.sharpness !== undefined);
  const components = model.columns.slice(0, theta.length).map(({ name }) => name);
  const trainee = createTrainee(start, optimizer, { ...values, eta });
  let step = 0;
  if (resume) {
    run.resumed = storedStages(resume);
    const saved = resumedState(run, STAGE)!;
    step = saved.number('step');
    run.divergedAt = saved.numberOrNull('divergedAt');
    trainee.restore(saved);
  }
  let loss = trainee.loss();
  const ended = () => run.divergedAt !== null || step > steps;

  return {
    run,
    get step() {
      return step;
    },
    get ended() {
      return ended();
    },
    next(size, into) {
      const capacity = ended() ? 0 : Math.min(size, steps - step + 1);
      const columns = (into ?? arraysOf(schema, capacity)) as Record<string, ColumnArray>;
      let i = 0;
      for (; i < capacity && run.divergedAt === null; i++) {
        columns.step![i] = step;
        columns.eta![i] = eta;
        components.forEach((name, k) => {
          columns[name]![i] = theta[k]!;
        });
        columns.loss![i] = loss;
        columns.grad_norm![i] = norm(trainee.gradient);
        if (objective.sharpness) columns.sharpness![i] = objective.sharpness(theta);
        objective.describe?.(theta, columns, i);
        trainee.step(step);
        step++;
        loss = trainee.loss();
        if (!(loss <= DIVERGENCE_LOSS) && step <= steps) run.divergedAt = step;
      }
      const now = { step, divergedAt: run.divergedAt, ...trainee.state() };
      return { run, length: i, schema, columns, after: { [STAGE]: { state: () => now } } };
    },
  };
}

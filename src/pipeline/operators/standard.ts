import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import type { Batch } from '../core/batch.ts';
import type { AnyOperator } from '../core/operator.ts';
import type { Schema } from '../core/schema.ts';
import { RUN_COLUMNS } from '../models/minimal/columns.ts';
import type { ModelRun, PointArrays } from '../models/minimal/run.ts';
import { classifySharpness } from './classify-sharpness.ts';
import { columnOperators } from './columns/index.ts';
import { detectPhases } from './detect-phases.ts';
import { flowSolution } from './flow-solution.ts';
import { splitLoss } from './split-loss.ts';
import { summarize } from './summarize.ts';

/**
 * The chain of operators of a run of the minimal model, from θ to the summary; a new one stands in
 * `columns/`.
 */
export const standardOperators = (): readonly AnyOperator<ModelRun>[] => [
  splitLoss(),
  classifySharpness(),
  flowSolution(),
  detectPhases(),
  summarize(),
  ...columnOperators.map((make) => make()),
];

/** The columns of a run file, in order: those of the model, and what further operators add. */
export const runSchema = (): Schema => [
  ...RUN_COLUMNS,
  ...columnOperators.flatMap((make) => make().definition.adds),
];

/** The same as one operator for `pipe`. */
export const standardPipeline =
  () =>
  <C extends PointArrays, R extends ModelRun>(source: Observable<Batch<C, R>>) =>
    source.pipe(
      splitLoss(),
      classifySharpness(),
      flowSolution(),
      detectPhases(),
      summarize(),
      furtherColumns,
    );

/** What those need is looked for before the first step: the types of the list do not know it. */
const furtherColumns = <B extends Batch<unknown, ModelRun>>(source: Observable<B>) =>
  columnOperators.reduce((batches, make) => {
    const add = make() as AnyOperator<ModelRun> & MonoTypeOperatorFunction<B>;
    return batches.pipe(add);
  }, source);

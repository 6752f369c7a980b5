import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import type { Batch } from '../core/batch.ts';
import type { AnyOperator } from '../core/operator.ts';
import { checkNothing } from '../core/own-option.ts';
import type { Schema } from '../core/schema.ts';
import { POINT_COLUMNS, RUN_COLUMNS } from '../models/minimal/columns.ts';
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

/**
 * The operators of the rows of a dynamics beside a run of the minimal model, which has neither
 * phases nor cycles: those that find what they need.
 */
export function besideOperators(): readonly AnyOperator<ModelRun>[] {
  const there = new Set<string>(POINT_COLUMNS.map(({ name }) => name));
  const further = columnOperators.map((make) => make());
  return [splitLoss(), classifySharpness(), flowSolution(), ...further].filter(({ definition }) => {
    const met = Object.keys(definition.needs).every((name) => there.has(name));
    if (met) for (const { name } of definition.adds) there.add(name);
    return met;
  });
}

/** The columns of such rows, in order. */
export function besideSchema(): Schema {
  const added = besideOperators().flatMap(({ definition }) => definition.adds);
  const there = new Set<string>([...POINT_COLUMNS, ...added].map(({ name }) => name));
  return runSchema().filter(({ name }) => there.has(name));
}

/** The same as one operator for `pipe`. */
export const standardPipeline = (...nothing: []) => {
  checkNothing('standardPipeline', nothing);
  return <C extends PointArrays, R extends ModelRun>(source: Observable<Batch<C, R>>) =>
    source.pipe(
      splitLoss(),
      classifySharpness(),
      flowSolution(),
      detectPhases(),
      summarize(),
      furtherColumns,
    );
};

/** What those need is looked for before the first step: the types of the list do not know it. */
const furtherColumns = <B extends Batch<unknown, ModelRun>>(source: Observable<B>) =>
  columnOperators.reduce((batches, make) => {
    const add = make() as AnyOperator<ModelRun> & MonoTypeOperatorFunction<B>;
    return batches.pipe(add);
  }, source);

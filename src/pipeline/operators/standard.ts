import type { Observable } from 'rxjs';
import type { Batch } from '../core/batch.ts';
import type { ModelRun, PointArrays } from '../models/minimal/run.ts';
import { classifySharpness } from './classify-sharpness.ts';
import { detectPhases } from './detect-phases.ts';
import { flowSolution } from './flow-solution.ts';
import { splitLoss } from './split-loss.ts';
import { summarize } from './summarize.ts';

/**
 * The chain of operators of a run of the minimal model, from θ to the summary: a new one is one new file and one
 * line here.
 */
export const standardOperators = () => [
  splitLoss(),
  classifySharpness(),
  flowSolution(),
  detectPhases(),
  summarize(),
];

/** The same as one operator for `pipe`. */
export const standardPipeline =
  () =>
  <C extends PointArrays, R extends ModelRun>(source: Observable<Batch<C, R>>) =>
    source.pipe(splitLoss(), classifySharpness(), flowSolution(), detectPhases(), summarize());

import type { AnyOperator } from '../../core/operator.ts';
import type { ModelRun } from '../../models/minimal/run.ts';

/**
 * Columns of a run of the minimal model beyond those of the theory: a new one is one new file in
 * this folder.
 */
export const columnOperators: readonly (() => AnyOperator<ModelRun>)[] = [];

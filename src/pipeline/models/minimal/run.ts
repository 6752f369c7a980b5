import type { Batch } from '../../core/batch.ts';
import type { Run } from '../../core/run.ts';
import type { RunArrays } from './columns.ts';
import type { RunConfig } from './config.ts';
import type { RunSummary } from './summary.ts';

/** A run of the minimal model, and what the source has found out about it so far. */
export interface ModelRun extends Run<RunConfig, RunSummary> {
  /** First step whose β₁ plain float64 would hold as 0 although it is not. */
  float64ZeroAt: number | null;
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

/** The arrays that the source fills. */
export type SourceArrays = Pick<RunArrays, SourceColumn>;

/** A block of steps of the model, as its source makes it. */
export type SourceBatch = Batch<SourceArrays, ModelRun>;

/** A block of steps of the model with the columns that operators have added. */
export type ModelBatch = Batch<
  Readonly<SourceArrays & Partial<Omit<RunArrays, SourceColumn>>>,
  ModelRun
>;

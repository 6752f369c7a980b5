import type { Batch } from '../../core/batch.ts';
import { type Run, type Stability, startRun } from '../../core/run.ts';
import { RUN_COLUMNS, type RunArrays } from './columns.ts';
import type { RunConfig } from './config.ts';
import type { RunSummary } from './summary.ts';

/** A run of the minimal model, and what the source has found out about it so far. */
export interface ModelRun extends Run<RunConfig, RunSummary> {
  /** First step whose β₁ plain float64 would hold as 0 although it is not. */
  float64ZeroAt: number | null;
  /** Bits behind the point in which its steps are computed; null for float64. */
  bits: number | null;
  /**
   * Where rows that are there already are computed once more with more bits: the step that has been
   * reached.
   */
  again: number | null;
}

const FILE_ORDER = RUN_COLUMNS.map(({ name }) => name);

/** A run of the model before its first row. */
export function startModelRun(config: RunConfig, stability: Stability): ModelRun {
  return {
    ...startRun<RunConfig, RunSummary>(config, stability, FILE_ORDER),
    float64ZeroAt: null,
    bits: null,
    again: null,
  };
}

/** What every dynamics of the model computes by itself; operators add the other columns. */
export type PointColumn =
  | 'step'
  | 'alpha'
  | 'beta1'
  | 'beta2'
  | 'log10_abs_beta1'
  | 'loss'
  | 'l2'
  | 'grad_norm';

export type PointArrays = Pick<RunArrays, PointColumn>;

/** The arrays that gradient descent fills: it knows how many of its digits are true. */
export type SourceArrays = Pick<RunArrays, PointColumn | 'digits'>;

/** A block of steps of the model, as its source makes it. */
export type SourceBatch = Batch<SourceArrays, ModelRun>;

/** A block of steps of the model with the columns that operators have added. */
export type ModelBatch = Batch<
  Readonly<PointArrays & Partial<Omit<RunArrays, PointColumn>>>,
  ModelRun
>;

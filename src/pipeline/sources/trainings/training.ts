import type { MonoTypeOperatorFunction, Observable } from 'rxjs';
import type { Batch } from '../../core/batch.ts';
import type { ParameterTable } from '../../core/parameters.ts';
import type { ShownPreset } from '../../core/preset.ts';
import type { Run } from '../../core/run.ts';
import type { Schema } from '../../core/schema.ts';
import type { SourceOptions } from '../../core/source-options.ts';
import type { StoredPipeline } from '../../core/stored-pipeline.ts';
import type { Dynamics } from '../../dynamics/dynamics.ts';
import type { MeasuredEvent } from '../../operators/detect-measured-phases.ts';
import type { NetworkEvent } from '../../operators/network-pipeline.ts';
import type { RunEvent } from '../../sinks/phase-log.ts';

/** What every run of a model has in its config, whatever the model. */
export interface TrainingConfig {
  readonly model: string;
  readonly optimizer: string;
  readonly eta: number;
  readonly steps: number;
  readonly every: number;
  readonly columns: readonly string[] | null;
}

/**
 * What a run has to tell while it goes: by the exact rules of the minimal model, or as a measured
 * series.
 */
export type TrainingEvent = RunEvent | MeasuredEvent | NetworkEvent;

/** The runs of one model. */
export interface Runs {
  /** @throws ConfigError naming the first parameter that cannot be used */
  resolve(options: object): TrainingConfig;
  /** The columns of a run, in the order of its file. */
  schema(config: TrainingConfig): Schema;
  /**
   * How long a step takes, roughly: in steps of gradient descent on the minimal model in float64.
   */
  work(config: TrainingConfig): number;
  /**
   * The rows of a run as its source makes them.
   * @param reuse whether the arrays of a batch may be used again for the next one
   */
  rows(config: TrainingConfig, source: SourceOptions, reuse?: boolean): TrainingRows;
  /**
   * All operators, or those that a stored pipeline is made of (its thinning included); each event
   * is told as it happens.
   * @throws CheckpointError where that pipeline has operators that are not known
   */
  pipeline(
    config: TrainingConfig,
    report: (event: TrainingEvent) => void,
    stored?: StoredPipeline,
  ): MonoTypeOperatorFunction<TrainingBatch>;
  /** The dynamics beside a run; undefined where the model has none. */
  readonly beside?: Beside;
  /**
   * The parameters at every K-th step of a run and at its last one; undefined where they are
   * columns of its rows.
   */
  weights?(config: TrainingConfig, every: number): Iterable<WeightsAt>;
}

/** The parameters of a run at a step; they change behind the next one. */
export interface WeightsAt {
  readonly step: number;
  readonly theta: Float64Array;
}

export interface Beside {
  /** All columns that apply to a dynamics, in the order of its file. */
  schema(config: TrainingConfig): Schema;
  /**
   * Its rows.
   * @throws ConfigError at once where it is not defined for such a run
   */
  rows(
    dynamics: Dynamics,
    config: TrainingConfig,
    source: Omit<SourceOptions, 'resume'>,
  ): TrainingRows;
}

/** Columns that the source of every run fills, and that `thin` looks at where they are there. */
export interface TrainingColumns {
  readonly step: Float64Array;
  readonly phase?: Uint8Array;
}

export type TrainingBatch = Batch<TrainingColumns, Run<TrainingConfig>>;
export type TrainingRows = Observable<TrainingBatch>;

/**
 * A model that `eos stream` can train: what can be said of it, and its runs, loaded when they are
 * wanted.
 */
export interface Training {
  readonly model: string;
  readonly about: string;
  /** Whether phases follow exact rules, or are found in the measured loss and sharpness. */
  readonly phases: 'exact' | 'measured';
  readonly parameters: ParameterTable;
  readonly presets: readonly ShownPreset[];
  open(): Promise<Runs>;
}

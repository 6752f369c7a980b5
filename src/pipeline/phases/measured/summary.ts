import type { Run } from '../../core/run.ts';
import type { SeriesOptions } from './detector.ts';
import type { SeriesSpan } from './phase-spans.ts';
import type { ExplainedSpike } from './spike-cause.ts';
import type { SpikeCauses } from './spike-explainer.ts';
import type { Spike } from './spikes.ts';

/** What was not used, why, how often, and where first. */
export interface Skipped {
  /**
   * A whole line, one value of a row that was used otherwise, or a row that was used in another way
   * than it stands.
   */
  readonly what: 'line' | 'value' | 'row';
  readonly reason: string;
  readonly count: number;
  readonly first_line: number;
}

export interface MeasuredWarning {
  readonly kind:
    | 'skipped'
    | 'loss-only'
    | 'signed-loss'
    | 'effective-threshold'
    | 'columns'
    | 'batches'
    | 'second-run'
    | 'interrupted'
    | 'recovered';
  readonly step: number;
  readonly message: string;
}

/**
 * What became of a run that was logged: the JSON under `eos.summary`. Fields as in a run's where
 * they mean the same.
 */
export interface MeasuredSummary extends Partial<SpikeCauses> {
  readonly outcome: 'diverged' | 'gradient-flow' | 'converged' | 'edge-of-stability' | 'unknown';
  readonly interrupted: boolean;
  /** Whether the program that read the log died, and what it left was made whole. */
  readonly recovered?: true;
  /** Dated with all in view; `detected_step` is where the `phase` column changes. */
  readonly phases: readonly SeriesSpan[];
  readonly cycles: number;
  /** First step at the edge of stability; null if it never was, or no sharpness was logged. */
  readonly first_crossing: number | null;
  readonly max_sharpness_ratio: number | null;
  /** Level of the sharpness at the edge over the threshold, where it is clearly another; else 1. */
  readonly effective_threshold: number | null;
  readonly diverged_at: number | null;
  readonly final_loss: number;
  readonly last_step: number;
  readonly rows: number;
  /** Rows with a sharpness. */
  readonly measured: number;
  readonly spike_count: number;
  /** The first 1000 of them, with their causes where the log tells the energy at the edge. */
  readonly spikes: readonly (Spike | ExplainedSpike)[];
  readonly skipped: readonly Skipped[];
  /** Which column was taken as what. */
  readonly columns: Readonly<Record<string, string>>;
  readonly warnings: readonly MeasuredWarning[];
}

/** What the detector of measured series asks of a run's config. */
export interface MeasuredConfig {
  readonly optimizer: string;
  readonly band: number;
  readonly detector?: Partial<SeriesOptions>;
  /** Eigenvalues that were followed, where that is known. */
  readonly eigenvalues?: number;
  /** Whether the sharpness is known to be that of the preconditioned Hessian. */
  readonly preconditioned?: boolean;
  /** Whether steps are known to be made by mini-batches, of which one may be bad. */
  readonly batches?: boolean;
}

/** A run whose phases are found from its measured loss and sharpness: a training log, a network. */
export interface MeasuredRun extends Run<MeasuredConfig, MeasuredSummary> {
  /** What it is called in its log: the name of a file, of a model. */
  readonly title: string;
  /** What its source has left out. */
  readonly tally: {
    readonly entries: readonly Skipped[];
    /** Which column was taken as what, where the source had to choose. */
    readonly columns?: Readonly<Record<string, string>>;
  };
  readonly warnings: MeasuredWarning[];
  /**
   * Spikes that `detectMeasuredPhases` hands on to `explainSpikes`, and the step of the row with
   * which each was known to be over: see `handedOn`.
   */
  handed?: { readonly at: number; readonly spike: Spike }[];
}

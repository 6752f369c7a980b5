import { CHECKPOINT_KEY, encodeCheckpoint, stateReader } from '../core/checkpoint.ts';
import type { RunSummary } from '../operators/run-summary.ts';
import { createSummarizer, SUMMARIZE } from '../operators/summarize.ts';
import type { Progress } from '../sinks/table-sink.ts';
import type { ModelRun } from '../sources/descent/gradient-descent.ts';
import type { Metadata } from './table-format.ts';

/** Version of the layout of run files: columns and metadata. */
export const SCHEMA_VERSION = '1';

/**
 * Key-value metadata of a run file. Numbers that JSON cannot hold become null. While the run has not ended, the summary
 * is that of the steps so far, and a checkpoint tells how to go on.
 */
export function runMetadata(run: ModelRun, progress?: Progress, ended = true): Metadata {
  const summary = ended ? run.summary : summarySoFar(run, progress);
  const open = progress && (!ended || run.interrupted);
  return {
    'eos.schema_version': SCHEMA_VERSION,
    'eos.config': JSON.stringify(run.config),
    ...(summary ? { 'eos.summary': JSON.stringify(summary) } : {}),
    ...(open ? { [CHECKPOINT_KEY]: encodeCheckpoint(progress.rows, progress.after) } : {}),
  };
}

function summarySoFar(run: ModelRun, progress: Progress | undefined): RunSummary | undefined {
  const state = progress?.after[SUMMARIZE];
  if (!state) return undefined;
  const { float64ZeroAt } = run;
  return createSummarizer(run.config, stateReader(SUMMARIZE, state())).finish({
    divergedAt: null,
    float64ZeroAt,
    interrupted: true,
  });
}

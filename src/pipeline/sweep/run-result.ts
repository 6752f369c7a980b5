import type { RunConfig } from '../config.ts';
import { createPhaseDetector } from '../operators/detect-phases.ts';
import { createSummarizer, type RunSummary } from '../operators/summarize.ts';
import { hasEnded, nextBatch, startDescent } from '../source/gradient-descent.ts';

/** What a sweep keeps of a run. */
export interface RunResult {
  readonly config: RunConfig;
  /** The very summary that `eos stream` writes into the run's file. */
  readonly summary: RunSummary;
  /** Sharpness S of the last row. */
  readonly finalSharpness: number;
  /** S∞(θ₀): sharpness of the minimum where gradient flow from the start would end. */
  readonly startSolutionSharpness: number;
}

/** Rows a batch: small enough to stay in a core's own cache, and of no influence on any digit. */
const BATCH = 1024;

/**
 * Runs gradient descent to its end and keeps the summary alone: the same functions as the stream's source and
 * operators, called one after the other, without files and without a stream.
 *
 * @param proceed asked after each batch with the rows it had; false gives the run up
 * @returns undefined where the run was given up
 */
export function runToResult(config: RunConfig, proceed: (rows: number) => boolean = () => true): RunResult | undefined {
  const run = startDescent(config);
  const detect = createPhaseDetector();
  const summarizer = createSummarizer(config);
  let startSolutionSharpness = Number.NaN;
  for (;;) {
    const batch = detect(nextBatch(run, BATCH));
    summarizer.add(batch);
    const { sharpness, gfs_sharpness, step } = batch.columns;
    if (step[0] === 0) startSolutionSharpness = gfs_sharpness![0]!;
    if (hasEnded(run)) {
      const finalSharpness = sharpness![batch.length - 1]!;
      return { config, summary: summarizer.finish(run), finalSharpness, startSolutionSharpness };
    }
    if (!proceed(batch.length)) return undefined;
  }
}

import type { RunConfig } from '../config.ts';
import { spectrum } from '../model/moments.ts';
import { balance, solutionSharpness } from '../model/solution.ts';
import { createPhaseDetector } from '../operators/detect-phases.ts';
import type { RunSummary } from '../operators/run-summary.ts';
import { createSummarizer } from '../operators/summarize.ts';
import { hasEnded, nextBatch, startDescent } from '../source/gradient-descent.ts';
import { type KernelResult, summarizeDescent } from './summary-kernel.ts';

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
 * Runs gradient descent to its end and keeps the summary alone, in the digits of the stream's, without files and
 * without a stream.
 *
 * @param proceed asked now and then with the rows since; false gives the run up
 * @returns undefined where the run was given up
 */
export function runToResult(config: RunConfig, proceed: (rows: number) => boolean = () => true): RunResult | undefined {
  const result = summarizeDescent(config, proceed) ?? summarizeBatches(config, proceed);
  if (result === 'given up') return undefined;
  const [alpha, beta1, beta2] = config.init;
  const start = balance({ alpha, beta1, beta2 });
  const startSolutionSharpness = solutionSharpness(start, config.moments, spectrum(config.moments));
  return { config, ...result, startSolutionSharpness };
}

/** The general way: the same functions as the stream's source and operators, called one after the other. */
function summarizeBatches(config: RunConfig, proceed: (rows: number) => boolean): KernelResult | 'given up' {
  const run = startDescent(config);
  const detect = createPhaseDetector();
  const summarizer = createSummarizer(config);
  for (;;) {
    const batch = detect(nextBatch(run, BATCH));
    summarizer.add(batch);
    if (hasEnded(run)) {
      return { summary: summarizer.finish(run), finalSharpness: batch.columns.sharpness![batch.length - 1]! };
    }
    if (!proceed(batch.length)) return 'given up';
  }
}

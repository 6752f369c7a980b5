import type { RunConfig } from '../models/minimal/config.ts';
import { createPhaseDetector } from '../operators/detect-phases.ts';
import { createSummarizer } from '../operators/summarize.ts';
import { hasEnded, nextBatch, startDescent } from '../sources/descent/gradient-descent.ts';
import type { KernelResult } from './summary-kernel.ts';

/** Rows a batch: small enough to stay in a core's own cache, and of no influence on any digit. */
const BATCH = 1024;

/**
 * The summary of any run: the same functions as the stream's source and operators, called one after the other.
 * @param proceed asked after each batch with the rows it had; false gives the run up
 */
export function summarizeBatches(
  config: RunConfig,
  proceed: (rows: number) => boolean = () => true,
): KernelResult | 'given up' {
  const run = startDescent(config);
  const detect = createPhaseDetector();
  const summarizer = createSummarizer(config);
  for (;;) {
    const batch = detect(nextBatch(run, BATCH));
    summarizer.add(batch);
    if (hasEnded(run)) {
      return {
        summary: summarizer.finish(run),
        finalSharpness: batch.columns.sharpness![batch.length - 1]!,
      };
    }
    if (!proceed(batch.length)) return 'given up';
  }
}

import type { RunConfig } from '../models/minimal/config.ts';
import { spectrum } from '../models/minimal/moments.ts';
import { balance, solutionSharpness } from '../models/minimal/solution.ts';
import type { RunSummary } from '../models/minimal/summary.ts';
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

/**
 * As `runToResult`, but the general way, for the few runs that the quick one does not take, is loaded with the first of
 * them: a thread that works for a second has no time to load what it does not need.
 */
export function quickOrLoaded(
  config: RunConfig,
  proceed: (rows: number) => boolean = () => true,
): RunResult | undefined | Promise<RunResult | undefined> {
  const quick = summarizeDescent(config, proceed);
  if (quick) return withStart(config, quick);
  return import('./summary-batches.ts').then(({ summarizeBatches }) =>
    withStart(config, summarizeBatches(config, proceed)),
  );
}

/** A run's result with what is known of its start. */
export function withStart(
  config: RunConfig,
  result: KernelResult | 'given up',
): RunResult | undefined {
  if (result === 'given up') return undefined;
  const [alpha, beta1, beta2] = config.init;
  const start = balance({ alpha, beta1, beta2 });
  const startSolutionSharpness = solutionSharpness(start, config.moments, spectrum(config.moments));
  return { config, ...result, startSolutionSharpness };
}

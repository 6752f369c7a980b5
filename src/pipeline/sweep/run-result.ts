import { blocks } from '../core/operator.ts';
import type { RunConfig } from '../models/minimal/config.ts';
import { spectrum } from '../models/minimal/moments.ts';
import { balance, solutionSharpness } from '../models/minimal/solution.ts';
import type { RunSummary } from '../models/minimal/summary.ts';
import { classifySharpness } from '../operators/classify-sharpness.ts';
import { detectPhases } from '../operators/detect-phases.ts';
import { summarize } from '../operators/summarize.ts';
import { descentRows } from '../sources/descent/descent-rows.ts';
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

/** Rows a block: small enough to stay in a core's own cache, and of no influence on any digit. */
const ROWS = 1024;

/**
 * Runs gradient descent to its end and keeps the summary alone, in the digits of the stream's,
 * without files and without a stream.
 *
 * @param proceed asked now and then with the rows since; false gives the run up
 * @returns undefined where the run was given up
 */
export function runToResult(
  config: RunConfig,
  proceed: (rows: number) => boolean = () => true,
): RunResult | undefined {
  const result = summarizeDescent(config, proceed) ?? summarizeRows(config, proceed);
  if (result === 'given up') return undefined;
  const [alpha, beta1, beta2] = config.init;
  const start = balance({ alpha, beta1, beta2 });
  const startSolutionSharpness = solutionSharpness(start, config.moments, spectrum(config.moments));
  return { config, ...result, startSolutionSharpness };
}

/** The summary of any run: the stream's own source and operators as a plain loop. */
function summarizeRows(
  config: RunConfig,
  proceed: (rows: number) => boolean,
): KernelResult | 'given up' {
  const rows = descentRows(config);
  const chain = [classifySharpness(), detectPhases(), summarize()];
  let finalSharpness = Number.NaN;
  for (const { columns, length } of blocks(rows, chain, ROWS)) {
    if (length > 0) finalSharpness = columns.sharpness![length - 1]!;
    if (!rows.ended && !proceed(length)) return 'given up';
  }
  return { summary: rows.run.summary!, finalSharpness };
}

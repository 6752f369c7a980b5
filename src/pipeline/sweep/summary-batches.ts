import { blocks } from '../core/operator.ts';
import type { RunConfig } from '../models/minimal/config.ts';
import { classifySharpness } from '../operators/classify-sharpness.ts';
import { detectPhases } from '../operators/detect-phases.ts';
import { summarize } from '../operators/summarize.ts';
import { descentRows } from '../sources/descent/gradient-descent.ts';
import type { KernelResult } from './summary-kernel.ts';

/** Rows a batch: small enough to stay in a core's own cache, and of no influence on any digit. */
const BATCH = 1024;

/**
 * The summary of any run: the stream's own source and operators as a plain loop.
 * @param proceed asked after each batch with the rows it had; false gives the run up
 */
export function summarizeBatches(
  config: RunConfig,
  proceed: (rows: number) => boolean = () => true,
): KernelResult | 'given up' {
  const rows = descentRows(config);
  const chain = [classifySharpness(), detectPhases(), summarize()];
  let finalSharpness = Number.NaN;
  for (const { columns, length } of blocks(rows, chain, BATCH)) {
    if (length > 0) finalSharpness = columns.sharpness![length - 1]!;
    if (!rows.ended && !proceed(length)) return 'given up';
  }
  return { summary: rows.run.summary!, finalSharpness };
}

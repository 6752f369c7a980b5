import { lastValueFrom, tap } from 'rxjs';
import { count } from '../../pipeline/format.ts';
import { type RunOptions, resolveConfig } from '../../pipeline/models/minimal/config.ts';
import { classifySharpness } from '../../pipeline/operators/classify-sharpness.ts';
import { detectPhases } from '../../pipeline/operators/detect-phases.ts';
import { flowSolution } from '../../pipeline/operators/flow-solution.ts';
import { splitLoss } from '../../pipeline/operators/split-loss.ts';
import { gradientDescent } from '../../pipeline/sources/descent/gradient-descent.ts';
import { collectRun, type RunTable } from '../../pipeline/theory/run-table.ts';
import { verifyRun } from '../../pipeline/theory/verify.ts';
import { UsageError } from '../errors.ts';
import type { VerifiedFile } from './verify-file.ts';

/** Rows of a run that is made in memory, with every column. */
const MOST_ROWS = 20_000_000;

/** Makes a run and checks it against the theory. */
export async function verifyMade(options: RunOptions): Promise<VerifiedFile> {
  const table = await makeRun(options);
  return { results: verifyRun(table), config: table.config, lastStep: table.lastStep };
}

/** Makes a run in memory, with every column. */
export async function makeRun(options: RunOptions): Promise<RunTable> {
  const { steps } = resolveConfig(options);
  if (steps >= MOST_ROWS) {
    throw new UsageError(
      `--steps: ${count(steps)} steps do not fit into memory; take fewer than ${count(MOST_ROWS)}`,
    );
  }
  const rows = collectRun();
  await lastValueFrom(
    gradientDescent(options).pipe(
      splitLoss(),
      classifySharpness(),
      flowSolution(),
      detectPhases(),
      tap((batch) => rows.add(batch)),
    ),
  );
  return rows.table();
}

import type { Hash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { lastValueFrom, tap } from 'rxjs';
import type { ByteTarget } from '../../pipeline/formats/byte-target.ts';
import { parquetSink } from '../../pipeline/formats/parquet/parquet-sink.ts';
import type { RunConfig } from '../../pipeline/models/minimal/config.ts';
import type { ModelRun } from '../../pipeline/models/minimal/run.ts';
import { atomicFile } from '../../pipeline/node/atomic-file.ts';
import { classifySharpness } from '../../pipeline/operators/classify-sharpness.ts';
import { detectPhases } from '../../pipeline/operators/detect-phases.ts';
import { flowSolution } from '../../pipeline/operators/flow-solution.ts';
import { splitLoss } from '../../pipeline/operators/split-loss.ts';
import { summarize } from '../../pipeline/operators/summarize.ts';
import { thin } from '../../pipeline/operators/thin.ts';
import { gradientDescent } from '../../pipeline/sources/descent/gradient-descent.ts';
import type { RunResult } from '../../pipeline/sweep/run-result.ts';
import { runId } from '../../pipeline/sweep/sweep.ts';
import { type SweepFolder, trajectoryPath } from './folder.ts';
import { partialPath } from './part-file.ts';

class GivenUp extends Error {}

/**
 * Streams a run into its trajectory file, as `eos stream --every K` does, and keeps its summary as
 * well.
 * @param hash takes the bytes of the file
 */
export async function writeTrajectory(
  folder: SweepFolder,
  config: RunConfig,
  every: number,
  hash: Hash,
  proceed: (steps: number) => boolean,
): Promise<RunResult | undefined> {
  const path = trajectoryPath(folder, runId(config));
  await mkdir(dirname(path), { recursive: true });
  let run: ModelRun | undefined;
  let startSolutionSharpness = Number.NaN;
  let finalSharpness = Number.NaN;
  const steps = gradientDescent({ ...config, every }).pipe(
    splitLoss(),
    classifySharpness(),
    flowSolution(),
    detectPhases(),
    summarize(),
    tap((batch) => {
      run = batch.run;
      const { step, gfs_sharpness, sharpness } = batch.columns;
      if (step[0] === 0) startSolutionSharpness = gfs_sharpness![0]!;
      finalSharpness = sharpness![batch.length - 1]!;
      // An error, so that nothing of the run appears under its name.
      if (!proceed(batch.length)) throw new GivenUp();
    }),
    thin(every),
    parquetSink(hashedTarget(atomicFile(path, await partialPath(folder, path)), hash)),
  );
  try {
    await lastValueFrom(steps);
  } catch (error) {
    if (error instanceof GivenUp) return undefined;
    throw error;
  }
  return { config, summary: run!.summary!, finalSharpness, startSolutionSharpness };
}

function hashedTarget(target: ByteTarget, hash: Hash): ByteTarget {
  return {
    ...target,
    async write(bytes) {
      hash.update(bytes);
      await target.write(bytes);
    },
  };
}

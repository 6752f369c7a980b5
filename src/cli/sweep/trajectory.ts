import type { Hash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { lastValueFrom, tap } from 'rxjs';
import type { ByteTarget } from '../../pipeline/formats/byte-target.ts';
import { parquetSink } from '../../pipeline/formats/parquet/parquet-sink.ts';
import type { RunConfig } from '../../pipeline/models/minimal/config.ts';
import type { ModelRun } from '../../pipeline/models/minimal/run.ts';
import type { NetworkConfig } from '../../pipeline/models/network/config.ts';
import { atomicFile } from '../../pipeline/node/atomic-file.ts';
import { classifySharpness } from '../../pipeline/operators/classify-sharpness.ts';
import { detectPhases } from '../../pipeline/operators/detect-phases.ts';
import { flowSolution } from '../../pipeline/operators/flow-solution.ts';
import { splitLoss } from '../../pipeline/operators/split-loss.ts';
import { summarize } from '../../pipeline/operators/summarize.ts';
import { thin } from '../../pipeline/operators/thin.ts';
import { gradientDescent } from '../../pipeline/sources/descent/gradient-descent.ts';
import { networkTraining } from '../../pipeline/sources/trainings/network.ts';
import type { AnyResult } from '../../pipeline/sweep/any-result.ts';
import { sweptRunId } from '../../pipeline/sweep/any-sweep.ts';
import { lastRatio, type NetworkResult } from '../../pipeline/sweep/network-result.ts';
import type { RunResult } from '../../pipeline/sweep/run-result.ts';
import type { SweptConfig } from '../../pipeline/sweep/sweep.ts';
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
  config: SweptConfig,
  every: number,
  hash: Hash,
  proceed: (steps: number) => boolean,
): Promise<AnyResult | undefined> {
  const path = trajectoryPath(folder, sweptRunId(config));
  await mkdir(dirname(path), { recursive: true });
  const target = hashedTarget(atomicFile(path, await partialPath(folder, path)), hash);
  try {
    return config.model === 'mlp'
      ? await writeNetwork(config, every, target, proceed)
      : await writeMinimal(config, every, target, proceed);
  } catch (error) {
    if (error instanceof GivenUp) return undefined;
    throw error;
  }
}

type Write<C, R> = (
  config: C,
  every: number,
  target: ByteTarget,
  proceed: (steps: number) => boolean,
) => Promise<R>;

const writeNetwork: Write<NetworkConfig, NetworkResult> = async (
  config,
  every,
  target,
  proceed,
) => {
  const runs = await networkTraining.open();
  let summary: unknown;
  let finalRatio = Number.NaN;
  const steps = runs.rows({ ...config, every }, {}).pipe(
    runs.pipeline(config, (event) => {
      if (event.event === 'done') {
        const { event: _, ...told } = event;
        summary = told;
      }
    }),
    tap(({ columns, length }) => {
      const { sharpness_ratio: ratio } = columns as { readonly sharpness_ratio?: Float64Array };
      finalRatio = lastRatio(ratio!, length) ?? finalRatio;
      if (!proceed(length)) throw new GivenUp();
    }),
    thin(every),
    parquetSink(target),
  );
  await lastValueFrom(steps);
  return { config, summary: summary as NetworkResult['summary'], finalRatio };
};

const writeMinimal: Write<RunConfig, RunResult> = async (config, every, target, proceed) => {
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
    parquetSink(target),
  );
  await lastValueFrom(steps);
  return { config, summary: run!.summary!, finalSharpness, startSolutionSharpness };
};

function hashedTarget(target: ByteTarget, hash: Hash): ByteTarget {
  return {
    ...target,
    async write(bytes) {
      hash.update(bytes);
      await target.write(bytes);
    },
  };
}

import { createHash, type Hash } from 'node:crypto';
import { ConfigError } from '../../pipeline/core/parameters.ts';
import { type AnyResult, anyResults, anyRows } from '../../pipeline/sweep/any-result.ts';
import { partRange } from '../../pipeline/sweep/parts.ts';
import type { TimedResult } from '../../pipeline/sweep/run-result.ts';
import type { SweptConfig } from '../../pipeline/sweep/sweep.ts';
import { type FolderSweep, partName, type SweepFolder } from './folder.ts';
import { encodePart } from './part-file.ts';

/** How a part under way is watched and stopped. */
export interface PartControl {
  /** Steps that have been taken since the last call; false asks to give the part up. */
  proceed(steps: number): boolean;
}

/**
 * Computes the runs of a part.
 * @returns the bytes of its file; undefined where the part was given up
 * @throws ConfigError naming the run whose parameters cannot go together
 */
export async function makePart(
  folder: SweepFolder,
  place: FolderSweep,
  part: number,
  control: PartControl,
): Promise<Uint8Array | undefined> {
  const { model } = place.sweep;
  const rows = anyRows(model);
  const add = ({ result, seconds, told }: TimedResult<AnyResult>) => {
    rows.add(result, seconds);
    // A run that diverged has no more steps to take.
    return control.proceed(result.config.steps + 1 - told);
  };
  let stopped = false;
  const proceed = (steps: number) => {
    stopped ||= !control.proceed(steps);
    return !stopped;
  };
  const every = place.sweep.spec.trajectories;
  let hash: Hash | undefined;
  if (every === null) {
    for (const run of anyResults(model, configsOf(place, part), proceed))
      if (!add(run)) return undefined;
  } else {
    hash = createHash('sha256');
    const { writeTrajectory } = await import('./trajectory.ts');
    for (const config of configsOf(place, part)) {
      const start = performance.now();
      let told = 0;
      const result = await writeTrajectory(folder, config, every, hash, (steps) => {
        told += steps;
        return proceed(steps);
      });
      const seconds = (performance.now() - start) / 1000;
      if (!result || !add({ result, seconds, told })) return undefined;
    }
  }
  return stopped ? undefined : encodePart(rows, partName(place.sweep, part), hash?.digest('hex'));
}

/** The runs of a part that no sweep before has made. */
function* configsOf(place: FolderSweep, part: number): Generator<SweptConfig> {
  const [from, to] = partRange(place.sweep, place.plan, part);
  for (let i = from; i < to; i++) {
    const config = configOf(place, i);
    if (!place.earlier.some((other) => other.has(config))) yield config;
  }
}

function configOf({ sweep }: FolderSweep, index: number): SweptConfig {
  try {
    return sweep.config(index);
  } catch (error) {
    if (error instanceof ConfigError) {
      throw new ConfigError(
        error.parameter,
        `${error.message.slice(error.parameter.length + 2)} (run ${index})`,
      );
    }
    throw error;
  }
}

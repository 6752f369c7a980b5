import { ConfigError, type RunConfig } from '../../pipeline/config.ts';
import { partRange } from '../../pipeline/sweep/parts.ts';
import { type RunResult, runToResult } from '../../pipeline/sweep/run-result.ts';
import { sweepRows } from '../../pipeline/sweep/sweep-columns.ts';
import { type FolderSweep, partName, partPath, type SweepFolder } from './folder.ts';
import { commitFile, encodePart } from './part-file.ts';

/** How a part under way is watched and stopped. */
export interface PartControl {
  /** Steps that have been taken since the last call; false asks to give the part up. */
  proceed(steps: number): boolean;
}

/**
 * Computes the runs of a part one after the other and commits their rows by one rename.
 * @returns false where the part was given up
 * @throws ConfigError naming the run whose parameters cannot go together
 */
export async function makePart(
  folder: SweepFolder,
  place: FolderSweep,
  part: number,
  control: PartControl,
): Promise<boolean> {
  const { sweep, plan, earlier } = place;
  const [from, to] = partRange(sweep, plan, part);
  const rows = sweepRows();
  for (let i = from; i < to; i++) {
    const config = configOf(place, i);
    if (earlier.some((other) => other.has(config))) continue;
    let left = config.steps + 1;
    const proceed = (steps: number) => {
      left -= steps;
      return control.proceed(steps);
    };
    const start = performance.now();
    const result = await runOne(folder, place, config, proceed);
    if (!result) return false;
    rows.add(result, (performance.now() - start) / 1000);
    // A run that diverged has no more steps to take.
    if (!control.proceed(left)) return false;
  }
  const bytes = await encodePart(rows, partName(sweep, part));
  await commitFile(folder, partPath(folder, sweep, part), bytes);
  return true;
}

function configOf({ sweep }: FolderSweep, index: number): RunConfig {
  try {
    return sweep.config(index);
  } catch (error) {
    if (error instanceof ConfigError) {
      throw new ConfigError(error.parameter, `${error.message.slice(error.parameter.length + 2)} (run ${index})`);
    }
    throw error;
  }
}

async function runOne(
  folder: SweepFolder,
  { sweep }: FolderSweep,
  config: RunConfig,
  proceed: (steps: number) => boolean,
): Promise<RunResult | undefined> {
  const { trajectories } = sweep.spec;
  if (trajectories === null) return runToResult(config, proceed);
  const { writeTrajectory } = await import('./trajectory.ts');
  return writeTrajectory(folder, config, trajectories, proceed);
}

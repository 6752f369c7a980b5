import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { ConfigError, type RunConfig } from '../../pipeline/models/minimal/config.ts';
import { partRange } from '../../pipeline/sweep/parts.ts';
import { type RunResult, runToResult } from '../../pipeline/sweep/run-result.ts';
import { sweepRows } from '../../pipeline/sweep/sweep-columns.ts';
import { type FolderSweep, partName, type SweepFolder } from './folder.ts';
import { encodePart } from './part-file.ts';

/** How a part under way is watched and stopped. */
export interface PartControl {
  /** Steps that have been taken since the last call; false asks to give the part up. */
  proceed(steps: number): boolean;
}

/**
 * Computes the runs of a part one after the other.
 * @returns the bytes of its file; undefined where the part was given up
 * @throws ConfigError naming the run whose parameters cannot go together
 */
export async function makePart(
  folder: SweepFolder,
  place: FolderSweep,
  part: number,
  control: PartControl,
): Promise<Uint8Array | undefined> {
  const { sweep, plan, earlier } = place;
  const [from, to] = partRange(sweep, plan, part);
  const rows = sweepRows();
  const trajectories = sweep.spec.trajectories === null ? undefined : createHash('sha256');
  if (from < to) expectRuns(Math.max(configOf(place, from).steps, configOf(place, to - 1).steps));
  for (let i = from; i < to; i++) {
    const config = configOf(place, i);
    if (earlier.some((other) => other.has(config))) continue;
    let left = config.steps + 1;
    const proceed = (steps: number) => {
      left -= steps;
      return control.proceed(steps);
    };
    const start = performance.now();
    // Without trajectories nothing is waited for: a million short runs, a million empty turns of
    // the event loop.
    const result = trajectories
      ? await trajectoryOf(folder, config, sweep.spec.trajectories!, trajectories, proceed)
      : runToResult(config, proceed);
    if (!result) return undefined;
    rows.add(result, (performance.now() - start) / 1000);
    // A run that diverged has no more steps to take.
    if (!control.proceed(left)) return undefined;
  }
  return encodePart(rows, partName(sweep, part), trajectories?.digest('hex'));
}

/** Runs of fewer steps than this end before a compiler could help them in mid-loop. */
const SHORT = 100_000;

/**
 * Tells V8 how the loop of a run is best compiled. Where thousands of short runs enter it one after
 * the other, only the version for its entrance is wanted: left to itself, V8 compiles one for the
 * middle of the loop as well, and in every third process then begins each run with the slow one, at
 * two thirds of the speed. A long run needs the other.
 */
export function expectRuns(steps: number): void {
  setFlagsFromString(steps < SHORT ? '--no-use-osr' : '--use-osr');
}

function configOf({ sweep }: FolderSweep, index: number): RunConfig {
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

async function trajectoryOf(
  ...args: Parameters<typeof import('./trajectory.ts').writeTrajectory>
): Promise<RunResult | undefined> {
  return (await import('./trajectory.ts')).writeTrajectory(...args);
}

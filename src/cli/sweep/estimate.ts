import type { FolderSweep } from './folder.ts';
import { encodePart } from './part-file.ts';

export interface Estimate {
  readonly runs: number;
  /** Steps of all runs; fewer where runs diverge. */
  readonly steps: number;
  readonly parts: number;
  /** Seconds on that many threads of this machine. */
  readonly seconds: number;
  readonly threads: number;
  /** Bytes of the summary, and of the trajectories where they are kept. */
  readonly bytes: number;
}

/** Milliseconds spent on trying; what the first of them took is compiled while it runs. */
const BUDGET = 500;
const COLD = 200;
/** Runs that are tried at least where there is time, and at most. */
const SAMPLE = 24;
const MOST_TRIED = 20_000;
const BYTES_A_ROW = 500;
const TRAJECTORY_COLUMNS_BYTES = 112;
const TRAJECTORY_FOOTER_BYTES = 6000;
/** Rows around phase changes and peaks, over and above each K-th. */
const TRAJECTORY_EXTRA = 1.2;

/**
 * What a sweep will take, from half a second of its own runs, spread over all of them. The first
 * part of it, while code is compiled, does not count.
 * @param share [i, n]: only each n-th part from the i-th on
 */
export async function estimate(
  place: FolderSweep,
  threads: number,
  [index, of]: readonly [number, number] = [0, 1],
): Promise<Estimate> {
  // Only an estimate needs what this brings along.
  const { anyResults, anyRows } = await import('../../pipeline/sweep/any-result.ts');
  const { sweep, plan } = place;
  const rows = anyRows(sweep.model);
  const start = performance.now();
  const elapsed = () => performance.now() - start;
  let taken = 0;
  let asked = 0;
  let tried = 0;
  /** When the code was warm, and how many steps had been taken by then. */
  let warm: { readonly time: number; readonly taken: number } | undefined;
  while (tried === 0 || (elapsed() < BUDGET && tried < MOST_TRIED)) {
    // Golden-ratio steps: whenever the time is up, what has been tried is spread evenly.
    const config = sweep.config(Math.floor(((0.5 + tried * 0.6180339887) % 1) * sweep.runs));
    const before = taken;
    const [made] = anyResults(sweep.model, [config], (steps) => {
      taken += steps;
      if (elapsed() >= COLD) warm ??= { time: elapsed(), taken };
      return elapsed() < BUDGET;
    });
    if (made) {
      // A run that diverged has no more steps to take, and costs no time for them.
      taken = before + config.steps + 1;
      if (rows.columns[0]!.length < SAMPLE) rows.add(made.result, 0.001);
    }
    if (elapsed() >= COLD) warm ??= { time: elapsed(), taken };
    asked += config.steps + 1;
    tried++;
  }
  const since = warm && taken > warm.taken ? warm : { time: 0, taken: 0 };
  const secondsAStep = (elapsed() - since.time) / 1000 / (taken - since.taken);
  const parts = Math.max(0, Math.ceil((plan.count - index) / of));
  // All parts have as many runs but for the last one.
  const shorter =
    parts > 0 && (plan.count - 1 - index) % of === 0 ? plan.count * plan.size - sweep.runs : 0;
  const runs = parts * plan.size - shorter;
  const steps = totalSteps(sweep, asked / tried) * (runs / sweep.runs);
  const finished = rows.columns[0]!.length;
  const bytesARow = finished > 4 ? (await encodePart(rows, '')).length / finished : BYTES_A_ROW;
  const every = sweep.spec.trajectories;
  const trajectories =
    every === null
      ? 0
      : runs * TRAJECTORY_FOOTER_BYTES +
        (steps / every) * TRAJECTORY_COLUMNS_BYTES * TRAJECTORY_EXTRA;
  return {
    runs,
    steps: Math.round(steps),
    parts,
    seconds: (steps * secondsAStep) / Math.max(1, Math.min(threads, parts)),
    threads,
    bytes: Math.round(runs * bytesARow + trajectories),
  };
}

/** Rows of all runs, counted where the axis of steps is short. */
export function totalSteps({ axes, runs }: FolderSweep['sweep'], mean = 0): number {
  const axis = axes.get('steps');
  if (!axis || axis.count > 1e6) return Math.round(runs * mean);
  let sum = 0;
  for (let i = 0; i < axis.count; i++) sum += axis.at(i) + 1;
  return (runs / axis.count) * sum;
}

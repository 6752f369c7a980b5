import type { AnySweep } from './any-sweep.ts';

/**
 * How the runs of a sweep are divided into parts, each of which is computed, written and committed
 * as a whole.
 */
export interface PartPlan {
  /** Runs a part; the last one may have fewer. */
  readonly size: number;
  readonly count: number;
}

/**
 * Steps a part should not exceed, about a second of one core: that much is lost where a worker
 * dies.
 */
const STEPS = 8_000_000;
/**
 * With no fewer parts than this (where there are as many runs) all cores end at about the same
 * time.
 */
const LEAST_PARTS = 24;
const MOST_RUNS = 4096;
/** Many small files are slow to list and to read; from here on parts grow instead. */
const MOST_PARTS = 4096;

/** The division of a sweep: it follows from the spec alone, so that every machine divides alike. */
export function partPlan({ runs, spec, axes, work }: AnySweep): PartPlan {
  const steps = axes.get('steps');
  let longest = 0;
  if (steps)
    for (let i = 0; i < Math.min(steps.count, 1000); i++) longest = Math.max(longest, steps.at(i));
  const most = STEPS / work;
  const byWork = Math.min(most / (longest + 1), runs / LEAST_PARTS, MOST_RUNS);
  // Long runs get a part each however many there are; short ones must not make millions of files.
  const byCount =
    spec.trajectories === null && longest < most ? Math.min(runs / MOST_PARTS, 16 * MOST_RUNS) : 0;
  const size = Math.max(1, Math.floor(byWork), Math.ceil(byCount));
  return { size, count: Math.ceil(runs / size) };
}

/** Numbers of the first run of a part and of the one behind its last. */
export function partRange(
  { runs }: AnySweep,
  { size }: PartPlan,
  part: number,
): readonly [number, number] {
  return [part * size, Math.min(runs, (part + 1) * size)];
}

import { count, plural } from '../../pipeline/format.ts';
import { type EngineFlags, openEngine } from './engine.ts';
import { findSweeps, isCancelled } from './folder.ts';
import { runsIn, sweepState } from './missing.ts';
import type { QueueState } from './redis/queues.ts';

export interface SweepStatusReport {
  readonly folder: string;
  readonly cancelled: boolean;
  readonly sweeps: readonly {
    readonly id: string;
    readonly runs: number;
    readonly done: number;
    readonly damaged_parts: number;
    readonly queue?: QueueState;
  }[];
}

/** How far the sweeps of a folder have come, and what is in their queues. */
export async function sweepStatus(out: string, flags: EngineFlags): Promise<SweepStatusReport> {
  const { folder, places } = await findSweeps(out);
  const queueing = await openEngine(flags);
  const queues = await queueing?.redis.queueStates(places, queueing.connection);
  const sweeps = [];
  for (const [i, place] of places.entries()) {
    const { missing, damaged } = await sweepState(folder, place);
    const { id, runs } = place.sweep;
    const done = runs - runsIn(place, missing);
    const state = { id, runs, done, damaged_parts: damaged.length };
    sweeps.push(queues ? { ...state, queue: queues[i]! } : state);
  }
  return { folder: out, cancelled: await isCancelled(folder), sweeps };
}

export function statusLines({ sweeps, cancelled }: SweepStatusReport): string[] {
  return sweeps.map(({ id, runs, done, damaged_parts: damaged, queue }) => {
    const state =
      done === runs ? 'whole' : cancelled ? 'cancelled' : `${Math.floor((100 * done) / runs)} %`;
    const parts = queue
      ? `; queue: ${plural(queue.waiting, 'part')} waiting, ${count(queue.active)} active, ` +
        `${count(queue.failed)} failed, ${plural(queue.workers, 'worker')}`
      : '';
    const harm =
      damaged === 0 ? '' : `; ${plural(damaged, 'damaged part')}, which the next start redoes`;
    return `sweep ${id}: ${count(done)} of ${count(runs)} runs, ${state}${harm}${parts}`;
  });
}

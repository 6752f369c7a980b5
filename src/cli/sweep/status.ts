import { UsageError } from '../errors.ts';
import { count } from '../terminal.ts';
import { isCancelled } from './cancel-marker.ts';
import { readManifest, sweepFolder } from './folder.ts';
import { runsIn, sweepState } from './missing.ts';
import type { QueueCounts } from './queue.ts';
import { connectRedis, type RedisTls } from './redis-connection.ts';

export interface SweepStatusReport {
  readonly folder: string;
  readonly cancelled: boolean;
  readonly sweeps: readonly {
    readonly id: string;
    readonly runs: number;
    readonly done: number;
    readonly damaged_parts: number;
    readonly queue?: QueueCounts & { readonly workers: number };
  }[];
}

/** How far the sweeps of a folder have come, and what is in their queues. */
export async function sweepStatus(out: string, engine: string | undefined, tls: RedisTls): Promise<SweepStatusReport> {
  const folder = sweepFolder(out);
  const places = await readManifest(folder);
  if (places.length === 0) throw new UsageError(`--out: ${out} holds no sweep`);
  const connection = engine === undefined || engine === 'embedded' ? undefined : await connectRedis(engine, tls);
  const sweeps = [];
  for (const place of places) {
    const { missing, damaged } = await sweepState(folder, place);
    const { id, runs } = place.sweep;
    const state = { id, runs, done: runs - runsIn(place, missing), damaged_parts: damaged.length };
    if (!connection) {
      sweeps.push(state);
      continue;
    }
    const { openQueue, queueCounts } = await import('./queue.ts');
    const queue = openQueue(id, connection);
    sweeps.push({ ...state, queue: { ...(await queueCounts(queue)), workers: await queue.getWorkersCount() } });
    await queue.close();
  }
  return { folder: out, cancelled: await isCancelled(folder), sweeps };
}

export function statusLines({ sweeps, cancelled }: SweepStatusReport): string[] {
  return sweeps.map(({ id, runs, done, damaged_parts: damaged, queue }) => {
    const state = done === runs ? 'whole' : cancelled ? 'cancelled' : `${Math.floor((100 * done) / runs)} %`;
    const parts = queue
      ? `; queue: ${count(queue.waiting)} parts waiting, ${count(queue.active)} active, ${count(queue.failed)} failed, ${count(queue.workers)} workers`
      : '';
    const harm = damaged === 0 ? '' : `; ${count(damaged)} damaged parts, which the next start redoes`;
    return `sweep ${id}: ${count(done)} of ${count(runs)} runs, ${state}${harm}${parts}`;
  });
}

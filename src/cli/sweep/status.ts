import { count, plural } from '../../pipeline/format.ts';
import { UsageError } from '../errors.ts';
import { isCancelled } from './cancel-marker.ts';
import { type FolderSweep, readManifest, sweepFolder } from './folder.ts';
import { runsIn, sweepState } from './missing.ts';
import type { QueueCounts } from './queue.ts';
import { connectRedis, type RedisConnection, type RedisTls } from './redis-connection.ts';

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

interface QueueState extends QueueCounts {
  readonly workers: number;
}

/** How far the sweeps of a folder have come, and what is in their queues. */
export async function sweepStatus(
  out: string,
  engine: string | undefined,
  tls: RedisTls,
): Promise<SweepStatusReport> {
  const folder = sweepFolder(out);
  const places = await readManifest(folder);
  if (places.length === 0) throw new UsageError(`--out: ${out} holds no sweep`);
  const connection =
    engine === undefined || engine === 'embedded' ? undefined : await connectRedis(engine, tls);
  const clients =
    connection && (await import('./redis-clients.ts')).watchRedis(connection, complain);
  const sweeps = [];
  try {
    for (const place of places) {
      const { missing, damaged } = await sweepState(folder, place);
      const { id, runs } = place.sweep;
      const state = {
        id,
        runs,
        done: runs - runsIn(place, missing),
        damaged_parts: damaged.length,
      };
      sweeps.push(connection ? { ...state, queue: await queueState(place, connection) } : state);
    }
  } finally {
    clients?.close();
  }
  return { folder: out, cancelled: await isCancelled(folder), sweeps };
}

function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function queueState(place: FolderSweep, connection: RedisConnection): Promise<QueueState> {
  const { openQueue, queueCounts } = await import('./queue.ts');
  const queue = openQueue(place, connection);
  const state = { ...(await queueCounts(queue)), workers: await queue.getWorkersCount() };
  await queue.close();
  return state;
}

export function statusLines({ sweeps, cancelled }: SweepStatusReport): string[] {
  return sweeps.map(({ id, runs, done, damaged_parts: damaged, queue }) => {
    const state =
      done === runs ? 'whole' : cancelled ? 'cancelled' : `${Math.floor((100 * done) / runs)} %`;
    const parts = queue
      ? `; queue: ${plural(queue.waiting, 'part')} waiting, ${count(queue.active)} active, ${count(queue.failed)} failed, ${plural(queue.workers, 'worker')}`
      : '';
    const harm =
      damaged === 0 ? '' : `; ${plural(damaged, 'damaged part')}, which the next start redoes`;
    return `sweep ${id}: ${count(done)} of ${count(runs)} runs, ${state}${harm}${parts}`;
  });
}

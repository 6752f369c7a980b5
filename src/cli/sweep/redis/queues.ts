import type { FolderSweep } from '../folder.ts';
import { watchRedis } from './clients.ts';
import type { RedisConnection } from './connection.ts';
import { openQueue, type PartQueue, type QueueCounts, queueCounts, removeQueue } from './queue.ts';

/** What is in the queue of a sweep, and who works for it. */
export interface QueueState extends QueueCounts {
  readonly workers: number;
}

/** The states of the queues of these sweeps. */
export function queueStates(
  places: readonly FolderSweep[],
  connection: RedisConnection,
): Promise<QueueState[]> {
  return eachQueue(places, connection, async (queue) => ({
    ...(await queueCounts(queue)),
    workers: await queue.getWorkersCount(),
  }));
}

/**
 * Takes the queues of these sweeps out of Redis; resolves with the number of parts that were in
 * them.
 */
export async function dropQueues(
  places: readonly FolderSweep[],
  connection: RedisConnection,
): Promise<number> {
  const dropped = await eachQueue(places, connection, async (queue) => {
    const { waiting, active } = await queueCounts(queue);
    await removeQueue(queue);
    return waiting + active;
  });
  return dropped.reduce((sum, parts) => sum + parts, 0);
}

async function eachQueue<T>(
  places: readonly FolderSweep[],
  connection: RedisConnection,
  use: (queue: PartQueue) => Promise<T>,
): Promise<T[]> {
  const clients = watchRedis(connection, (line) => process.stderr.write(`${line}\n`));
  try {
    const results: T[] = [];
    for (const place of places) {
      const queue = openQueue(place, connection);
      results.push(await use(queue));
      await queue.close();
    }
    return results;
  } finally {
    clients.close();
  }
}

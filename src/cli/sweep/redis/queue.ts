import { Queue } from 'bullmq';
import type { FolderSweep } from '../folder.ts';
import type { RedisConnection } from './connection.ts';

/** What a job says: which part. All else stands in the folder that all workers see. */
export interface PartJob {
  readonly part: number;
}

export type PartQueue = Queue<PartJob>;

/** Namespace of all keys in Redis. */
export const PREFIX = 'eos';

/**
 * A queue for each sweep of each folder, so that a worker only meets parts of the folder that it works for, and nobody
 * takes away those of another that happens to hold the same sweep.
 */
export function queueName({ folder, sweep }: FolderSweep): string {
  return `sweep-${folder}-${sweep.id}`;
}

export function openQueue(place: FolderSweep, { options }: RedisConnection): PartQueue {
  const queue = new Queue<PartJob>(queueName(place), { connection: options, prefix: PREFIX });
  // Without a listener the first loss of the connection would end the process; `watchRedis` tells of it.
  queue.on('error', () => {});
  return queue;
}

/** So often a queue is taken out of Redis anew where somebody else does so at the same moment. */
const ATTEMPTS = 100;

/**
 * Takes all of a queue out of Redis, what it says of itself as well. Any number of processes may do so at once, as
 * sweep and workers do when the last part is there.
 */
export async function removeQueue(queue: PartQueue): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await queue.obliterate({ force: true });
      break;
    } catch (error) {
      // It is paused first, and the other one has just taken away that it was.
      if (attempt === ATTEMPTS || !(error as Error).message.includes('non-paused')) throw error;
    }
  }
  const client = await queue.backend.client;
  await client.del(
    ...['meta', 'events', 'id', 'marker', 'stalled-check', 'stalled'].map((key) =>
      queue.toKey(key),
    ),
  );
}

const BULK = 1000;

/** Puts parts into the queue; those that are in it already stay as they are. */
export async function enqueue(queue: PartQueue, parts: readonly number[]): Promise<void> {
  await queue.clean(0, 0, 'failed');
  await queue.clean(0, 0, 'completed');
  for (let at = 0; at < parts.length; at += BULK) {
    await queue.addBulk(
      parts.slice(at, at + BULK).map((part) => ({
        name: 'part',
        data: { part },
        opts: {
          jobId: `part-${part}`,
          attempts: 5,
          backoff: { type: 'exponential', delay: 500 },
          // The file is the result; a job that is done must not stand in the way of one that does it again.
          removeOnComplete: true,
        },
      })),
    );
  }
}

export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  readonly failed: number;
}

export async function queueCounts(queue: PartQueue): Promise<QueueCounts> {
  const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed');
  return {
    waiting: (counts.waiting ?? 0) + (counts.delayed ?? 0),
    active: counts.active ?? 0,
    failed: counts.failed ?? 0,
  };
}

import { Queue } from 'bullmq';
import type { RedisConnection } from './redis-connection.ts';

/** What a job says: which part. All else stands in the folder that all workers see. */
export interface PartJob {
  readonly part: number;
}

/** Namespace of all keys in Redis. */
export const PREFIX = 'eos';

/** A queue a sweep, so that a worker only meets parts of the folder that it works for. */
export function queueName(sweep: string): string {
  return `sweep-${sweep}`;
}

export function openQueue(sweep: string, { options }: RedisConnection): Queue<PartJob> {
  const queue = new Queue<PartJob>(queueName(sweep), { connection: options, prefix: PREFIX });
  // Connections come and go with Redis; without a listener the first loss would end the process.
  queue.on('error', () => {});
  return queue;
}

const BULK = 1000;

/** Puts parts into the queue; those that are in it already stay as they are. */
export async function enqueue(queue: Queue<PartJob>, parts: readonly number[]): Promise<void> {
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

export async function queueCounts(queue: Queue<PartJob>): Promise<QueueCounts> {
  const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed');
  return {
    waiting: (counts.waiting ?? 0) + (counts.delayed ?? 0),
    active: counts.active ?? 0,
    failed: counts.failed ?? 0,
  };
}

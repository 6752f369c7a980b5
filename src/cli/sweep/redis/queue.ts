import { type JobType, Queue } from 'bullmq';
import type { FolderSweep } from '../folder.ts';
import type { RedisConnection } from './connection.ts';
import { JOB_NAME, jobId, type PartJob, partJob, refusal } from './job.ts';

export type PartQueue = Queue<PartJob>;

/** Namespace of all keys in Redis. */
export const PREFIX = 'eos';

/**
 * A queue for each sweep of each folder, so that a worker only meets parts of the folder that it
 * works for, and nobody takes away those of another that happens to hold the same sweep.
 */
export function queueName({ folder, sweep }: FolderSweep): string {
  return `sweep-${folder}-${sweep.id}`;
}

export function openQueue(place: FolderSweep, { options }: RedisConnection): PartQueue {
  const queue = new Queue<PartJob>(queueName(place), { connection: options, prefix: PREFIX });
  // Without a listener the first loss of the connection would end the process; `watchRedis` tells
  // of it.
  queue.on('error', () => {});
  return queue;
}

/** So often a queue is taken out of Redis anew where somebody else does so at the same moment. */
const ATTEMPTS = 100;

/**
 * Takes all of a queue out of Redis, what it says of itself as well. Any number of processes may do
 * so at once, as sweep and workers do when the last part is there.
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
        name: JOB_NAME,
        data: partJob(part),
        opts: {
          jobId: jobId(part),
          attempts: 5,
          backoff: { type: 'exponential', delay: 500 },
          // The file is the result; a job that is done must not stand in the way of one that does
          // it again.
          removeOnComplete: true,
        },
      })),
    );
  }
}

/** Jobs that are looked at together. */
const PAGE = 1000;
const WAITING: JobType[] = ['waiting', 'delayed', 'prioritized', 'waiting-children'];

/**
 * Takes out of the queue what waits there and is no part of the sweep: it may stand in the way of
 * one, under its name.
 * @returns why each was refused
 */
export async function removeStrangers(queue: PartQueue, place: FolderSweep): Promise<string[]> {
  await blankUnreadable(queue);
  const refused: string[] = [];
  for (let at = 0; ; at += PAGE) {
    const ids = await queue.getRanges(WAITING, at, at + PAGE - 1);
    for (const id of ids) {
      const job = await queue.getJob(id);
      const why = job && refusal(job, place);
      if (why === undefined) continue;
      refused.push(`job ${id} refused: ${why}`);
      await queue.remove(id).catch(() => {});
    }
    if (ids.length < PAGE) return refused;
  }
}

/**
 * Makes jobs that are no JSON such as say nothing, so that they can be refused: a worker that is
 * given one as it is can neither do it nor give it back, and it would come round for ever.
 */
export async function blankUnreadable(queue: PartQueue): Promise<void> {
  const client = await queue.backend.client;
  for (const id of await queue.getRanges([...WAITING, 'active'])) {
    await queue.getJob(id).catch(async (error: unknown) => {
      if (!(error instanceof SyntaxError)) throw error;
      await client.hset(queue.toKey(id), { data: 'null', opts: '{}' });
    });
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

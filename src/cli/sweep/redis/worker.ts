import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnrecoverableError, Worker } from 'bullmq';
import { count, plural } from '../../../pipeline/format.ts';
import { ConfigError } from '../../../pipeline/models/minimal/config.ts';
import { EXIT, forTerminal } from '../../errors.ts';
import { type Interrupt, onInterrupt } from '../../interrupt.ts';
import {
  type FolderSweep,
  isCancelled,
  readManifest,
  type SweepFolder,
  sweepFolder,
} from '../folder.ts';
import { isWhole, seemsWhole, sweepState } from '../missing.ts';
import { type ThreadPool, threadPool } from '../thread-pool.ts';
import { unlessAway, watchRedis } from './clients.ts';
import type { RedisConnection } from './connection.ts';
import { type PartJob, refusal } from './job.ts';
import { blankUnreadable, openQueue, PREFIX, queueName, removeQueue } from './queue.ts';

export interface WorkerRequest {
  readonly out: string;
  readonly connection: RedisConnection;
  readonly threads: number;
  /** Seconds without a sign of life after which a worker's parts go to others. */
  readonly takeover: number;
  readonly quiet: boolean;
}

const TICK = 500;
/** Milliseconds that a worker may take to give its parts back. */
const GOODBYE = 2000;

/**
 * Carries out `eos worker`: computes parts of the queue until the sweeps of the folder are whole.
 */
export async function workerRun(request: WorkerRequest): Promise<number> {
  const folder = sweepFolder(request.out);
  const say = (line: string) => {
    if (!request.quiet) process.stderr.write(`${line}\n`);
  };
  const interrupt = onInterrupt(() => say('interrupted: parts under way go back to the queue'));
  try {
    const places = await waitForSweep(folder, interrupt.signal, say);
    let parts = 0;
    for (const place of places) {
      if (interrupt.signal.aborted) break;
      if ((await sweepState(folder, place)).missing.length === 0) continue;
      say(
        `sweep ${place.sweep.id}: working for ${request.connection.shown} on ` +
          `${plural(request.threads, 'thread')}`,
      );
      const result = await serve(request, folder, place, interrupt, say);
      parts += result.parts;
      if (result.end === 'cancelled') {
        say(`cancelled: ${count(parts)} parts done by this worker`);
        return EXIT.failure;
      }
    }
    const code = interrupt.exitCode();
    say(
      `${code === undefined ? 'the sweep is whole' : 'interrupted'}: ${count(parts)} parts ` +
        'done by this worker',
    );
    return code ?? EXIT.done;
  } finally {
    interrupt.release();
  }
}

/** A worker may be there before the sweep is, or before one that was cancelled is started again. */
async function waitForSweep(
  folder: SweepFolder,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<readonly FolderSweep[]> {
  let told = '';
  for (;;) {
    const cancelled = await isCancelled(folder);
    // What is waited for is not read again and again.
    const places = cancelled ? [] : await readManifest(folder);
    if (places.length > 0 || signal.aborted) return places;
    const line = cancelled
      ? `waiting: the sweep in ${folder.path} is cancelled, and goes on when eos sweep is ` +
        'started again'
      : `waiting for a sweep in ${folder.path}`;
    if (line !== told) say(line);
    told = line;
    await sleep(TICK, undefined, { signal }).catch(() => {});
  }
}

async function serve(
  { threads, takeover, connection }: WorkerRequest,
  folder: SweepFolder,
  place: FolderSweep,
  { signal }: Interrupt,
  say: (line: string) => void,
): Promise<{ readonly end: 'whole' | 'cancelled' | 'interrupted'; readonly parts: number }> {
  const pool = threadPool(folder, threads);
  const clients = watchRedis(connection, say);
  let parts = 0;
  const worker = new Worker<PartJob>(
    queueName(place),
    async (job) => {
      const why = refusal(job, place);
      if (why !== undefined) throw new RefusedJobError(`job ${job.id} refused: ${why}`);
      if (await compute(pool, folder, place, job.data.part)) parts++;
    },
    {
      connection: connection.options,
      prefix: PREFIX,
      concurrency: threads,
      name: `${hostname()}-${process.pid}`,
      lockDuration: takeover * 1000,
      stalledInterval: (takeover * 1000) / 2,
      maxStalledCount: 1000,
      drainDelay: 1,
      runRetryDelay: TICK,
    },
  );
  // `watchRedis` tells what is wrong with the connection.
  const queue = openQueue(place, connection);
  worker.on('error', (error) => {
    if (error instanceof SyntaxError) blankUnreadable(queue).catch(() => {});
  });
  worker.on('failed', (job, error) => {
    if (signal.aborted) return;
    if (!(error instanceof RefusedJobError)) {
      say(`part ${job?.data.part ?? '?'} failed: ${error.message}`);
      return;
    }
    say(forTerminal(error.message));
    // What has failed keeps its name, which may be that of a part.
    job?.remove().catch(() => {});
  });

  let end: 'whole' | 'cancelled' | 'interrupted' | undefined;
  try {
    while (end === undefined) {
      await sleep(TICK, undefined, { signal }).catch(() => {});
      if (signal.aborted) end = 'interrupted';
      else if (await isCancelled(folder)) end = 'cancelled';
      else if (await seemsWhole(folder, place)) end = 'whole';
    }
    pool.stop();
    await Promise.race([worker.close(end !== 'interrupted').catch(() => {}), sleep(GOODBYE)]);
    // What `eos sweep --detach` has left behind, nobody else would clear.
    if (end === 'whole') await Promise.race([unlessAway(removeQueue(queue)), sleep(GOODBYE)]);
    await Promise.race([queue.close().catch(() => {}), sleep(GOODBYE)]);
    return { end, parts };
  } finally {
    // Closing and disconnecting a worker both wait for a Redis that is away; and what stays open
    // keeps the process.
    clients.close();
    pool.stop();
    await pool.close();
  }
}

/** What stands in the queue is no part of the sweep. */
class RefusedJobError extends UnrecoverableError {}

/** Computes a part unless somebody has; true where it was computed here. */
async function compute(
  pool: ThreadPool,
  folder: SweepFolder,
  place: FolderSweep,
  part: number,
): Promise<boolean> {
  if (await isWhole(folder, place, part)) return false;
  try {
    if (await pool.make(place, part)) return true;
  } catch (error) {
    // Parameters that cannot go together will not do so next time.
    if (error instanceof ConfigError) throw new UnrecoverableError(`--${error.message}`);
    throw error;
  }
  throw new Error('given up, since the worker ends');
}

import { setTimeout as sleep } from 'node:timers/promises';
import { forTerminal } from '../../errors.ts';
import { isCancelled } from '../folder.ts';
import type { EngineRequest, EngineResult } from '../local-engine.ts';
import { seemsWhole, sweepState } from '../missing.ts';
import { unlessAway, watchRedis } from './clients.ts';
import type { RedisConnection } from './connection.ts';
import { enqueue, openQueue, queueCounts, removeQueue, removeStrangers } from './queue.ts';

const TICK = 500;
/** Milliseconds that a queue may take to close properly. */
const GOODBYE = 1000;
/**
 * So often parts that are neither there nor in the queue are handed out again before something must
 * be wrong.
 */
const ROUNDS = 5;

/**
 * Hands parts to the queue and waits until all are in the folder. The folder is the truth: should
 * Redis forget jobs, they are handed out again.
 */
export async function runDistributed(
  request: EngineRequest & {
    readonly connection: RedisConnection;
    readonly detach: boolean;
    readonly say: (line: string) => void;
  },
): Promise<EngineResult> {
  const { folder, place, connection, signal, progress, detach, say } = request;
  const clients = watchRedis(connection, say);
  const queue = openQueue(place, connection);
  let { missing } = request;
  const asked = missing.length;
  const handOut = async () => {
    for (const line of await removeStrangers(queue, place)) say(forTerminal(line));
    await enqueue(queue, missing);
    return true as const;
  };
  try {
    const gone = aborted(signal);
    if (detach) {
      await handOut();
      return { made: 0, cancelled: false };
    }
    let handed = false;
    for (let round = 0; ; ) {
      if (!handed) handed = (await Promise.race([unlessAway(handOut()), gone])) === true;
      await sleep(TICK, undefined, { signal }).catch(() => {});
      if (signal.aborted) return { made: asked - missing.length, cancelled: false };
      if (await isCancelled(folder)) return { made: asked - missing.length, cancelled: true };
      if (!handed) continue;
      const counts = await Promise.race([unlessAway(queueCounts(queue)), gone]);
      if (!counts) continue;
      const pending = counts.waiting + counts.active + counts.failed;
      progress(request.totalSteps * Math.max(0, 1 - pending / asked));
      // Whatever the queue holds: workers leave once all parts are there, and nobody would take
      // what is in it still.
      if (await seemsWhole(folder, place)) {
        await Promise.race([unlessAway(removeQueue(queue)), gone]);
        return { made: asked, cancelled: false };
      }
      if (counts.waiting + counts.active > 0) continue;

      const before = missing.length;
      ({ missing } = await sweepState(folder, place));
      if (missing.length === 0) continue;
      if (counts.failed > 0) {
        const [job] = await queue.getFailed(0, 0);
        throw new Error(
          `${counts.failed} of ${asked} parts failed on all attempts, the first: ` +
            `${job?.failedReason ?? 'unknown'}`,
        );
      }
      round = missing.length < before ? 0 : round + 1;
      if (round > ROUNDS) {
        throw new Error(
          `${missing.length} parts are out of the queue but not in ${folder.summary}; do all ` +
            'workers write to this very folder?',
        );
      }
      handed = false;
    }
  } finally {
    await Promise.race([queue.close().catch(() => {}), sleep(GOODBYE)]);
    // A connection that waits for an absent Redis would keep the process alive.
    clients.close();
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

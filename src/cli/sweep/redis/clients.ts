import { createIORedisClient, RedisConnection as QueueConnection } from 'bullmq';
import { Redis } from 'ioredis';
import type { RedisConnection } from './connection.ts';

/** The connections of this process to a Redis. */
export interface RedisClients {
  /** Ends them at once, whether the Redis is there or not. */
  close(): void;
}

/**
 * A connection is back once it has been good for so long: one that is refused comes up for a moment
 * each time.
 */
const STEADY = 300;

/**
 * Makes the connections of the queues and workers that are opened from now on, and tells once when
 * the Redis goes away or refuses them, and once when it is back.
 */
export function watchRedis(
  { shown, explain }: RedisConnection,
  say: (line: string) => void,
): RedisClients {
  const clients = new Set<Redis>();
  let trouble: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const onError = (error: Error) => {
    if (closed || !isOfConnection(error)) return;
    clearTimeout(timer);
    const line = explain(error);
    if (line !== trouble) say(`${line}; trying again until it does`);
    trouble = line;
  };
  const onReady = () => {
    clearTimeout(timer);
    if (trouble === undefined) return;
    timer = setTimeout(() => {
      if (closed || ![...clients].every(({ status }) => status === 'ready' || status === 'end'))
        return;
      trouble = undefined;
      say(`the Redis at ${shown} is back`);
    }, STEADY);
  };

  QueueConnection.clientFactory = (options) => {
    const client = new Redis({ ...options, disconnectTimeout: STEADY });
    // This listener stays when those of the queue go: without any, errors are printed with their
    // stacks.
    client.on('error', (error: Error) => {
      onError(error);
      // It would go on with the first database, which may be somebody else's.
      if (isAboutDatabase(error)) client.disconnect(true);
    });
    client.on('ready', onReady);
    client.on('end', () => clients.delete(client));
    clients.add(client);
    return createIORedisClient(client);
  };
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      for (const client of clients) client.disconnect();
    },
  };
}

/**
 * What comes of a command, or undefined where the connection failed it: `watchRedis` has said so.
 */
export async function unlessAway<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && isOfConnection(error)) return undefined;
    throw error;
  }
}

const isAboutDatabase = (error: Error): boolean => /DB index/i.test(error.message);

/** Answers of a server that takes no command of ours. */
const REFUSED = /NOAUTH|WRONGPASS|NOPERM|READONLY|LOADING|MISCONF|OOM |Protocol error/i;

function isOfConnection(error: Error): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return (
    code !== undefined ||
    isAboutDatabase(error) ||
    REFUSED.test(message) ||
    /invalid (username|password)|timed? ?out|certificate|connection (is )?close/i.test(message)
  );
}

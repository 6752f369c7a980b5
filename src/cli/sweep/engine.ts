import { UsageError } from '../errors.ts';
import type { RedisConnection } from './redis/connection.ts';

/** What the flags say of where the work is done. */
export interface EngineFlags {
  readonly engine: string;
  readonly 'redis-ca': string | undefined;
  readonly 'redis-cert': string | undefined;
  readonly 'redis-key': string | undefined;
}

/** A queue that answers, and the code that works with it. */
export interface Queueing {
  readonly connection: RedisConnection;
  readonly redis: typeof import('./redis/index.ts');
}

/**
 * The queue that `--engine` names, once it has answered; undefined for `embedded`.
 * @throws UsageError where it does not answer
 */
export async function openEngine(flags: EngineFlags): Promise<Queueing | undefined> {
  const { engine, 'redis-ca': ca, 'redis-cert': cert, 'redis-key': key } = flags;
  if (engine === 'embedded') {
    const name = (['redis-ca', 'redis-cert', 'redis-key'] as const).find((each) => flags[each]);
    if (name === undefined) return undefined;
    throw new UsageError(
      `--${name}: this is for the queue of a Redis; give --engine rediss://host too`,
    );
  }
  const redis = await import('./redis/index.ts');
  return { redis, connection: await redis.connectRedis(engine, { ca, cert, key }) };
}

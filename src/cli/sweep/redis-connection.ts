import { readFile } from 'node:fs/promises';
import type { RedisOptions } from 'bullmq';
import { UsageError } from '../errors.ts';

/** Files for TLS, beyond what the address says. */
export interface RedisTls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** How to reach a Redis that has answered. */
export interface RedisConnection {
  /** Options of a connection that waits for a Redis that goes away for a while. Holds the password: never print it. */
  readonly options: RedisOptions;
  /** The address without what is secret in it. */
  readonly shown: string;
}

/** Milliseconds until a Redis that does not answer counts as absent. */
const PATIENCE = 2000;
const RETRY = 500;
/** Milliseconds that a connection may take to say goodbye. */
const GOODBYE = 100;

/**
 * Reads the address of a Redis and makes sure that it answers, takes the password, and can be written to. User and
 * password come from the address or from EOS_REDIS_USERNAME and EOS_REDIS_PASSWORD, where no other user sees them.
 * @throws UsageError within three seconds where it does not
 */
export async function connectRedis(address: string, tls: RedisTls): Promise<RedisConnection> {
  const { options, shown } = await redisOptions(address, tls);
  const { Redis } = await import('ioredis');
  const probe = new Redis({
    ...options,
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: PATIENCE,
    disconnectTimeout: GOODBYE,
  });
  let cause: Error | undefined;
  probe.on('error', (error: Error) => {
    cause ??= error;
  });
  try {
    await withPatience(
      (async () => {
        await probe.connect();
        await probe.set('eos:probe', '1', 'PX', 1000);
      })(),
    );
  } catch (error) {
    throw new UsageError(`--engine: ${reason(cause ?? (error as Error), shown, options)}`);
  } finally {
    probe.disconnect();
  }
  return { options: { ...options, maxRetriesPerRequest: null, retryStrategy: () => RETRY }, shown };
}

async function withPatience(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })), PATIENCE);
  });
  work.catch(() => {});
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** The options of an address. Its text appears in no message: there may be a password in it. */
export async function redisOptions(
  address: string,
  { ca, cert, key }: RedisTls,
): Promise<{ readonly options: RedisOptions; readonly shown: string }> {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new UsageError(
      '--engine: this is no address of a Redis; write redis://host:6379, rediss://host for TLS, or embedded',
    );
  }
  if ((url.protocol !== 'redis:' && url.protocol !== 'rediss:') || url.hostname === '') {
    throw new UsageError(
      `--engine: ${url.protocol}// is no address of a Redis; write redis://host:6379, rediss://host for TLS, or embedded`,
    );
  }
  const db = url.pathname.replace(/^\//, '');
  if (!/^\d*$/.test(db)) throw new UsageError(`--engine: the database '${db}' is no number; write redis://host:6379/0`);
  const username = decodeURIComponent(url.username) || process.env.EOS_REDIS_USERNAME;
  const password = decodeURIComponent(url.password) || process.env.EOS_REDIS_PASSWORD;
  const encrypted = url.protocol === 'rediss:';
  if (!encrypted && (ca ?? cert ?? key) !== undefined) {
    throw new UsageError('--engine: certificates are for TLS; write rediss:// instead of redis://');
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    options: {
      host,
      port: url.port === '' ? 6379 : Number(url.port),
      db: Number(db),
      ...(username ? { username } : {}),
      ...(password ? { password } : {}),
      ...(encrypted
        ? {
            tls: {
              ...(await pem('redis-ca', 'ca', ca)),
              ...(await pem('redis-cert', 'cert', cert)),
              ...(await pem('redis-key', 'key', key)),
            },
          }
        : {}),
    },
    shown: `${url.protocol}//${url.host}${url.pathname}`,
  };
}

async function pem(flag: string, name: string, path: string | undefined): Promise<Record<string, Buffer>> {
  if (path === undefined) return {};
  return {
    [name]: await readFile(path).catch(() => {
      throw new UsageError(`--${flag}: ${path} cannot be read; name a PEM file`);
    }),
  };
}

function reason(error: Error, shown: string, { password }: RedisOptions): string {
  const { code } = error as NodeJS.ErrnoException;
  const text = error.message;
  if (/NOAUTH|WRONGPASS|invalid (username|password)/i.test(text)) {
    return password === undefined
      ? `the Redis at ${shown} asks for a password; set EOS_REDIS_PASSWORD, or write redis://user:password@host`
      : `the Redis at ${shown} does not take this user and password`;
  }
  if (/NOPERM|READONLY|ERR /.test(text)) return `the Redis at ${shown} refuses: ${text.split('\n')[0]}`;
  if (/certificate/i.test(text)) {
    return `this machine does not trust the Redis at ${shown} (${text.split('\n')[0]}); name its authority with --redis-ca`;
  }
  const why =
    code === 'ECONNREFUSED'
      ? 'nothing listens there'
      : code === 'ENOTFOUND' || code === 'EAI_AGAIN'
        ? 'there is no such host'
        : code === 'ETIMEDOUT' || /timed? ?out/i.test(text)
          ? 'no answer'
          : /^Protocol error/.test(text)
            ? 'what answers is no Redis'
            : text.split('\n')[0];
  return `no Redis answers at ${shown} (${why}); start one there, or leave --engine out to run on this machine`;
}

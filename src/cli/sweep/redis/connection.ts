import { readFile } from 'node:fs/promises';
import type { RedisOptions } from 'bullmq';
import { UsageError } from '../../errors.ts';

/** Files for TLS, beyond what the address says. */
export interface RedisTls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** How to reach a Redis that has answered. */
export interface RedisConnection {
  /**
   * Options of a connection that waits for a Redis that goes away for a while. Holds the password:
   * never print it.
   */
  readonly options: RedisOptions;
  /** The address without what is secret in it. */
  readonly shown: string;
  /** What an error of a connection means to the person at the terminal. */
  explain(error: Error): string;
}

/** Milliseconds until a Redis that does not answer counts as absent. */
const PATIENCE = 2000;
const RETRY = 500;
/** What fits the number that Redis keeps of them. */
const MOST_DATABASES = 2 ** 31 - 1;
/** Milliseconds that a connection may take to say goodbye. */
const GOODBYE = 100;

/**
 * Reads the address of a Redis and makes sure that it answers, takes the password, and can be
 * written to. User and password come from the address or from EOS_REDIS_USERNAME and
 * EOS_REDIS_PASSWORD, where no other user sees them.
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
        // Where there is no such database, the connection would go on with the first one.
        await probe.select(options.db ?? 0);
        await probe.set('eos:probe', '1', 'PX', 1000);
      })(),
    );
  } catch (error) {
    const why = reason(cause ?? (error as Error), shown, options);
    throw new UsageError(`--engine: ${why.what}; ${why.remedy}`);
  } finally {
    probe.disconnect();
  }
  return {
    options: { ...options, maxRetriesPerRequest: null, retryStrategy: () => RETRY },
    shown,
    explain: (error) => reason(error, shown, options).what,
  };
}

async function withPatience(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })),
      PATIENCE,
    );
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
      '--engine: this is no address of a Redis; write redis://host:6379, rediss://host for ' +
        'TLS, or embedded',
    );
  }
  if ((url.protocol !== 'redis:' && url.protocol !== 'rediss:') || url.hostname === '') {
    throw new UsageError(
      `--engine: ${url.protocol}// is no address of a Redis; write redis://host:6379, ` +
        'rediss://host for TLS, or embedded',
    );
  }
  if (url.search !== '' || url.hash !== '') {
    throw new UsageError(
      '--engine: what stands behind ? or # in the address would be ignored; write ' +
        'redis://user:password@host:6379/0, or set EOS_REDIS_PASSWORD',
    );
  }
  const db = url.pathname.replace(/^\//, '');
  if (!/^\d*$/.test(db))
    throw new UsageError(`--engine: the database '${db}' is no number; write redis://host:6379/0`);
  if (Number(db) > MOST_DATABASES)
    throw new UsageError(`--engine: there is no database ${db.slice(0, 20)} in any Redis`);
  const username = decoded(url.username) || process.env.EOS_REDIS_USERNAME;
  const password = decoded(url.password) || process.env.EOS_REDIS_PASSWORD;
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

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UsageError(
      '--engine: in user and password of the address each % begins a code of two digits; ' +
        'write %25 for a percent sign',
    );
  }
}

async function pem(
  flag: string,
  name: string,
  path: string | undefined,
): Promise<Record<string, Buffer>> {
  if (path === undefined) return {};
  return {
    [name]: await readFile(path).catch(() => {
      throw new UsageError(`--${flag}: ${path} cannot be read; name a PEM file`);
    }),
  };
}

interface Reason {
  readonly what: string;
  readonly remedy: string;
}

function reason(error: Error, shown: string, { password, db }: RedisOptions): Reason {
  const { code } = error as NodeJS.ErrnoException;
  const text = error.message;
  if (/NOAUTH|WRONGPASS|invalid (username|password)/i.test(text)) {
    return password === undefined
      ? {
          what: `the Redis at ${shown} asks for a password`,
          remedy: 'set EOS_REDIS_PASSWORD, or write redis://user:password@host',
        }
      : {
          what: `the Redis at ${shown} does not take this user and password`,
          remedy: 'look at EOS_REDIS_USERNAME, EOS_REDIS_PASSWORD and the address',
        };
  }
  if (/DB index is out of range|invalid DB index/i.test(text)) {
    return {
      what: `the Redis at ${shown} has no database ${db}`,
      remedy: 'databases count from 0, and there are 16 by default',
    };
  }
  if (/NOPERM|READONLY|LOADING|MISCONF|OOM |ERR /.test(text)) {
    return {
      what: `the Redis at ${shown} refuses: ${text.split('\n')[0]}`,
      remedy: 'look at its settings',
    };
  }
  if (/certificate/i.test(text)) {
    return {
      what: `this machine does not trust the Redis at ${shown} (${text.split('\n')[0]})`,
      remedy: 'name its authority with --redis-ca',
    };
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
  return {
    what: `no Redis answers at ${shown} (${why})`,
    remedy: 'start one there, or leave --engine out to run on this machine',
  };
}

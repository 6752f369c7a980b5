import { Flags } from '@oclif/core';
import { UsageError } from '../errors.ts';

/** Where the work is done. Passwords are better given by environment than by command line, which others can see. */
export const engineFlags = {
  engine: Flags.string({
    description:
      'embedded (threads of this process), or the address of a Redis: redis://host:6379/0, rediss:// for TLS',
    helpValue: 'ENGINE',
    helpGroup: 'ENGINE',
    env: 'EOS_ENGINE',
  }),
  'redis-ca': Flags.string({
    description: 'certificate of the authority that signed that of the Redis',
    helpValue: 'FILE',
    helpGroup: 'ENGINE',
  }),
  'redis-cert': Flags.string({
    description: 'own certificate for TLS',
    helpValue: 'FILE',
    helpGroup: 'ENGINE',
  }),
  'redis-key': Flags.string({
    description: 'key of that certificate',
    helpValue: 'FILE',
    helpGroup: 'ENGINE',
  }),
} as const;

export const threadsFlag = Flags.string({
  description: 'threads [all cores]',
  helpValue: 'N',
  helpGroup: 'ENGINE',
  env: 'EOS_THREADS',
});

/** A whole number from 1 up, given as text. */
export function countOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= 100_000) return value;
  throw new UsageError(`--${flag}: '${text}' is not a whole number from 1 up`);
}

/** `i/n` of `--shard`: counted from 0, as array jobs count. */
export function shareOf(text: string | undefined): readonly [number, number] {
  if (text === undefined) return [0, 1];
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [index, of] = [Number(match?.[1]), Number(match?.[2])];
  if (match && of >= 1 && index < of) return [index, of];
  throw new UsageError(
    `--shard: '${text}' is not i/n with 0 ≤ i < n; of four shards the first is 0/4, the last 3/4`,
  );
}

/** Refuses files for TLS where there is no Redis that they could be for. */
export function checkEngine(
  engine: string | undefined,
  flags: { readonly [K in 'redis-ca' | 'redis-cert' | 'redis-key']: string | undefined },
): void {
  if (engine !== undefined && engine !== 'embedded') return;
  for (const name of ['redis-ca', 'redis-cert', 'redis-key'] as const) {
    if (flags[name] !== undefined) {
      throw new UsageError(
        `--${name}: this is for the queue of a Redis; give --engine rediss://host too`,
      );
    }
  }
}

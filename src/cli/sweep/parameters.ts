import type { ParameterTable } from '../../pipeline/core/parameters.ts';
import { refuseAddress, UsageError } from '../errors.ts';
import { SCHEDULERS } from './schedulers.ts';

/** Where a sweep is. EOS_OUT names the file of a run, so the folder goes without a variable. */
export const folderParameters = {
  out: {
    type: 'text',
    noun: 'the name of a folder',
    symbol: 'DIR',
    meaning: 'folder of the sweep (required)',
    group: 'OUTPUT',
    variable: false,
  },
} as const satisfies ParameterTable;

/** The folder that a command was told. @throws UsageError where it was told none */
export function folderOf(out: string | undefined): string {
  if (out === undefined)
    throw new UsageError('--out: no folder was named; give --out DIR, the folder of the sweep');
  refuseAddress('out', out);
  return out;
}

/**
 * Where the work is done. Passwords are better given by environment than by command line, which
 * others can see.
 */
export const engineParameters = {
  engine: {
    type: 'text',
    noun: 'the address of a queue',
    symbol: 'ENGINE',
    meaning:
      'embedded (threads of this process), or the address of a Redis: redis://host:6379/0, ' +
      'rediss:// for TLS',
    group: 'ENGINE',
    default: 'embedded',
  },
  'redis-ca': {
    type: 'text',
    noun: 'the name of a file',
    symbol: 'FILE',
    meaning: 'certificate of the authority that signed that of the Redis',
    group: 'ENGINE',
  },
  'redis-cert': {
    type: 'text',
    noun: 'the name of a file',
    symbol: 'FILE',
    meaning: 'own certificate for TLS',
    group: 'ENGINE',
  },
  'redis-key': {
    type: 'text',
    noun: 'the name of a file',
    symbol: 'FILE',
    meaning: 'key of that certificate',
    group: 'ENGINE',
  },
} as const satisfies ParameterTable;

const threadsParameter = {
  threads: {
    type: 'integer',
    minimum: 1,
    maximum: 1000,
    symbol: 'N',
    meaning: 'threads, as many as there are cores unless given',
    group: 'ENGINE',
  },
} as const satisfies ParameterTable;

/** How a sweep is carried out, beyond its grid. */
export const sweepParameters = {
  ...folderParameters,
  ...engineParameters,
  ...threadsParameter,
  shard: {
    type: 'text',
    noun: 'a share such as 0/4',
    symbol: 'i/n',
    meaning: 'do only the i-th of n shares, 0 ≤ i < n',
    group: 'ENGINE',
  },
  emit: {
    type: 'word',
    noun: 'scheduler',
    words: SCHEDULERS,
    symbol: 'SCHEDULER',
    meaning:
      'print the job file of an array job that carries out the sweep, with size, memory and time',
    group: 'ENGINE',
    variable: false,
  },
  tasks: {
    type: 'integer',
    minimum: 1,
    maximum: 100_000,
    symbol: 'N',
    meaning: 'tasks of that array, of a quarter of an hour each unless given',
    group: 'ENGINE',
    variable: false,
  },
  detach: {
    type: 'boolean',
    meaning: 'leave the work to the queue and do not wait for it',
    group: 'ENGINE',
    default: false,
  },
  extend: {
    type: 'boolean',
    meaning:
      'add these runs to a folder that holds another sweep; runs that it has are not done again',
    group: 'OUTPUT',
    default: false,
  },
  'dry-run': {
    type: 'boolean',
    meaning: 'tell what it would take, and write nothing',
    group: 'OUTPUT',
    default: false,
    variable: false,
  },
  yes: {
    type: 'boolean',
    letter: 'y',
    meaning: 'confirm a sweep of more than ten million runs',
    group: 'OUTPUT',
    default: false,
    variable: false,
  },
} as const satisfies ParameterTable;

export const workerParameters = {
  ...folderParameters,
  ...engineParameters,
  ...threadsParameter,
  takeover: {
    type: 'integer',
    minimum: 1,
    maximum: 100_000,
    symbol: 'SECONDS',
    meaning: 'seconds without a sign of life after which the parts of a worker go to others',
    group: 'ENGINE',
    default: 15,
  },
} as const satisfies ParameterTable;

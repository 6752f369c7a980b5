import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * What the lock of this very process says, in the main, with other fields in the place of its own.
 */
export const lockText = (fields: object): string =>
  JSON.stringify({
    pid: process.pid,
    host: hostname(),
    started: null,
    boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    space: `${readlinkSync('/proc/self/ns/pid')} ${readlinkSync('/proc/self/ns/time')}`,
    token: 't',
    ...fields,
  });

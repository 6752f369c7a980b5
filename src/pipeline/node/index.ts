// What the library offers to Node alone: files, and logs to read.

import { aFunction, aSwitch, being, choosing, guarded } from '../core/guard.ts';
import { isPlain } from '../core/is-plain.ts';
import * as targets from './file-target.ts';
import * as logs from './open-log.ts';
import * as stored from './stored-file.ts';

export type { ByteSource } from '../formats/byte-source.ts';
export type { FileTarget, FileTargetOptions } from './file-target.ts';
export { type FileLock, LockedError } from './lock.ts';
export type { OpenLogOptions } from './open-log.ts';

const A_NAME = being(
  'the name of a file',
  (name) => typeof name === 'string' && name !== '' && !name.includes('\0'),
);
const A_SIGNAL = being('an AbortSignal', (signal) => signal instanceof AbortSignal);

/** @function */
export const fileTarget = guarded(
  'fileTarget',
  {
    path: A_NAME,
    options: choosing({
      from: being('{ end, in }', isPlain),
      lock: being('a lock of the file', isPlain),
    }),
  },
  targets.fileTarget,
);

/** @function */
export const growingFile = guarded('growingFile', { path: A_NAME }, stored.growingFile);

/** @function */
export const openLog = guarded(
  'openLog',
  {
    path: A_NAME,
    options: choosing({ follow: aSwitch, signal: A_SIGNAL, until: A_SIGNAL, onWait: aFunction }),
  },
  logs.openLog,
);

import { ConfigError } from '../pipeline/models/minimal/config.ts';
import { missingPackage } from './missing-package.ts';

/**
 * Bad usage or bad input: the message is one line that says what is wrong, where, and what to do.
 * Exit code 2.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Refuses the address of something that is not on this computer. @throws UsageError */
export function refuseAddress(flag: string, path: string): void {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(path)?.[1];
  if (scheme === undefined) return;
  throw new UsageError(
    `--${flag}: ${path} is an address (${scheme}); only files of this computer can be written`,
  );
}

export const EXIT = { done: 0, failure: 1, usage: 2 } as const;

/** Errors of the pipeline that are the input's fault; by name, so that this costs no import. */
const INPUT_ERRORS = new Set([
  ...['LockedError', 'FileRefusedError', 'CheckpointError'],
  ...['DamagedFileError', 'UnsupportedFileError'],
]);

/** What the system's error codes mean to the person at the terminal. */
const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file is larger than this file system allows',
  EACCES: 'permission denied',
  EPERM: 'the system does not permit it',
  EROFS: 'the file system is read-only',
  ENOENT: 'no such file or folder',
  EISDIR: 'this is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many open files',
  EIO: 'the disk reports an error',
  EPIPE: 'the reader of the output is gone',
};

/** A message in one line, without what oclif's parser wraps around the errors of our own flags. */
export function oneLine(message: string): string {
  return message
    .split('\n')
    .map((line) => line.trim())
    .filter(
      (line) =>
        line !== '' && line !== 'See more help with --help' && !/^Parsing --\S+$/.test(line),
    )
    .join(' ');
}

/** Longest message; what a file says of itself may be of any length. */
const LONGEST = 500;

/** Text that may come from a stranger's file, without what would steer a terminal. */
export function forTerminal(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to go
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd');
  return clean.length > LONGEST ? `${clean.slice(0, LONGEST)}…` : clean;
}

/** One line for an error, and the exit code that goes with it. */
export function describeError(error: unknown): { readonly line: string; readonly code: number } {
  if (error instanceof UsageError) return { line: oneLine(error.message), code: EXIT.usage };
  if (error instanceof ConfigError) return { line: `--${error.message}`, code: EXIT.usage };
  if (error instanceof Error) {
    if (INPUT_ERRORS.has(error.name)) return { line: oneLine(error.message), code: EXIT.usage };
    const missing = missingPackage(error);
    if (missing !== undefined) return { line: missing, code: EXIT.usage };
    const { code, path } = error as NodeJS.ErrnoException;
    const meaning = code === undefined ? undefined : SYSTEM_ERRORS[code];
    if (meaning !== undefined)
      return { line: path ? `${path}: ${meaning}` : `${meaning} (${code})`, code: EXIT.failure };
    return { line: error.message.split('\n')[0] || error.name, code: EXIT.failure };
  }
  return { line: String(error), code: EXIT.failure };
}

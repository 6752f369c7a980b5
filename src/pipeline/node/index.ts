// What the library offers to Node alone: files, and logs to read.

export type { ByteSource } from '../formats/byte-source.ts';
export { type FileTarget, type FileTargetOptions, fileTarget } from './file-target.ts';
export { type FileLock, LockedError } from './lock.ts';
export { type OpenLogOptions, openLog } from './open-log.ts';
export { growingFile } from './stored-file.ts';

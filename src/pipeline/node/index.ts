// What the library offers to Node alone: files, logs to read, and the Parquet writer that needs Node's streams.

export { type FileTarget, fileTarget } from './file-target.ts';
export { LockedError } from './lock.ts';
export { type OpenLogOptions, openLog } from './open-log.ts';
export { parquetjsFormat } from './parquetjs.ts';
export { growingFile } from './stored-file.ts';

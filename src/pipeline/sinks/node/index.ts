// What the library offers to Node alone: files, logs to read, and the Parquet writer that needs Node's streams.
export { type OpenLogOptions, openLog } from '../../source/node/open-log.ts';
export { type FileTarget, fileTarget } from './file-target.ts';
export { LockedError } from './lock.ts';
export { parquetjsFormat } from './parquetjs.ts';
export { growingFile } from './stored-file.ts';

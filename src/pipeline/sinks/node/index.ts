// What the library offers to Node alone: files, and the Parquet writer that needs Node's streams.
export { fileTarget } from './file-target.ts';
export { parquetjsFormat } from './parquetjs.ts';

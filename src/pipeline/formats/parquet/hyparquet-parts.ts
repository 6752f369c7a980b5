// What we take of hyparquet. Some of it is not told on its public surface: its version is pinned,
// and a test compares what these give. The build makes one file of it.
export { parquetMetadata, parquetRead, snappyUncompress } from 'hyparquet';
export { parquetHeader } from 'hyparquet/src/column.js';
export { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
export { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';

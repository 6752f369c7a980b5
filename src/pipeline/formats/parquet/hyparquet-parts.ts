// What hyparquet does not tell on its public surface. Its version is pinned, and a test compares
// what these give.
export { parquetHeader } from 'hyparquet/src/column.js';
export { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
export { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';

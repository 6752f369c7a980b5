// What we take of hyparquet-writer. Some of it is not told on its public surface: its version is
// pinned, and a test compares what these give. The build makes one file of it.
export { ByteWriter, ParquetWriter } from 'hyparquet-writer';
export { writePageHeader } from 'hyparquet-writer/src/datapage.js';
export { deltaBinaryPack } from 'hyparquet-writer/src/delta.js';
export { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js';
export { writeMetadata } from 'hyparquet-writer/src/metadata.js';

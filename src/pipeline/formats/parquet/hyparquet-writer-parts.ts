// What hyparquet-writer does not tell on its public surface. Its version is pinned, and a test
// compares what these give.
export { writePageHeader } from 'hyparquet-writer/src/datapage.js';
export { deltaBinaryPack } from 'hyparquet-writer/src/delta.js';
export { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js';
export { writeMetadata } from 'hyparquet-writer/src/metadata.js';

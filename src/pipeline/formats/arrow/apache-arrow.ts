// What we take of apache-arrow, and of flatbuffers, by which it reads: the build makes one file of
// it.
export {
  AsyncByteQueue,
  Bool,
  type Data,
  DataType,
  Dictionary,
  Field,
  Float64,
  Int32,
  Int64,
  MetadataVersion,
  makeData,
  makeVector,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  type Table,
  tableFromIPC,
  Uint8,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
export { ByteBuffer, Encoding } from 'flatbuffers';

// What apache-arrow does not tell on its public surface. Its version is pinned, and a test compares
// what these give.
import { RecordBatchFileWriter, type Vector } from 'apache-arrow';
import type { FileBlock } from 'apache-arrow/ipc/metadata/file';

// Flatbuffers as they stand in a file: they are looked at before anything is built of them.
export { BodyCompressionMethod } from 'apache-arrow/fb/body-compression-method';
export { CompressionType } from 'apache-arrow/fb/compression-type';
export { Date as DateType } from 'apache-arrow/fb/date';
export { DateUnit } from 'apache-arrow/fb/date-unit';
export { Decimal } from 'apache-arrow/fb/decimal';
export { DictionaryBatch } from 'apache-arrow/fb/dictionary-batch';
export { Endianness } from 'apache-arrow/fb/endianness';
export { Field } from 'apache-arrow/fb/field';
export { FixedSizeBinary } from 'apache-arrow/fb/fixed-size-binary';
export { FixedSizeList } from 'apache-arrow/fb/fixed-size-list';
export { FloatingPoint } from 'apache-arrow/fb/floating-point';
export { Footer } from 'apache-arrow/fb/footer';
export { Int } from 'apache-arrow/fb/int';
export { Interval } from 'apache-arrow/fb/interval';
export { Message } from 'apache-arrow/fb/message';
export { MessageHeader } from 'apache-arrow/fb/message-header';
export { RecordBatch } from 'apache-arrow/fb/record-batch';
export { Schema } from 'apache-arrow/fb/schema';
export { Time } from 'apache-arrow/fb/time';
export { Type } from 'apache-arrow/fb/type';
// The same things as they are built and encoded.
export { FileBlock, Footer as FooterCoder } from 'apache-arrow/ipc/metadata/file';
export {
  BodyCompression,
  BufferRegion,
  DictionaryBatch as DictionaryBatchCoder,
  FieldNode,
  Message as MessageCoder,
  RecordBatch as RecordBatchCoder,
} from 'apache-arrow/ipc/metadata/message';

/** The messages that a file holds. */
export interface ArrowBlocks {
  readonly batches: readonly FileBlock[];
  readonly dictionaries: readonly FileBlock[];
}

/** A file writer whose place in the file can be kept and given back. */
export class FileWriter extends RecordBatchFileWriter {
  state() {
    return {
      end: this._position,
      batches: [...this._recordBatchBlocks],
      dictionaries: [...this._dictionaryBlocks],
      seen: new Map(this._seenDictionaries),
    };
  }

  restore(
    { end, batches, dictionaries }: ArrowBlocks & { readonly end: number },
    seen: Map<number, Vector>,
  ): void {
    this._position = end;
    this._recordBatchBlocks = [...batches];
    this._dictionaryBlocks = [...dictionaries];
    this._seenDictionaries = new Map(seen);
    this._dictionaryDeltaOffsets = new Map([...seen].map(([id, { data }]) => [id, data.length]));
  }
}

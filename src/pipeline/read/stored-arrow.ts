import { type Schema, tableFromIPC } from 'apache-arrow';
import { FileBlock, Footer } from 'apache-arrow/ipc/metadata/file';
import { Message, RecordBatch } from 'apache-arrow/ipc/metadata/message';
import type { ColumnArray, ColumnSpec } from '../columns.ts';
import { arrowFooter } from '../sinks/arrow.ts';
import { concatBytes } from '../sinks/byte-target.ts';
import type { ByteSource } from './byte-source.ts';
import { codesOf, DamagedFileError, type StoredTable } from './stored-table.ts';

/** What an Arrow footer tells of a file, or of a part of one. */
export interface ArrowParts {
  readonly schema: Schema;
  readonly batches: readonly FileBlock[];
  readonly dictionaries: readonly FileBlock[];
}

/** Length of the footer, and the closing magic. */
const SUFFIX = 10;
/** Continuation mark and length of a message. */
const MESSAGE_PREFIX = 8;
/** The opening magic, padded. */
const HEADER = new TextEncoder().encode('ARROW1\0\0');

/** The footer that these bytes end with. */
export function decodeArrowFooter(bytes: Uint8Array): ArrowParts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < SUFFIX ? 0 : view.getInt32(bytes.length - SUFFIX, true);
  if (length <= 0 || length > bytes.length - SUFFIX) throw new DamagedFileError('the Arrow footer is cut off');
  const footer = Footer.decode(bytes.slice(bytes.length - SUFFIX - length, bytes.length - SUFFIX));
  return { schema: footer.schema, batches: [...footer.recordBatches()], dictionaries: [...footer.dictionaryBatches()] };
}

/** Record batches that Arrow footers tell of and that stand in `source`. */
export async function storedArrow(
  source: ByteSource,
  { schema, batches, dictionaries }: ArrowParts,
): Promise<StoredTable> {
  const bytesOf = async ({ offset, metaDataLength, bodyLength }: FileBlock) =>
    new Uint8Array(await source.slice(offset, offset + metaDataLength + bodyLength));
  /** A file of one batch and its dictionaries. */
  const tableOf = async (batch: FileBlock) => {
    const parts: Uint8Array[] = [HEADER, ...(await Promise.all([...dictionaries, batch].map(bytesOf)))];
    let at = HEADER.length;
    const [moved, last] = [dictionaries, [batch]].map((blocks) =>
      blocks.map(({ metaDataLength, bodyLength }) => {
        const block = new FileBlock(metaDataLength, bodyLength, at);
        at += metaDataLength + bodyLength;
        return block;
      }),
    );
    parts.push(arrowFooter(schema, { batches: last!, dictionaries: moved! }, {}));
    return tableFromIPC(concatBytes(parts));
  };
  const groups: { rows: number; end: number }[] = [];
  for (const batch of batches) {
    const { offset, metaDataLength, bodyLength } = batch;
    const message = new Uint8Array(await source.slice(offset, offset + metaDataLength));
    groups.push({ rows: batchRows(message), end: offset + metaDataLength + bodyLength });
  }
  const dictionariesUpTo = (end: number) => dictionaries.filter(({ offset }) => offset < end);
  const endOf = (count: number) => (count === 0 ? HEADER.length : groups[count - 1]!.end);
  const first = (count: number) => ({
    batches: batches.slice(0, count),
    dictionaries: dictionariesUpTo(endOf(count)),
  });

  return {
    kind: 'arrow',
    groups,
    metadata: Object.fromEntries(schema.metadata),
    state: (count) => ({ kind: 'arrow', end: endOf(count), ...first(count) }),
    closing: (count, metadata) => arrowFooter(schema, first(count), metadata),
    async read(group, columns) {
      const table = await tableOf(batches[group]!);
      const values = columns.map((spec): ColumnArray => {
        const column = table.getChild(spec.name);
        if (!column) throw new DamagedFileError(`the column ${spec.name} is missing`);
        return memoryArray(column.toArray() as ArrayLike<unknown>, spec, column);
      });
      return { length: table.numRows, columns: values };
    },
  };
}

/** Rows of a record batch, by its message without the body. */
function batchRows(message: Uint8Array): number {
  const header = Message.decode(message.subarray(MESSAGE_PREFIX)).header();
  if (header instanceof RecordBatch) return header.length;
  throw new DamagedFileError('a record batch is none');
}

function memoryArray(values: ArrayLike<unknown>, spec: ColumnSpec, column: Iterable<unknown>): ColumnArray {
  if (spec.values) return codesOf([...column], spec);
  if (spec.type === 'INT32') return Int32Array.from(values as ArrayLike<number>);
  return Float64Array.from(values as ArrayLike<number | bigint>, Number);
}

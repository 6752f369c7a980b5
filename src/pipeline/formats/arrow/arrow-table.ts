import { type Schema, type Table, tableFromIPC } from 'apache-arrow';
import { FileBlock, Footer } from 'apache-arrow/ipc/metadata/file';
import type { ByteSource } from '../byte-source.ts';
import { checkRowCount, damaged, decoded, LIMITS } from '../limits.ts';
import {
  type ArrowBlock,
  type CheckedFooter,
  checkArrowBatch,
  checkArrowFooter,
} from './arrow-guard.ts';
import {
  type ArrowMessage,
  MESSAGE_PREFIX,
  schemaMessage,
  unpackArrow,
  unpackingAllowance,
} from './arrow-unpack.ts';

/** An Arrow file of anybody, opened for reading batch by batch. */
export interface ArrowTable {
  readonly schema: Schema;
  readonly rows: number;
  readonly batches: readonly (FileBlock & { readonly rows: number })[];
  readonly dictionaries: readonly FileBlock[];
  /** One batch as a table, its dictionaries with it. */
  read(batch: number): Promise<Table>;
}

/** What an Arrow footer tells of a file, or of a part of one. */
export interface ArrowParts {
  readonly schema: Schema;
  readonly checked: CheckedFooter;
}

/** Length of the footer, and the closing magic. */
const SUFFIX = 10;
/** The opening magic, padded. */
export const ARROW_HEADER = new TextEncoder().encode('ARROW1\0\0');

/** Opens an Arrow IPC file. @throws DamagedFileError where it is none, or cannot be as it says */
export async function openArrow(source: ByteSource): Promise<ArrowTable> {
  const size = source.byteLength;
  if (size < ARROW_HEADER.length + SUFFIX) damaged('it is empty or cut off');
  const suffix = new Uint8Array(await source.slice(size - SUFFIX, size));
  const length = new DataView(suffix.buffer).getInt32(0, true);
  if (new TextDecoder('latin1').decode(suffix.subarray(4)) !== 'ARROW1') {
    damaged('it is cut off: there is no Arrow footer at its end');
  }
  if (length <= 0 || length > size - ARROW_HEADER.length - SUFFIX)
    damaged(`its footer claims ${length} bytes`);
  if (length > LIMITS.footer) damaged(`its footer has ${length} bytes`);
  const end = size - SUFFIX - length;
  return arrowTable(source, parseArrowFooter(new Uint8Array(await source.slice(end, size)), end));
}

/** The footer that these bytes end with. @param end where the record batches must have ended */
export function parseArrowFooter(bytes: Uint8Array, end: number): ArrowParts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < SUFFIX ? 0 : view.getInt32(bytes.length - SUFFIX, true);
  if (length <= 0 || length > bytes.length - SUFFIX) damaged('its footer is cut off');
  const footer = bytes.slice(bytes.length - SUFFIX - length, bytes.length - SUFFIX);
  return decoded(() => ({
    checked: checkArrowFooter(footer, end),
    schema: Footer.decode(footer).schema,
  }));
}

/**
 * The record batches that a footer tells of, in `source`.
 *
 * @param stream whether a batch knows the dictionaries before it alone; those behind it may replace them
 */
export async function arrowTable(
  source: ByteSource,
  { schema, checked }: ArrowParts,
  stream = false,
): Promise<ArrowTable> {
  const allow = unpackingAllowance();
  const columns = schemaMessage(schema);
  const seen = new Set<ArrowBlock>();
  let kept = 0;
  const bytesOf = async ({ offset, metaDataLength, bodyLength }: ArrowBlock, whole: boolean) =>
    new Uint8Array(await source.slice(offset, offset + metaDataLength + (whole ? bodyLength : 0)));
  const rowsOf = async (block: ArrowBlock) => {
    const message = (await bytesOf(block, false)).slice(MESSAGE_PREFIX);
    return decoded(() => checkArrowBatch(message, undefined, checked.schema, block.bodyLength));
  };
  const messageOf = async (block: ArrowBlock): Promise<ArrowMessage> => {
    const bytes = await bytesOf(block, true);
    return decoded(() => {
      const { metaDataLength, bodyLength } = block;
      const check = (message: ArrowMessage) => {
        const metadata = message.bytes.slice(MESSAGE_PREFIX, message.metaDataLength);
        const body = message.bytes.subarray(message.metaDataLength);
        checkArrowBatch(metadata, body, checked.schema, body.length, bodyLength);
      };
      const stored = { bytes, metaDataLength };
      check(stored);
      // The dictionaries are read anew with each batch, which itself may be read several times.
      const spend = seen.has(block) ? () => {} : allow;
      seen.add(block);
      spend(bodyLength, kept);
      const plain = unpackArrow(stored, (unpacked) => spend(0, unpacked));
      if (plain !== stored) check(plain);
      return plain;
    });
  };
  const dictionaries: ArrowMessage[] = [];
  for (const block of checked.dictionaries) {
    const message = await messageOf(block);
    kept += message.bytes.length;
    if (kept > LIMITS.dictionaries + source.byteLength)
      damaged(`its dictionaries take more than ${kept} bytes`);
    dictionaries.push(message);
  }

  const batches: (FileBlock & { readonly rows: number })[] = [];
  let total = 0;
  for (const block of checked.batches) {
    const rows = await rowsOf(block);
    total += rows;
    checkRowCount(total, source.byteLength);
    batches.push(Object.assign(fileBlock(block), { rows }));
  }
  return {
    schema,
    rows: total,
    batches,
    dictionaries: checked.dictionaries.map(fileBlock),
    async read(index) {
      const block = checked.batches[index];
      if (!block) return damaged(`it has no record batch ${index}`);
      const known = dictionaries.filter(
        (_, i) => !stream || checked.dictionaries[i]!.offset < block.offset,
      );
      const batch = await messageOf(block);
      // A stream of this batch alone; its pieces are not put together, so that they are not copied.
      const pieces = [...known, batch].map(({ bytes }) => bytes);
      return decoded(() => tableFromIPC([columns, ...pieces]));
    },
  };
}

function fileBlock({ metaDataLength, bodyLength, offset }: ArrowBlock): FileBlock {
  return new FileBlock(metaDataLength, bodyLength, offset);
}

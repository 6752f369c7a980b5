import type { ByteSource } from '../byte-source.ts';
import type { DecoderOf } from '../codecs.ts';
import {
  checkedMetadata,
  checkGroupCount,
  checkRowCount,
  damaged,
  decodedLater,
  LIMITS,
} from '../limits.ts';
import type { TableFile, TableGroup } from '../table-file.ts';
import type { Schema, Table } from './apache-arrow.ts';
import { FileBlock } from './apache-arrow-parts.ts';
import type { ArrowBlock } from './arrow-guard.ts';
import { messageDecoder } from './arrow-messages.ts';
import { type ArrowParts, findArrowParts, MESSAGE_PREFIX } from './arrow-parts.ts';
import type { ArrowMessage } from './arrow-unpack.ts';
import { arrowField, arrowValues } from './arrow-values.ts';

/** An Arrow file or stream, opened. */
export interface ArrowTable extends TableFile {
  readonly kind: 'arrow';
  readonly schema: Schema;
  readonly batches: readonly FileBlock[];
  readonly dictionaries: readonly FileBlock[];
}

/** The format has no statistics. */
const bounds = () => undefined;

export interface ArrowOptions {
  /**
   * Bytes of unpacked record batches that are kept: one is read anew for every column otherwise.
   */
  readonly keep?: number;
}

/**
 * Opens an Arrow IPC file or stream. @throws DamagedFileError where it is none, or cannot be as it
 * says
 */
export async function openArrow(
  source: ByteSource,
  decoderOf: DecoderOf,
  options?: ArrowOptions,
): Promise<ArrowTable> {
  return decodedLater(async () =>
    arrowTable(source, await findArrowParts(source), decoderOf, options),
  );
}

/** The record batches that are told of, in `source`. */
export async function arrowTable(
  source: ByteSource,
  { schema, checked, stream }: ArrowParts,
  decoderOf: DecoderOf,
  { keep = 0 }: ArrowOptions = {},
): Promise<ArrowTable> {
  checkGroupCount(checked.batches.length, 'record batches');
  const decoder = messageDecoder(schema, checked.schema, decoderOf);
  const bytesOf = async ({ offset, metaDataLength, bodyLength }: ArrowBlock, whole: boolean) =>
    new Uint8Array(await source.slice(offset, offset + metaDataLength + (whole ? bodyLength : 0)));
  const messageOf = async (block: ArrowBlock): Promise<ArrowMessage> => ({
    bytes: await bytesOf(block, true),
    metaDataLength: block.metaDataLength,
  });

  const dictionaries: { readonly offset: number; readonly message: ArrowMessage }[] = [];
  for (const block of checked.dictionaries) {
    const message = await decoder.keep(
      await messageOf(block),
      LIMITS.dictionaries + source.byteLength,
    );
    dictionaries.push({ offset: block.offset, message });
  }
  const groups: TableGroup[] = [];
  let rows = 0;
  for (const block of checked.batches) {
    const { offset, metaDataLength, bodyLength } = block;
    const metadata = (await bytesOf(block, false)).slice(MESSAGE_PREFIX);
    const count = decoder.rows(metadata, bodyLength);
    rows += count;
    checkRowCount(rows, source.byteLength);
    groups.push({ rows: count, start: offset, end: offset + metaDataLength + bodyLength, bounds });
  }

  const seen = new Set<ArrowBlock>();
  const batch = kept(keep, async (index) => {
    const block = checked.batches[index];
    if (!block) return damaged(`it has no record batch ${index}`);
    const known = dictionaries.filter(({ offset }) => !stream || offset < block.offset);
    const message = await messageOf(block);
    const again = seen.has(block);
    seen.add(block);
    return decoder.table(
      message,
      known.map((dictionary) => dictionary.message),
      again,
    );
  });
  return {
    kind: 'arrow',
    bytes: source.byteLength,
    rows,
    schema,
    fields: schema.fields.map(arrowField),
    groups,
    metadata: checkedMetadata(schema.metadata),
    batches: checked.batches.map(fileBlock),
    dictionaries: checked.dictionaries.map(fileBlock),
    async read(field, group) {
      const column = (await decodedLater(() => batch(group))).getChildAt(field);
      return column
        ? arrowValues(column, schema.fields[field]!.name)
        : damaged(`it has no column ${field}`);
    },
  };
}

/** The batch that was asked for last, and those before it as far as memory allows. */
function kept(
  most: number,
  read: (index: number) => Promise<Table>,
): (index: number) => Promise<Table> {
  const entries = new Map<number, { readonly table: Promise<Table>; bytes: number }>();
  return (index) => {
    const known = entries.get(index);
    const entry = known ?? { table: read(index), bytes: 0 };
    entries.delete(index);
    entries.set(index, entry);
    if (known) return entry.table;
    entry.table.then(
      ({ data }) => {
        entry.bytes = data.reduce((sum, { byteLength }) => sum + byteLength, 0);
        let bytes = [...entries.values()].reduce((sum, other) => sum + other.bytes, 0);
        for (const [oldest, other] of entries) {
          if (bytes <= most || oldest === index) break;
          entries.delete(oldest);
          bytes -= other.bytes;
        }
      },
      () => entries.delete(index),
    );
    return entry.table;
  };
}

function fileBlock({ metaDataLength, bodyLength, offset }: ArrowBlock): FileBlock {
  return new FileBlock(metaDataLength, bodyLength, offset);
}

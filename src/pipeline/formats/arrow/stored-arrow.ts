import type { ColumnArray } from '../../core/schema.ts';
import { decoderOf } from '../all-codecs.ts';
import type { ByteSource } from '../byte-source.ts';
import { damaged } from '../limits.ts';
import { memoryArray, type StoredTable } from '../stored-table.ts';
import { fieldNamed } from '../table-file.ts';
import { arrowFooter } from './arrow-footer.ts';
import { ARROW_HEADER, type ArrowParts, parseArrowFooter } from './arrow-parts.ts';
import { type ArrowTable, arrowTable } from './arrow-table.ts';

/** The record batches of an Arrow file, for a writer that goes on behind them. */
export function storedArrow(table: ArrowTable): StoredTable {
  const { schema, batches, dictionaries } = table;
  const groups = table.groups.map(({ rows, end }) => ({ rows, end }));
  const endOf = (count: number) => (count === 0 ? ARROW_HEADER.length : groups[count - 1]!.end);
  const first = (count: number) => ({
    batches: batches.slice(0, count),
    dictionaries: dictionaries.filter(({ offset }) => offset < endOf(count)),
  });

  return {
    kind: 'arrow',
    groups,
    columns: table.fields.map(({ name }) => name),
    metadata: table.metadata,
    state: (count) => ({ kind: 'arrow', end: endOf(count), ...first(count) }),
    closing: (count, metadata) => arrowFooter(schema, first(count), metadata),
    async read(group, columns) {
      const read: ColumnArray[] = [];
      for (const spec of columns) {
        const field = fieldNamed(table, spec.name) ?? damaged(`the column ${spec.name} is missing`);
        read.push(memoryArray(await table.read(field, group), spec));
      }
      return { length: groups[group]!.rows, columns: read };
    },
  };
}

/**
 * The record batches that several footers tell of together.
 *
 * @param closing the footer that tells of the beginning of the file; its batches count where
 * `keeps` their offset
 * @param groups footers of what has been written since, one a record batch
 */
export function joinArrow(
  source: ByteSource,
  closing: Uint8Array | undefined,
  groups: readonly Uint8Array[],
  keeps: (offset: number) => boolean,
): Promise<ArrowTable> {
  const end = source.byteLength;
  const base = closing ? [parseArrowFooter(closing, end)] : [];
  const since = groups.map((footer) => parseArrowFooter(footer, end));
  const last = since.at(-1) ?? base[0];
  if (!last) return damaged('nothing had been flushed');
  const pick = (key: 'batches' | 'dictionaries') => [
    ...base.flatMap(({ checked }) => checked[key].filter(({ offset }) => keeps(offset))),
    ...since.flatMap(({ checked }) => checked[key]),
  ];
  const parts: ArrowParts = {
    schema: last.schema,
    stream: false,
    checked: {
      schema: last.checked.schema,
      batches: pick('batches'),
      dictionaries: pick('dictionaries'),
    },
  };
  return arrowTable(source, parts, decoderOf);
}

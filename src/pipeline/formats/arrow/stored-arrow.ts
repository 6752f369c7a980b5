import type { Column, ColumnArray } from '../../core/schema.ts';
import type { ByteSource } from '../byte-source.ts';
import { codesOf, DamagedFileError, type StoredTable } from '../stored-table.ts';
import { arrowFooter } from './arrow-footer.ts';
import {
  ARROW_HEADER,
  type ArrowParts,
  type ArrowTable,
  arrowTable,
  parseArrowFooter,
} from './arrow-table.ts';

/** The record batches of an Arrow file, for a writer that goes on behind them. */
export function storedArrow({ schema, batches, dictionaries, read }: ArrowTable): StoredTable {
  const groups = batches.map(({ rows, offset, metaDataLength, bodyLength }) => ({
    rows,
    end: offset + metaDataLength + bodyLength,
  }));
  const endOf = (count: number) => (count === 0 ? ARROW_HEADER.length : groups[count - 1]!.end);
  const first = (count: number) => ({
    batches: batches.slice(0, count),
    dictionaries: dictionaries.filter(({ offset }) => offset < endOf(count)),
  });

  return {
    kind: 'arrow',
    groups,
    metadata: Object.fromEntries(schema.metadata),
    state: (count) => ({ kind: 'arrow', end: endOf(count), ...first(count) }),
    closing: (count, metadata) => arrowFooter(schema, first(count), metadata),
    async read(group, columns) {
      const table = await read(group);
      const values = columns.map((spec): ColumnArray => {
        const column = table.getChild(spec.name);
        if (!column) throw new DamagedFileError(`the column ${spec.name} is missing`);
        return memoryArray([...(column as Iterable<unknown>)], spec);
      });
      return { length: table.numRows, columns: values };
    },
  };
}

/**
 * The record batches that several footers tell of together.
 *
 * @param closing the footer that tells of the beginning of the file; its batches count where `keeps` their offset
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
  if (!last) throw new DamagedFileError('nothing had been flushed');
  const pick = (key: 'batches' | 'dictionaries') => [
    ...base.flatMap(({ checked }) => checked[key].filter(({ offset }) => keeps(offset))),
    ...since.flatMap(({ checked }) => checked[key]),
  ];
  const parts: ArrowParts = {
    schema: last.schema,
    checked: {
      schema: last.checked.schema,
      batches: pick('batches'),
      dictionaries: pick('dictionaries'),
    },
  };
  return arrowTable(source, parts);
}

function memoryArray(values: readonly unknown[], spec: Column): ColumnArray {
  if (spec.words) return codesOf(values, spec);
  if (spec.type === 'INT32') return Int32Array.from(values as readonly number[]);
  return Float64Array.from(values as readonly (number | bigint)[], Number);
}

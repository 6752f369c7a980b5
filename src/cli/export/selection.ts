import { didYouMean } from '../../pipeline/core/suggest.ts';
import { isFlat, type TableField } from '../../pipeline/formats/table-file.ts';
import { UsageError } from '../errors.ts';
import type { TableReader, Values } from '../inspect/table-reader.ts';

/**
 * Which rows and columns of a table are wanted. Steps are those of its column `step`; without one,
 * rows count from 0.
 */
export interface Selection {
  readonly columns: readonly string[] | undefined;
  readonly from: number;
  readonly to: number;
  /** Each K-th of the rows between `from` and `to`. */
  readonly every: number;
}

/** Some rows of the columns that were asked for. */
export interface Block {
  readonly length: number;
  readonly columns: readonly Values[];
}

/**
 * The fields of the columns that are wanted, in the order in which they were named; all that can be
 * exported unless given. Of columns of one name that is the first.
 *
 * @throws UsageError
 */
export function pickFields(
  path: string,
  { fields }: TableReader,
  names: readonly string[] | undefined,
): readonly TableField[] {
  if (names === undefined)
    return fields.filter(
      (field, i) => isFlat(field) && fields.findIndex(({ name }) => name === field.name) === i,
    );
  return names.map((name) => {
    const field = fields.find((each) => each.name === name);
    const known = fields.map((each) => each.name);
    if (!field)
      throw new UsageError(
        `--columns: ${path} has no column '${name}'${didYouMean(name, known)}; there are ` +
          `${known.join(', ')}`,
      );
    if (!isFlat(field))
      throw new UsageError(`--columns: '${name}' holds lists or structs, which are not exported`);
    return field;
  });
}

/** The rows that are wanted, block by block. */
export async function* selectRows(
  table: TableReader,
  names: readonly string[],
  { from, to, every }: Selection,
): AsyncGenerator<Block> {
  const stepped = table.fields.some((field) => field.name === 'step' && isFlat(field));
  const read = stepped ? [...new Set([...names, 'step'])] : names;
  let row = 0;
  let selected = 0;
  for await (const block of table.read(read)) {
    const columns = names.map((name) => block[name]!);
    const length = Object.values(block)[0]?.length ?? 0;
    const picked: number[] = [];
    for (let i = 0; i < length; i++) {
      const step = stepped ? Number(block.step![i]) : row + i;
      if (step >= from && step <= to && selected++ % every === 0) picked.push(i);
    }
    row += length;
    if (picked.length === length) yield { length, columns };
    else if (picked.length > 0)
      yield {
        length: picked.length,
        columns: columns.map((values) => picked.map((i) => values[i]!)),
      };
  }
}

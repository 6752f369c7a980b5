import type { TableField } from '../../pipeline/formats/table-file.ts';
import type { Block } from './selection.ts';

export const EXPORT_FORMATS = ['csv', 'json', 'ndjson', 'arrow'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Turns blocks of rows into the pieces of a file. */
export type Encoder = (
  fields: readonly TableField[],
  blocks: AsyncIterable<Block>,
) => AsyncIterable<string | Uint8Array>;

export type Cell = number | bigint | string | boolean | null | undefined;

/**
 * Rows as comma-separated values: numbers in the fewest digits that read back the same, nothing for
 * null.
 */
export const encodeCsv: Encoder = async function* (fields, blocks) {
  yield `${fields.map(({ name }) => csvCell(name)).join(',')}\n`;
  for await (const block of blocks) {
    for (const [from, to] of spans(block)) {
      let text = '';
      for (let i = from; i < to; i++)
        text += `${block.columns.map((values) => csvCell(values[i])).join(',')}\n`;
      yield text;
    }
  }
};

function csvCell(value: Cell): string {
  if (value === null || value === undefined) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows as JSON objects, one a line. What JSON has no number for (NaN, ±Infinity) is null. */
export const encodeNdjson: Encoder = async function* (fields, blocks) {
  for await (const block of blocks)
    for (const span of spans(block)) yield `${jsonRows(fields, block, span).join('\n')}\n`;
};

/** Rows as one JSON array of objects. */
export const encodeJson: Encoder = async function* (fields, blocks) {
  let before = '[\n';
  for await (const block of blocks) {
    for (const span of spans(block)) {
      yield before + jsonRows(fields, block, span).join(',\n');
      before = ',\n';
    }
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
};

/** Rows that are written at once: the text of a large block would take many times its memory. */
const SPAN = 1 << 13;

/** Numbers of the first rows and of those behind the last, of pieces of a block. */
function* spans({ length }: Block): Generator<readonly [number, number]> {
  for (let from = 0; from < length; from += SPAN) yield [from, Math.min(length, from + SPAN)];
}

function jsonRows(
  fields: readonly TableField[],
  { columns }: Block,
  [from, to]: readonly [number, number],
): string[] {
  const keys = fields.map(({ name }) => JSON.stringify(name));
  return Array.from(
    { length: to - from },
    (_, i) => `{${keys.map((key, c) => `${key}:${jsonCell(columns[c]![from + i])}`).join(',')}}`,
  );
}

function jsonCell(value: Cell): string {
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value ?? null);
}

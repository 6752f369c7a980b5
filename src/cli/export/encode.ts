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

/** Rows as comma-separated values: numbers in the fewest digits that read back the same, nothing for null. */
export const encodeCsv: Encoder = async function* (fields, blocks) {
  yield `${fields.map(({ name }) => csvCell(name)).join(',')}\n`;
  for await (const { length, columns } of blocks) {
    let text = '';
    for (let i = 0; i < length; i++)
      text += `${columns.map((values) => csvCell(values[i])).join(',')}\n`;
    yield text;
  }
};

function csvCell(value: Cell): string {
  if (value === null || value === undefined) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows as JSON objects, one a line. What JSON has no number for (NaN, ±Infinity) is null. */
export const encodeNdjson: Encoder = async function* (fields, blocks) {
  for await (const block of blocks) yield `${jsonRows(fields, block).join('\n')}\n`;
};

/** Rows as one JSON array of objects. */
export const encodeJson: Encoder = async function* (fields, blocks) {
  let before = '[\n';
  for await (const block of blocks) {
    yield before + jsonRows(fields, block).join(',\n');
    before = ',\n';
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
};

function jsonRows(fields: readonly TableField[], { length, columns }: Block): string[] {
  const keys = fields.map(({ name }) => JSON.stringify(name));
  return Array.from(
    { length },
    (_, i) => `{${keys.map((key, c) => `${key}:${jsonCell(columns[c]![i])}`).join(',')}}`,
  );
}

function jsonCell(value: Cell): string {
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value ?? null);
}

import { readFileSync } from 'node:fs';
import { memorySource } from '../../src/pipeline/formats/byte-source.ts';
import { openTable } from '../../src/pipeline/formats/open-table.ts';

/** A column as it is read, or why it is not. */
export type ReadColumn = { readonly name: string } & (
  | { readonly values: readonly unknown[] }
  | { readonly refused: string }
);

/** Reads all columns of a table file, values as JSON can hold them. */
export async function readTable(path: string): Promise<readonly ReadColumn[]> {
  const table = await openTable(memorySource(new Uint8Array(readFileSync(path))));
  const columns: ReadColumn[] = [];
  for (const [field, { name, kind }] of table.fields.entries()) {
    if (kind === 'nested') {
      const refused = await table.read(field, 0).then(
        () => 'read',
        (error: Error) => `${error.name}: ${error.message}`,
      );
      columns.push({ name, refused });
      continue;
    }
    const values: unknown[] = [];
    for (let group = 0; group < table.groups.length; group++)
      values.push(...Array.from(await table.read(field, group), plain));
    columns.push({ name, values });
  }
  return columns;
}

/** Numbers that JSON cannot hold are words, bytes are characters. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  return Array.isArray(value) ? value.map(plain) : value;
}

/** What a program that has 64-bit integers wrote, as doubles. */
export function asDoubles(values: readonly unknown[]): readonly unknown[] {
  return values.map((value) =>
    typeof value === 'string' && /^-?\d{16,}$/.test(value) ? Number(value) : value,
  );
}

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { describeWith } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';
import { type WrittenTable, writeArrowTypes, writeParquetFiles } from './parquet-writers.ts';
import { asDoubles, readTable } from './read-table.ts';

/** Compares what is read with what pyarrow reads. Structs are refused, in words. */
async function compare(folder: string, { name, columns }: WrittenTable, ending: string) {
  const read = await readTable(join(folder, `${name}.${ending}`));
  expect([name, read.map((column) => column.name)]).toEqual([
    name,
    columns.map((column) => column.name),
  ]);
  for (const [c, { name: column, values }] of columns.entries()) {
    const found = read[c]!;
    if ('refused' in found) {
      expect(found.refused).toMatch(/^UnsupportedFileError: .*struct.*which (is|are) not read$/i);
      expect(values.some((value) => typeof value === 'object')).toBe(true);
    } else expect([name, column, found.values]).toEqual([name, column, asDoubles(values)]);
  }
}

describeWith(['python'], 'files of pyarrow', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eos-conformance-'));
    return () => removeFolder(folder);
  });

  test('Parquet: every codec, encoding, page version, pattern of nulls and type', async () => {
    const written = await writeParquetFiles(folder);
    expect(written.length).toBeGreaterThan(140);
    for (const file of written) await compare(folder, file, 'parquet');
  });

  test('Arrow: every type, in files and streams, packed and not', async () => {
    const written = await writeArrowTypes(folder);
    expect(written.length).toBe(6);
    for (const file of written) await compare(folder, file, 'arrow');
  });
});

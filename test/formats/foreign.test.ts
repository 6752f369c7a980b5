import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inspectFile } from '../../src/cli/inspect/report.ts';
import { memorySource } from '../../src/pipeline/formats/byte-source.ts';
import { DamagedFileError } from '../../src/pipeline/formats/file-errors.ts';
import { damaged } from '../../src/pipeline/formats/limits.ts';
import { openTable } from '../../src/pipeline/formats/open-table.ts';
import { root } from '../setup/parts.ts';
import { detectLog } from '../sources/training-log/read-log.ts';

const NAMES = ['pandas-lz4', 'polars-views', 'polars-zstd', 'pyarrow-zstd-stream'];
const pathOf = (name: string) => join(root, 'test/formats/foreign', `${name}.arrow`);
const rows = Array.from({ length: 60 }, (_, i) => i);

test.each(NAMES)('%s holds what it should', async (name) => {
  const report = await inspectFile(pathOf(name));
  expect(report.rows).toBe(60);
  expect(report.phases).toEqual([
    { phase: 'phase one of a long name', first_step: 0, last_step: 29 },
    { phase: 'phase two of a long name', first_step: 30, last_step: 59 },
  ]);
  const detected = await detectLog([new Uint8Array(readFileSync(pathOf(name)))], { eta: 0.1 });
  expect(detected.rows.loss).toEqual(rows.map((i) => (i % 50 === 7 ? Number.NaN : 2 / (1 + i))));
  expect(detected.rows.sharpness).toEqual(
    rows.map((i) => (i % 25 === 3 ? Number.NaN : 10 + i / 16)),
  );
});

test.each(NAMES)('%s is refused wherever it is cut off', async (name) => {
  const bytes = new Uint8Array(readFileSync(pathOf(name)));
  for (let cut = 0; cut < bytes.length - 8; cut += 61) {
    const read = async () => {
      const table = await openTable(memorySource(bytes.slice(0, cut)));
      for (let i = 0; i < table.groups.length; i++) await table.read(0, i);
      return table.rows;
    };
    const outcome = await read().catch((error: unknown) => error);
    // A stream that ends between two batches ends as any other does.
    if (typeof outcome === 'number')
      expect([name, outcome % 25]).toEqual(['pyarrow-zstd-stream', 0]);
    else expect(outcome).toBeInstanceOf(DamagedFileError);
  }
});

test('an encrypted Parquet file is called that', async () => {
  for (const name of ['footer', 'column']) {
    const bytes = new Uint8Array(
      readFileSync(join(root, `test/formats/foreign/encrypted-${name}.parquet`)),
    );
    await expect(openTable(memorySource(bytes))).rejects.toThrow(/encrypted.*(is|are) not read/);
  }
});

test('counts in messages have separators, names of columns do not', () => {
  const message = () => damaged('its column 20240101 claims 123456 rows in 7890 bytes');
  expect(message).toThrow('its column 20240101 claims 123,456 rows in 7,890 bytes');
});

import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { zstd } from '../../src/pipeline/formats/platform.ts';
import { COMPRESSIONS } from '../../src/pipeline/formats/table-format.ts';
import { readRun } from '../../src/pipeline/node/library.ts';
import { eos } from '../setup/eos.ts';
import { describeWith, python } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const written = COMPRESSIONS.filter((name) => name !== 'zstd' || zstd !== undefined);
const folder = mkdtempSync(join(tmpdir(), 'eos-compression-'));
afterAll(() => removeFolder(folder));
const path = (name: string) => join(folder, `${name}.parquet`);
const stream = (name: string, ...more: string[]) =>
  eos(['stream', '--steps', '3000', '--out', path(name), '--compression', name, '-q', ...more]);

beforeAll(async () => {
  for (const name of written) expect(await stream(name)).toMatchObject({ code: 0, stderr: '' });
});

test('holds the same values in fewer bytes', async () => {
  const plain = await readRun(path('none'));
  const packed = await readRun(path('snappy'));
  expect(packed.table).toEqual(plain.table);
  expect(packed.summary).toEqual(plain.summary);
  expect(statSync(path('snappy')).size).toBeLessThan(0.7 * statSync(path('none')).size);
});

test('what cannot be written is refused before anything is', async () => {
  const other = await stream('snappy', '--parquet-writer', 'parquetjs-lite');
  expect([other.code, other.stderr]).toEqual([
    2,
    'eos: --compression: only hyparquet packs numbers, not parquetjs-lite\n',
  ]);
  if (zstd !== undefined) return;
  const unknown = await stream('zstd');
  expect([unknown.code, unknown.stderr]).toEqual([
    2,
    'eos: --compression: Zstandard is written by Node 22.15 and later alone; choose snappy or none\n',
  ]);
});

const READ = `
import sys, json, pyarrow.parquet as pq, pandas as pd, polars as pl, duckdb
def sums(path):
    column = pq.read_metadata(path).row_group(0).column(1)
    table = pq.ParquetFile(path, page_checksum_verification=True).read()
    loss = table["loss"].to_pylist()
    return {"encodings": list(column.encodings), "codec": column.compression, "loss": loss[::1000],
        "same": loss == pd.read_parquet(path)["loss"].tolist() == pl.read_parquet(path)["loss"].to_list() == [r[0] for r in duckdb.sql("select loss from read_parquet('%s') order by step" % path).fetchall()]}
print(json.dumps([sums(path) for path in sys.argv[1:]]))
`;

describeWith(['python'], 'packed numbers in pyarrow, pandas, Polars and DuckDB', () => {
  test('are those of the plain file', async () => {
    const found = (await python(READ, written.map(path))) as readonly Record<string, unknown>[];
    for (const [i, name] of written.entries()) {
      expect(found[i]).toMatchObject({
        codec: name === 'none' ? 'UNCOMPRESSED' : name.toUpperCase(),
        encodings: [name === 'none' ? 'PLAIN' : 'BYTE_STREAM_SPLIT'],
        same: true,
        loss: found[0]!.loss,
      });
    }
  });
});

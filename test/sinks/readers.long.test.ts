import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Table, tableFromIPC } from 'apache-arrow';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import initWasm, { readParquet } from 'parquet-wasm/esm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { zstd } from '../../src/pipeline/formats/platform.ts';
import { succeed } from '../package/projects.ts';
import { eos } from '../setup/eos.ts';
import { describeWith, findPart, python, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'eos-readers-'));
afterAll(() => removeFolder(folder));
const path = (name: string) => join(folder, name);

/** A Node that packs by Zstandard. */
const packsZstd = zstd ? process.execPath : findPart('node22');

/**
 * Runs as they are written unless told otherwise, plain, thinned; and a log in which most of the
 * sharpness is unknown.
 */
const RUNS: Readonly<Record<string, readonly string[]>> = {
  'default.parquet': ['--steps', '70000', '--preset', 'three-phases'],
  'thinned.parquet': ['--steps', '20000', '--every', '50'],
  'lite.parquet': ['--steps', '3000', '--parquet-writer', 'parquetjs-lite'],
  'plain.parquet': ['--steps', '70000', '--compression', 'none'],
  ...(packsZstd ? { 'zstd.parquet': ['--steps', '70000', '--compression', 'zstd'] } : {}),
};
const NAMES = [...Object.keys(RUNS), 'log.parquet'];
/** Fastparquet does not know BYTE_STREAM_SPLIT. */
const PLAIN = ['plain.parquet', 'lite.parquet'];
const LOG_ROWS = 500;

beforeAll(async () => {
  for (const [name, args] of Object.entries(RUNS)) {
    const arrow = name === 'default.parquet' ? ['--arrow', path('default.arrow')] : [];
    const command = ['stream', ...args, '--out', path(name), ...arrow, '-q'];
    if (name === 'zstd.parquet')
      await succeed(folder, packsZstd!, join(root, 'bin/run.js'), ...command);
    else expect(await eos(command)).toMatchObject({ code: 0, stderr: '' });
  }
  const rows = Array.from({ length: LOG_ROWS }, (_, step) => ({
    step,
    loss: 1 / (1 + step),
    ...(step % 5 === 0 ? { sharpness: 10 + step / 50 } : {}),
  }));
  writeFileSync(path('log.ndjson'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const detect = ['detect', path('log.ndjson'), '--eta', '0.1', '--out', path('log.parquet'), '-q'];
  expect(await eos(detect)).toMatchObject({ code: 0, stderr: '' });
});

/**
 * What each reader finds, compared column by column with what pyarrow does; doubles by their bits.
 */
const PROGRAM = `
import json, sys
import datafusion, duckdb, fastparquet, numpy as np, pandas as pd, polars as pl, pyarrow as pa, pyarrow.dataset, pyarrow.parquet as pq

def plain(values):
    if hasattr(values, "to_numpy"): values = values.to_numpy()
    return values

def same(found, expected):
    if pa.types.is_string(expected.type): return [str(v) for v in plain(found)] == expected.to_pylist()
    a, b = np.asarray(plain(found), dtype=np.float64), expected.to_numpy(zero_copy_only=False).astype(np.float64)
    missing = np.isnan(b)
    return bool((np.isnan(a) == missing).all() and (a[~missing].view(np.uint64) == b[~missing].view(np.uint64)).all())

def by_datafusion(path):
    context = datafusion.SessionContext()
    context.register_parquet("run", path)
    return context.sql("select * from run order by step").to_pandas()

READERS = {
    "pandas": lambda path: pd.read_parquet(path, engine="pyarrow"),
    "polars": lambda path: pl.read_parquet(path),
    "duckdb": lambda path: duckdb.sql(f"select * from read_parquet('{path}') order by step").df(),
    "datafusion": by_datafusion,
    "fastparquet": lambda path: fastparquet.ParquetFile(path).to_pandas(),
}

report = {}
for path in sys.argv[1:]:
    table = pq.ParquetFile(path, page_checksum_verification=True).read()
    words = [f.name for f in table.schema if pa.types.is_dictionary(f.type)]
    expected = {name: table[name].combine_chunks().cast(pa.string()) if name in words else table[name].combine_chunks() for name in table.column_names}
    wrong = []
    for name, read in READERS.items():
        try: found = read(path)
        except NotImplementedError: wrong.append([name, "not implemented"]); continue
        if list(found.columns) != table.column_names or len(found) != len(table): wrong.append([name, "shape"]); continue
        wrong += [[name, column] for column in expected if not same(found[column], expected[column])]
    last = int(max(table["step"].to_pylist()))
    filtered = pa.dataset.dataset(path).to_table(filter=pa.dataset.field("step") >= last - 100)
    footer = pq.read_metadata(path)
    statistics = {}
    for g in range(footer.num_row_groups):
        for c in range(footer.num_columns):
            column = footer.row_group(g).column(c)
            s = column.statistics
            if column.path_in_schema in ("step", "loss", "sharpness") and s is not None:
                low, high, nulls = statistics.get(column.path_in_schema, (s.min, s.max, 0))
                statistics[column.path_in_schema] = (min(low, s.min), max(high, s.max), nulls + s.null_count)
    report[path.rsplit("/", 1)[1]] = {
        "wrong": wrong,
        "rows": len(table),
        "filtered": [min(filtered["step"].to_pylist()) >= last - 100, filtered.num_rows == sum(1 for s in table["step"].to_pylist() if s >= last - 100)],
        "statistics": {name: [low == min(v for v in table[name].to_pylist() if v is not None), high == max(v for v in table[name].to_pylist() if v is not None), nulls == table[name].null_count] for name, (low, high, nulls) in statistics.items()},
        "nulls": table["sharpness"].null_count,
        "metadata": sorted(k.decode() for k in table.schema.metadata if k.startswith(b"eos.")),
    }
print(json.dumps(report))
`;

interface Entry {
  readonly wrong: readonly (readonly [reader: string, column: string])[];
  readonly rows: number;
  readonly filtered: readonly boolean[];
  readonly statistics: Readonly<Record<string, readonly boolean[]>>;
  readonly nulls: number;
  readonly metadata: readonly string[];
}

describeWith(
  ['python', 'readers'],
  'pandas, pyarrow, Polars, DuckDB, DataFusion and fastparquet',
  () => {
    test('find the same rows, nulls, words, bounds and metadata', async () => {
      const report = (await python(PROGRAM, NAMES.map(path))) as Record<string, Entry>;
      for (const name of NAMES) {
        const { wrong, filtered, statistics, nulls, metadata } = report[name]!;
        const unread = PLAIN.includes(name) ? [] : [['fastparquet', 'not implemented']];
        expect(wrong, name).toEqual(unread);
        expect(filtered, name).toEqual([true, true]);
        // Parquetjs-lite writes bounds in the old form, which pyarrow does not trust.
        expect(Object.keys(statistics)).toHaveLength(name === 'lite.parquet' ? 0 : 3);
        for (const found of Object.values(statistics))
          expect(found, name).toEqual([true, true, true]);
        expect(nulls, name).toBe(name === 'log.parquet' ? 0.8 * LOG_ROWS : 0);
        expect(metadata, name).toContain('eos.config');
      }
      expect(report['default.parquet']!.rows).toBe(70_001);
    });

    // When this fails, fastparquet has learned it, and the docs can stop telling to write plainly.
    test('fastparquet reads packed numbers of nobody', async () => {
      const program = `
import json, sys
import fastparquet, pyarrow as pa, pyarrow.parquet as pq
pq.write_table(pa.table({"x": [0.5, 1.5, 2.5]}), sys.argv[1], use_dictionary=False, use_byte_stream_split=True)
try: fastparquet.ParquetFile(sys.argv[1]).to_pandas(); print(json.dumps("read"))
except NotImplementedError as error: print(json.dumps(str(error)))
`;
      expect(await python(program, [path('of-pyarrow.parquet')])).toMatch(/encoding 9/i);
    });
  },
);

/** A table as what all readers can give of it. */
interface Seen {
  readonly rows: number;
  readonly loss: readonly number[];
  readonly nulls: number;
  readonly phases: readonly string[];
}

const ofArrow = (table: Table): Seen => ({
  rows: table.numRows,
  loss: [...(table.getChild('loss') ?? [])],
  nulls: table.getChild('sharpness')!.nullCount,
  phases: [...(table.getChild('phase') ?? [])],
});

async function byHyparquet(name: string): Promise<Seen> {
  const file = new Uint8Array(readFileSync(path(name))).buffer;
  const rows = await parquetReadObjects({ file, compressors });
  return {
    rows: rows.length,
    loss: rows.map(({ loss }) => loss as number),
    nulls: rows.filter(({ sharpness }) => sharpness === null).length,
    phases: rows.map(({ phase }) => phase as string),
  };
}

describe('hyparquet, parquet-wasm (which is of Rust) and Arrow JS', () => {
  beforeAll(async () => {
    const wasm = join(root, 'node_modules/parquet-wasm/esm/parquet_wasm_bg.wasm');
    await initWasm({ module_or_path: readFileSync(wasm) });
  });

  test.each(NAMES)('%s', async (name) => {
    const seen = await byHyparquet(name);
    expect(seen.rows).toBe(seen.loss.length);
    const packed = readParquet(readFileSync(path(name))).intoIPCStream();
    expect(ofArrow(tableFromIPC(packed))).toEqual(seen);
    const { num_rows, key_value_metadata: pairs } = parquetMetadata(
      new Uint8Array(readFileSync(path(name))).buffer,
    );
    expect(Number(num_rows)).toBe(seen.rows);
    expect(pairs?.map(({ key }) => key)).toContain('eos.summary');
    if (name === 'default.parquet')
      expect(ofArrow(tableFromIPC(readFileSync(path('default.arrow'))))).toEqual(seen);
  });
});

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { lastValueFrom } from 'rxjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  arrowSink,
  type ByteTarget,
  classifySharpness,
  DamagedFileError,
  detectMeasuredPhases,
  detectPhases,
  gradientDescent,
  memoryTarget,
  parquetSink,
  parseEta,
  readRun,
  relateToThreshold,
  splitLoss,
  trainingLog,
} from '../../src/pipeline/node/library.ts';
import { parquetjsFormat } from '../../src/pipeline/node/parquetjs.ts';
import { describeWith, python } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const ROWS = 300;
const hasLoss = (i: number) => i % 7 !== 3;
const isMeasured = (i: number) => i % 10 === 0 || !hasLoss(i);
const countOf = (is: (i: number) => boolean) =>
  Array.from({ length: ROWS }, (_, i) => is(i)).filter(Boolean).length;
/** One loss is not finite. */
const LOG = Array.from({ length: ROWS }, (_, i) => {
  const loss = !hasLoss(i) ? '' : i === 40 ? 'nan' : String(2 / (1 + i));
  return `${i},${loss},${isMeasured(i) ? 10 + i / 10 : ''}`;
});
const WRITERS = {
  parquet: (target: ByteTarget) => parquetSink(target),
  arrow: (target: ByteTarget) => arrowSink(target),
  'parquetjs-lite': (target: ByteTarget) => parquetSink(target, { format: parquetjsFormat }),
};
type Writer = keyof typeof WRITERS;

async function logBytes(writer: Writer): Promise<Uint8Array<ArrayBuffer>> {
  const target = memoryTarget();
  const text = new TextEncoder().encode(`step,loss,sharpness\n${LOG.join('\n')}\n`);
  const chunks = (async function* () {
    yield text;
  })();
  await lastValueFrom(
    trainingLog({ name: 'log', chunks }, { eta: parseEta('0.1') }).pipe(
      relateToThreshold(),
      detectMeasuredPhases(),
      WRITERS[writer](target),
    ),
  );
  return new Uint8Array(target.bytes());
}

describe.each(Object.keys(WRITERS) as Writer[])('a log in %s', (writer) => {
  test('is read back with NaN where nothing was measured', async () => {
    const { table, config, summary, metadata } = await readRun(await logBytes(writer));
    expect(table.length).toBe(ROWS);
    expect(metadata['eos.schema_version']).toBe('2');
    expect(config).toMatchObject({ source: 'training-log' });
    expect(summary).toMatchObject({ rows: ROWS });
    const { loss, sharpness, threshold, phase, step } = table.columns;
    expect(step?.values).toEqual(Float64Array.from({ length: ROWS }, (_, i) => i));
    expect([...loss!.values].map(Number.isNaN)).toEqual(LOG.map((_, i) => !hasLoss(i)));
    expect(loss!.values[40]).toBe(Number.POSITIVE_INFINITY);
    expect([...sharpness!.values].filter((value) => !Number.isNaN(value))).toHaveLength(
      countOf(isMeasured),
    );
    expect(threshold!.values[0]).toBe(20);
    expect(phase!.words!.length).toBeGreaterThan(0);
    expect([...phase!.values].every((code) => phase!.words![code] !== undefined)).toBe(true);
    expect(sharpness).toMatchObject({ type: 'DOUBLE', symbol: 'S', unit: '1' });
    expect(sharpness!.meaning).toContain('largest eigenvalue');
  });
});

describe('readRun', () => {
  let folder: string;
  let bytes: Uint8Array<ArrayBuffer>;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'eos-read-run-'));
    const target = memoryTarget();
    await lastValueFrom(
      gradientDescent({ preset: 'three-phases', steps: 500 }).pipe(
        splitLoss(),
        classifySharpness(),
        detectPhases(),
        parquetSink(target),
      ),
    );
    bytes = new Uint8Array(target.bytes());
    writeFileSync(join(folder, 'run.parquet'), bytes);
    return () => removeFolder(folder);
  });

  test('reads bytes, blobs, files by their name and addresses alike', async () => {
    const path = join(folder, 'run.parquet');
    const sources = [bytes, bytes.buffer, new Blob([bytes]), path, pathToFileURL(path)];
    const runs = await Promise.all(sources.map((source) => readRun(source)));
    for (const run of runs) expect(run).toEqual(runs[0]);
    expect(runs[0]!.config).toMatchObject({ preset: 'three-phases', steps: 500 });
    expect(runs[0]!.summary).toMatchObject({ outcome: expect.any(String) });
    expect(runs[0]!.table.columns.regime!.words).toEqual(expect.arrayContaining(['stable']));
  });

  test('reads the columns that are asked for, and no others', async () => {
    const { table } = await readRun(bytes, { columns: ['loss', 'step'] });
    expect(Object.keys(table.columns)).toEqual(['loss', 'step']);
    await expect(readRun(bytes, { columns: ['los'] })).rejects.toThrow(
      /there is no column 'los'; there are step, /,
    );
  });

  test('refuses what is not such a file', async () => {
    await expect(readRun(new TextEncoder().encode('step,loss\n1,2\n'))).rejects.toThrow(
      DamagedFileError,
    );
    await expect(readRun(bytes.slice(0, -9))).rejects.toThrow('cut off');
    await expect(readRun(join(folder, 'missing.parquet'))).rejects.toThrow('ENOENT');
  });

  test('a flipped bit is told, or changes no value', async () => {
    const whole = await readRun(bytes);
    let told = 0;
    for (let i = 0; i < 300; i++) {
      const flipped = bytes.slice();
      flipped[Math.floor((i * flipped.length) / 300)]! ^= 1 << (i % 8);
      const read = await readRun(flipped).catch((error: unknown) => {
        expect(error).toBeInstanceOf(DamagedFileError);
        told++;
      });
      for (const [name, { values, words }] of Object.entries(read?.table.columns ?? {}))
        if (name in whole.table.columns)
          expect([i, values, words]).toEqual([
            i,
            whole.table.columns[name]!.values,
            whole.table.columns[name]!.words,
          ]);
    }
    // The others hit names and notes in the footer, which no value depends on.
    expect(told).toBeGreaterThan(250);
  });
});

const READ = `
import sys, json, math, pyarrow as pa, pyarrow.parquet as pq, pyarrow.ipc as ipc, pandas as pd, polars as pl, duckdb
told = {}
for path in sys.argv[1:]:
    arrow = path.endswith(".arrow")
    table = ipc.open_file(path).read_all() if arrow else pq.ParquetFile(path, page_checksum_verification=True).read()
    frame = pl.read_ipc(path) if arrow else pl.read_parquet(path)
    nulls = {name: table[name].null_count for name in table.column_names}
    told[path.split("/")[-1]] = {
        "nulls": nulls,
        "nullable": [f.name for f in table.schema if f.nullable],
        "polars": {name: frame[name].null_count() for name in frame.columns} == nulls,
        "pandas": {name: int(n) for name, n in (table.to_pandas() if arrow else pd.read_parquet(path)).isna().sum().items()} == nulls,
        "duckdb": arrow or all(duckdb.sql('select count(*) - count("%s") from read_parquet(\\'%s\\')' % (name, path)).limit(1).fetchall()[0][0] == n for name, n in nulls.items()),
        "nan": any(math.isnan(v) for name in ["loss", "sharpness"] for v in table[name].to_pylist() if v is not None),
        "described": table.schema.field("loss").metadata[b"meaning"].decode() if arrow else json.loads(pq.read_metadata(path).metadata[b"eos.columns"])["loss"]["meaning"],
        "sorted": None if arrow else [str(c) for c in pq.read_metadata(path).row_group(0).sorting_columns],
        "words": None if arrow else pq.read_metadata(path).row_group(0).column(table.column_names.index("phase")).encodings[-1],
    }
print(json.dumps(told))
`;

describeWith(['python'], 'a log in pyarrow, pandas, Polars and DuckDB', () => {
  test('has NULL where nothing was measured, and says what its columns mean', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'eos-nulls-'));
    afterAll(() => removeFolder(folder));
    const paths: string[] = [];
    for (const writer of Object.keys(WRITERS) as Writer[]) {
      paths.push(join(folder, `${writer}.${writer === 'arrow' ? 'arrow' : 'parquet'}`));
      writeFileSync(paths.at(-1)!, await logBytes(writer));
    }
    const told = (await python(READ, paths)) as Record<string, Record<string, unknown>>;
    for (const [name, entry] of Object.entries(told)) {
      expect([name, entry]).toEqual([
        name,
        expect.objectContaining({
          nulls: expect.objectContaining({
            step: 0,
            loss: ROWS - countOf(hasLoss),
            sharpness: ROWS - countOf(isMeasured),
            phase: 0,
          }),
          nullable: ['eta', 'loss', 'sharpness', 'threshold', 'sharpness_ratio'],
          polars: true,
          pandas: true,
          duckdb: true,
          nan: false,
          described: expect.stringContaining('training loss'),
        }),
      ]);
    }
    expect(told['parquet.parquet']).toMatchObject({
      sorted: [expect.stringContaining('column_index=0, descending=False')],
      words: 'RLE_DICTIONARY',
    });
  });
});

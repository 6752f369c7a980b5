import { mkdtempSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RUN_COLUMNS } from '../../src/pipeline/models/minimal/columns.ts';
import { ROW_GROUP_SIZE } from '../../src/pipeline/sinks/table-sink.ts';
import { removeFolder } from '../setup/remove-folder.ts';
import { duckdb, duckdbColumns, parquetFooter, readBack } from './read-back.ts';
import {
  bits,
  CASE_NAMES,
  CASES,
  type CaseName,
  FORMAT_NAMES,
  type FormatName,
  fileOf,
  firstDifference,
  LATE,
  type Written,
  writeRun,
} from './written-runs.ts';

const folder = mkdtempSync(join(tmpdir(), 'eos-conformance-'));
const written = {} as Record<CaseName, Written>;

beforeAll(async () => {
  for (const name of CASE_NAMES) written[name] = await writeRun(folder, name);
});
afterAll(() => removeFolder(folder));

const PARQUET_WRITERS = ['hyparquet', 'parquetjs-lite'] as const satisfies readonly FormatName[];
const quoted = (file: string) => `'${file.replaceAll("'", "''")}'`;

test('the runs hold the values that files lose most easily', () => {
  const beta1 = written.plain.values('beta1');
  expect(beta1.some((x) => Object.is(x, -0))).toBe(true);
  expect(beta1.some((x) => x !== 0 && Math.abs(x) < 2 ** -1022)).toBe(true);
  expect(Object.is(written['β₁ exactly 0'].values('beta1')[0], -0)).toBe(true);
  expect(new Set(written['β₁ exactly 0'].values('log10_abs_beta1'))).toEqual(
    new Set([Number.NEGATIVE_INFINITY]),
  );
  expect(written.plain.values('log10_abs_beta1').every(Number.isFinite)).toBe(true);
  expect(new Set(written['200,000 rows'].words('phase')).size).toBe(4);
});

test('nothing but whole files is left', async () => {
  expect((await readdir(folder)).sort()).toEqual(
    CASE_NAMES.flatMap((name) => FORMAT_NAMES.map((format) => fileOf('', name, format))).sort(),
  );
});

describe.each(FORMAT_NAMES)('%s', (format) => {
  test.each(CASE_NAMES)('%s: every value read back bit for bit', async (name) => {
    const table = await readBack(fileOf(folder, name, format));
    expect(table.rows).toBe(written[name].rows);
    for (const spec of written[name].columns) {
      expect(firstDifference(written[name], spec, await table.values(spec.name)), spec.name).toBe(
        -1,
      );
    }
  });

  test.each(CASE_NAMES)(
    '%s: names, order and types of the contract, all required',
    async (name) => {
      const { fields } = await readBack(fileOf(folder, name, format));
      const wanted: readonly string[] | null =
        'columns' in CASES[name].options ? CASES[name].options.columns : null;
      expect(fields).toEqual(
        RUN_COLUMNS.filter((column) => wanted === null || wanted.includes(column.name)).map(
          (column) => ({
            name: column.name,
            type: column.type,
            required: true,
          }),
        ),
      );
    },
  );

  test.each(CASE_NAMES)('%s: metadata holds version, config and summary', async (name) => {
    const { metadata } = await readBack(fileOf(folder, name, format));
    expect(Object.keys(metadata).sort()).toEqual([
      'eos.checkpoint',
      ...(format === 'arrow' ? [] : ['eos.columns']),
      'eos.config',
      'eos.crc32',
      'eos.digest',
      'eos.schema_version',
      'eos.summary',
    ]);
    expect(metadata['eos.schema_version']).toBe('2');
    const asJson = (value: unknown) => JSON.parse(JSON.stringify(value));
    expect(JSON.parse(metadata['eos.config']!)).toEqual(asJson(written[name].config));
    expect(JSON.parse(metadata['eos.summary']!)).toEqual(asJson(written[name].summary));
  });

  test('row groups of 65,536', async () => {
    expect(ROW_GROUP_SIZE).toBe(65_536);
    const { groups } = await readBack(fileOf(folder, '200,000 rows', format));
    expect(groups).toEqual([65_536, 65_536, 65_536, 3_392]);
  });

  test('steps beyond 32 bits', async () => {
    const table = await readBack(fileOf(folder, 'steps around 2³²', format));
    expect(Array.from(await table.values('step'))).toEqual(
      Array.from({ length: 201 }, (_, i) => BigInt(LATE + i)),
    );
  });
});

describe.each(PARQUET_WRITERS)('%s in DuckDB', (format) => {
  test.each(CASE_NAMES)('%s: every value bit for bit', async (name) => {
    const columns = await duckdbColumns(
      `SELECT * FROM read_parquet(${quoted(fileOf(folder, name, format))})`,
    );
    expect(Object.keys(columns)).toEqual(written[name].columns.map((spec) => spec.name));
    for (const spec of written[name].columns) {
      expect(firstDifference(written[name], spec, columns[spec.name]!), spec.name).toBe(-1);
    }
  });

  test('types are those of the contract', async () => {
    const file = quoted(fileOf(folder, 'paper', format));
    const types = await duckdb(
      `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(${file}))`,
    );
    const inDuckdb = { INT64: 'BIGINT', INT32: 'INTEGER', DOUBLE: 'DOUBLE', STRING: 'VARCHAR' };
    expect(types.map((row) => [row.column_name, row.column_type])).toEqual(
      RUN_COLUMNS.map(({ name, type }) => [name, inDuckdb[type]]),
    );
  });

  test('rows per phase', async () => {
    const file = quoted(fileOf(folder, '200,000 rows', format));
    const counts = await duckdb(
      `SELECT phase, count(*) AS n FROM read_parquet(${file}) GROUP BY phase`,
    );
    const expected: Record<string, number> = {};
    for (const phase of written['200,000 rows'].words('phase'))
      expected[phase] = (expected[phase] ?? 0) + 1;
    expect(Object.fromEntries(counts.map(({ phase, n }) => [phase, Number(n)]))).toEqual(expected);
  });

  test('metadata', async () => {
    const file = quoted(fileOf(folder, 'paper', format));
    const pairs = await duckdb(
      `SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata(${file}) ORDER BY 1`,
    );
    expect(pairs.map(({ key }) => key)).toEqual([
      'eos.checkpoint',
      'eos.columns',
      'eos.config',
      'eos.crc32',
      'eos.digest',
      'eos.schema_version',
      'eos.summary',
    ]);
    expect(JSON.parse(String(pairs[6]!.value))).toMatchObject({
      outcome: 'edge-of-stability',
      first_crossing: 2015,
    });
  });
});

describe('the default writer', () => {
  test.each(CASE_NAMES)('%s: exact statistics in every row group', async (name) => {
    const { row_groups: groups } = await parquetFooter(fileOf(folder, name, 'hyparquet'));
    let first = 0;
    for (const group of groups) {
      const last = first + Number(group.num_rows);
      written[name].columns.forEach((spec, c) => {
        const { statistics, path_in_schema: path } = group.columns[c]!.meta_data!;
        expect(path).toEqual([spec.name]);
        const { least, most } = extremes(written[name], spec.name, first, last);
        const at = `${spec.name} of rows ${first} to ${last}`;
        expect(statistics?.null_count, at).toBe(0n);
        const { min_value: low, max_value: high } = statistics!;
        if (typeof least === 'string' || typeof most === 'string') {
          // Long words are cut to bounds that say of themselves that they are not exact.
          expect([low! <= least, high! >= most], at).toEqual([true, true]);
          expect(statistics?.is_min_value_exact ?? true, at).toBe(low === least);
          expect(statistics?.is_max_value_exact ?? true, at).toBe(high === most);
        } else {
          // Parquet wants a smallest 0 as −0 and a largest as +0, which are equal here.
          expect([Number(low) === least, Number(high) === most], at).toEqual([true, true]);
        }
      });
      first = last;
    }
  });

  test('strings are dictionary-encoded', async () => {
    const { row_groups: groups } = await parquetFooter(fileOf(folder, '200,000 rows', 'hyparquet'));
    for (const { columns } of groups) {
      for (const { meta_data: column } of columns) {
        if (column!.type !== 'BYTE_ARRAY') continue;
        expect(column!.encodings).toContain('RLE_DICTIONARY');
        expect(column!.dictionary_page_offset).toBeDefined();
        // Codes instead of words: a few bits a row.
        expect(Number(column!.total_compressed_size)).toBeLessThan(
          Number(column!.num_values) / 2 + 200,
        );
      }
    }
  });

  test('bounds of words that were cut do not mislead DuckDB', async () => {
    const file = quoted(fileOf(folder, 'plain', 'hyparquet'));
    const [row] = await duckdb(
      `SELECT min(phase) AS low, max(phase) AS high FROM read_parquet(${file})`,
    );
    expect(row).toEqual({ low: 'eos-self-stabilization', high: 'progressive-sharpening' });
    const [found] = await duckdb(
      `SELECT count(*) AS n FROM read_parquet(${file}) WHERE phase = 'progressive-sharpening'`,
    );
    expect(Number(found!.n)).toBe(
      written.plain.words('phase').filter((p) => p === 'progressive-sharpening').length,
    );
  });

  test('DuckDB skips row groups by their statistics', async () => {
    const file = quoted(fileOf(folder, '200,000 rows', 'hyparquet'));
    const rows = await duckdb(
      `SELECT row_group_id AS g, stats_min_value AS low, stats_max_value AS high FROM parquet_metadata(${file})
       WHERE path_in_schema = 'step' ORDER BY 1`,
    );
    expect(rows.map(({ low, high }) => [Number(low), Number(high)])).toEqual([
      [0, 65_535],
      [65_536, 131_071],
      [131_072, 196_607],
      [196_608, 199_999],
    ]);
  });
});

/** Smallest and largest value of a stretch of a column. */
function extremes(run: Written, name: string, from: number, to: number) {
  const spec = run.columns.find((column) => column.name === name)!;
  if (spec.words) {
    const words = run.words(name).slice(from, to).sort();
    return { least: words[0]!, most: words.at(-1)! };
  }
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const value of run.values(name).subarray(from, to)) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
}

test('bits tells −0 from 0', () => {
  expect(bits([-0])).not.toEqual(bits([0]));
});

import { mkdtempSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith, python } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';
import {
  CASE_NAMES,
  type CaseName,
  FORMAT_NAMES,
  type FormatName,
  fileOf,
  type Written,
  writeRun,
} from './written-runs.ts';

/**
 * Compares each column that a reader hands over with the bytes that were written, and counts
 * phases. Doubles are compared as 64-bit patterns. Prints what differs, for each case, file and
 * reader.
 */
const PROGRAM = `
import json, sys
import numpy as np, pandas as pd, polars as pl, pyarrow as pa, pyarrow.ipc, pyarrow.parquet as pq

cases = json.load(open(sys.argv[1]))
types = {"INT64": np.int64, "INT32": np.int32, "DOUBLE": np.float64}

def pandas_columns(frame):
    return {name: frame[name].to_numpy() for name in frame.columns}

def polars_columns(frame):
    return {c.name: c.cast(pl.String).to_numpy() if c.dtype in (pl.Categorical, pl.String) else c.to_numpy() for c in frame}

def arrow_columns(table):
    table = table.combine_chunks().unify_dictionaries()
    def values(column):
        return (column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column).to_numpy()
    return {name: values(table[name]) for name in table.column_names}

def arrow_file(path):
    with pa.memory_map(path) as source:
        return pyarrow.ipc.open_file(source).read_all()

readers = {
    "parquet": {
        "pandas": lambda path: pandas_columns(pd.read_parquet(path, engine="pyarrow")),
        "polars": lambda path: polars_columns(pl.read_parquet(path)),
        "pyarrow": lambda path: arrow_columns(pq.read_table(path)),
    },
    "arrow": {
        "pyarrow": lambda path: arrow_columns(arrow_file(path)),
        "polars": lambda path: polars_columns(pl.read_ipc(path)),
    },
}

def difference(found, spec, expected):
    if spec["type"] == "STRING":
        return None if list(found) == [spec["words"][c] for c in expected] else "words"
    if found.dtype != expected.dtype:
        return str(found.dtype)
    same = found.view(np.uint64) == expected.view(np.uint64) if spec["type"] == "DOUBLE" else found == expected
    return None if len(found) == len(expected) and same.all() else f"row {int(np.argmin(same))}"

report = []
for case in cases:
    for path in case["files"]:
        kind = "arrow" if path.endswith(".arrow") else "parquet"
        schema = arrow_file(path).schema if kind == "arrow" else pq.read_schema(path)
        entry = {
            "case": case["name"],
            "file": path,
            "nullable": [field.name for field in schema if field.nullable],
            "types": [str(field.type) for field in schema],
            "metadata": {k.decode(): json.loads(v) for k, v in schema.metadata.items() if k not in (b"eos.digest", b"eos.crc32")},
            "differences": [],
        }
        for name, read in readers[kind].items():
            columns = read(path)
            if list(columns) != [spec["name"] for spec in case["columns"]]:
                entry["differences"].append([name, "columns", list(columns)])
            for spec in case["columns"]:
                raw = np.fromfile(spec["bytes"], dtype=np.uint8 if spec["type"] == "STRING" else types[spec["type"]])
                found = difference(columns[spec["name"]], spec, raw)
                if found:
                    entry["differences"].append([name, spec["name"], found])
            if "phase" in columns:
                words, counts = np.unique(columns["phase"].astype(str), return_counts=True)
                entry["phases_" + name] = dict(zip(words.tolist(), counts.tolist()))
        if kind == "parquet":
            footer = pq.read_metadata(path)
            groups = [footer.row_group(g) for g in range(footer.num_row_groups)]
            entry["rows"] = [group.num_rows for group in groups]
            entry["with_statistics"] = all(g.column(c).is_stats_set for g in groups for c in range(footer.num_columns))
        report.append(entry)
print(json.dumps(report))
`;

interface Entry {
  readonly case: CaseName;
  readonly file: string;
  readonly nullable: readonly string[];
  readonly types: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly differences: readonly unknown[];
  readonly rows?: readonly number[];
  readonly with_statistics?: boolean;
  readonly [phases: `phases_${string}`]: Readonly<Record<string, number>>;
}

describeWith(['python'], 'pandas, pyarrow and Polars', () => {
  const folder = mkdtempSync(join(tmpdir(), 'eos-python-'));
  const written = {} as Record<CaseName, Written>;
  let report: readonly Entry[] = [];
  const entry = (name: CaseName, format: FormatName) =>
    report.find(({ file }) => file === fileOf(folder, name, format))!;

  beforeAll(async () => {
    const cases = [];
    for (const name of CASE_NAMES) {
      written[name] = await writeRun(folder, name);
      const columns = await Promise.all(
        written[name].columns.map(async (spec) => ({
          ...spec,
          bytes: await columnBytes(name, spec.name, spec.type),
        })),
      );
      cases.push({
        name,
        columns,
        files: FORMAT_NAMES.map((format) => fileOf(folder, name, format)),
      });
    }
    const list = join(folder, 'cases.json');
    await writeFile(list, JSON.stringify(cases));
    report = (await python(PROGRAM, [list])) as readonly Entry[];
  });
  afterAll(() => removeFolder(folder));

  async function columnBytes(name: CaseName, column: string, type: string): Promise<string> {
    const path = join(folder, `${CASE_NAMES.indexOf(name)}-${column}.bin`);
    const values = written[name].values(column);
    await writeFile(path, type === 'INT64' ? BigInt64Array.from(values, BigInt) : values);
    return path;
  }

  describe.each(FORMAT_NAMES)('%s', (format) => {
    test.each(CASE_NAMES)('%s: every reader has every value bit for bit', (name) => {
      expect(entry(name, format).differences).toEqual([]);
    });

    test('types, none nullable', () => {
      const { types, nullable } = entry('paper', format);
      const text =
        format === 'arrow' ? 'dictionary<values=string, indices=uint8, ordered=0>' : 'string';
      const inArrow = { INT64: 'int64', INT32: 'int32', DOUBLE: 'double', STRING: text };
      expect(types).toEqual(written.paper.columns.map(({ type }) => inArrow[type]));
      expect(nullable).toEqual([]);
    });

    test('metadata', () => {
      expect(entry('paper', format).metadata).toMatchObject({
        'eos.schema_version': 2,
        'eos.config': { eta: 0.05, steps: 10_000, init: [0.3, 0.1, 0.3] },
        'eos.summary': { outcome: 'edge-of-stability', cycles: 25 },
      });
    });

    test('rows per phase', () => {
      const expected: Record<string, number> = {};
      for (const phase of written['200,000 rows'].words('phase'))
        expected[phase] = (expected[phase] ?? 0) + 1;
      const found = entry('200,000 rows', format);
      for (const reader of format === 'arrow'
        ? ['pyarrow', 'polars']
        : ['pandas', 'polars', 'pyarrow']) {
        expect(found[`phases_${reader}`], reader).toEqual(expected);
      }
    });
  });

  test('row groups, and statistics in each by the default writer', () => {
    const { rows, with_statistics } = entry('200,000 rows', 'hyparquet');
    expect(rows).toEqual([65_536, 65_536, 65_536, 3_392]);
    expect(with_statistics).toBe(true);
  });
});

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/cli/inspect/report.ts';
import { RUN_COLUMNS } from '../../src/pipeline/models/minimal/columns.ts';
import { eos, temporaryFolder } from '../setup/eos.ts';
import { describeWith, python } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';
import { duckdb } from '../sinks/read-back.ts';

async function inspect(cwd: string, file: string): Promise<string> {
  const { code, stdout, stderr } = await eos(['inspect', file], { cwd });
  expect([code, stderr]).toEqual([0, '']);
  // What stands in a file must not be obeyed by a terminal.
  expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  return stdout;
}

async function inspectJson(cwd: string, file: string): Promise<Report> {
  const { code, stdout, stderr } = await eos(['inspect', file, '--json'], { cwd });
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Report;
}

let run: Buffer;
let arrow: Buffer;

beforeAll(async () => {
  const { mkdtemp } = await import('node:fs/promises');
  const cwd = await mkdtemp('/tmp/eos-inspect-');
  await eos(
    [
      'stream',
      '--out',
      'run.parquet',
      '--arrow',
      'run.arrow',
      '--preset',
      'three-phases',
      '--quiet',
    ],
    { cwd },
  );
  [run, arrow] = await Promise.all([
    readFile(join(cwd, 'run.parquet')),
    readFile(join(cwd, 'run.arrow')),
  ]);
  removeFolder(cwd);
});

async function folderWithRuns(): Promise<string> {
  const cwd = temporaryFolder();
  await Promise.all([
    writeFile(join(cwd, 'run.parquet'), run),
    writeFile(join(cwd, 'run.arrow'), arrow),
  ]);
  return cwd;
}

describe('a run file', () => {
  test.each([
    ['run.parquet', /^run\.parquet {2}Parquet, 697 kB, 10,001 rows, 1 row group\n/],
    ['run.arrow', /^run\.arrow {2}Arrow, 1\.2 MB, 10,001 rows, 1 record batch\n/],
  ])('%s: parameters, phases, outcome, slope, sparkline, schema', async (file, title) => {
    const text = await inspect(await folderWithRuns(), file);
    expect(text).toMatch(title);
    expect(text).toMatch(/lambda1 100 · lambda2 0\.1 · covariance 0/);
    expect(text).toMatch(/eta 0\.05/);
    expect(text).toMatch(/init 0\.3,0\.1,0\.3/);
    expect(text).toMatch(/^ {2}phase +first step +last step +steps$/m);
    expect(text).toMatch(/^ {2}progressive-sharpening +0 +\d+ +\d+$/m);
    expect(text).toMatch(/^ {2}edge-of-stability +\d+ +[\d,]+ +[\d,]+$/m);
    expect(text).toMatch(/^ {2}convergence +[\d,]+ +10,000 +[\d,]+$/m);
    expect(text).toMatch(/^ {2}outcome +converged$/m);
    expect(text).toMatch(/^ {2}cycles +\d+$/m);
    expect(text).toMatch(/^ {2}T\(δ, ε\) +7,691 \(δ = 0\.01, ε = 1e-8\)$/m);
    expect(text).toMatch(/^ {2}slope of ln L̂ per step +-[\d.e-]+ measured, -0\.004004 predicted$/m);
    expect(text).toMatch(/^what could be said before the run\n +predicted +measured +error$/m);
    expect(text).toMatch(/^ {2}steps at the edge +2,660 +2,653 +0\.26 %$/m);
    expect(text).toMatch(/^ {2}[▁▂▃▄▅▆▇█]{60} {2}S up to 1\.\d+ × 2\/η$/m);
    for (const { name, type } of RUN_COLUMNS) expect(text).toContain(`${name} ${type}`);
    expect(text).not.toContain('missing');
  });

  test('--json holds the same for programs, alike for both kinds', async () => {
    const cwd = await folderWithRuns();
    const report = await inspectJson(cwd, 'run.parquet');
    expect(report).toMatchObject({
      file: 'run.parquet',
      kind: 'parquet',
      bytes: run.length,
      rows: 10_001,
      row_groups: 1,
      missing_columns: [],
      missing_metadata: [],
      config: { preset: 'three-phases', lambda2: 0.1, eta: 0.05 },
      summary: {
        outcome: 'converged',
        convergence_time: { step: 7691 },
        l_hat_slope_predicted: 2 * Math.log1p(-0.002),
      },
    });
    expect(report.schema).toEqual(
      RUN_COLUMNS.map(({ name, type }) => ({ name, type, expected: null })),
    );
    expect(report.phases.map(({ phase }) => phase)).toEqual([
      'progressive-sharpening',
      'edge-of-stability',
      'convergence',
    ]);
    expect(report.sharpness?.column).toBe('sharpness_ratio');
    expect(report.sharpness?.bins).toHaveLength(60);

    const { kind, file, bytes, ...other } = await inspectJson(cwd, 'run.arrow');
    expect([kind, file, bytes]).toEqual(['arrow', 'run.arrow', arrow.length]);
    const { kind: _, file: __, bytes: ___, ...same } = report;
    expect(other).toEqual(same);
  });

  test('the phases of a file without summary come from its columns', async () => {
    const cwd = await folderWithRuns();
    const { summary, phases } = await inspectJson(cwd, 'run.parquet');
    await writeFile(
      join(cwd, 'bare.parquet'),
      run.toString('latin1').replaceAll('eos.summary', 'not.summary'),
      'latin1',
    );
    const bare = await inspectJson(cwd, 'bare.parquet');
    expect(summary).not.toBeNull();
    expect(bare.summary).toBeNull();
    expect(bare.missing_metadata).toEqual(['eos.summary']);
    expect(bare.phases).toEqual(phases);
    expect(await inspect(cwd, 'bare.parquet')).toContain('missing metadata: eos.summary');
  });

  test('a subset of the columns, and an interrupted run, are told', async () => {
    const cwd = temporaryFolder();
    await eos(
      ['stream', '--out', 'few.parquet', '--columns', 'step,loss', '--steps', '9', '--quiet'],
      { cwd },
    );
    const text = await inspect(cwd, 'few.parquet');
    expect(text).toMatch(/^few\.parquet {2}Parquet, [\d.]+ kB, 10 rows, 1 row group$/m);
    expect(text).toMatch(/^missing columns: alpha, beta1, .*, cycle, digits$/m);
    expect(text).toMatch(/^ {2}outcome +sharpening$/m);
    expect(text).toMatch(/^ {2}first crossing of 2\/η +never$/m);
    expect(text).not.toMatch(/^sharpness$/m);
  });
});

describe('a file of another program', () => {
  test('DuckDB: foreign columns and types are listed, what is missing is said', async () => {
    const cwd = temporaryFolder();
    await duckdb(
      `COPY (SELECT range::INTEGER AS step, 1.0 + range AS sharpness, 'stable' AS regime, NULL::DOUBLE AS loss,
              {'a': 1, 'b': [1, 2]} AS nested, TIMESTAMP '2020-01-01' AS at, true AS flag FROM range(5))
       TO '${join(cwd, 'other.parquet')}' (FORMAT parquet, COMPRESSION zstd)`,
    );
    const report = await inspectJson(cwd, 'other.parquet');
    expect(report.rows).toBe(5);
    expect(report.schema.map(({ name }) => name)).toEqual([
      'step',
      'sharpness',
      'regime',
      'loss',
      'nested',
      'at',
      'flag',
    ]);
    expect(report.schema[0]).toEqual({ name: 'step', type: 'INT32', expected: 'INT64' });
    expect(report.missing_columns).toEqual(
      RUN_COLUMNS.map(({ name }) => name).filter(
        (name) => !['step', 'sharpness', 'regime', 'loss'].includes(name),
      ),
    );
    expect(report.missing_metadata).toEqual(['eos.schema_version', 'eos.config', 'eos.summary']);
    const text = await inspect(cwd, 'other.parquet');
    expect(text).toContain('missing metadata: eos.schema_version, eos.config, eos.summary');
    expect(text).toContain('column step is INT32, in a run file it is INT64');
    expect(text).toContain('regime STRING · loss DOUBLE · nested GROUP');
  });

  test('no rows at all', async () => {
    const cwd = temporaryFolder();
    await duckdb(
      `COPY (SELECT 1.0::DOUBLE AS sharpness WHERE false) TO '${join(cwd, 'empty.parquet')}' (FORMAT parquet)`,
    );
    expect(await inspect(cwd, 'empty.parquet')).toContain('0 rows');
  });

  describeWith(['python'], 'pandas, Polars and pyarrow', () => {
    const WRITE = `
import sys, json, numpy as np, pandas as pd, polars as pl, pyarrow as pa, pyarrow.parquet as pq
folder = sys.argv[1] + "/"
evil = "\\x1b[31mred\\x07"
frame = pd.DataFrame({
    "step": pd.array([0, None, 2, 3], dtype="Int64"),
    "sharpness_ratio": [0.5, None, np.nan, np.inf],
    "phase": [evil, evil, None, "con\\nvergence"],
    "cycle": pd.array([1, 2, None, 4], dtype="Int32"),
})
for codec in ["snappy", "gzip", "zstd", "brotli"]:
    frame.to_parquet(folder + codec + ".parquet", compression=codec)
pl.from_pandas(frame).write_parquet(folder + "polars.parquet")
pl.from_pandas(frame).write_ipc(folder + "polars.arrow", compat_level=pl.CompatLevel.oldest())
pl.from_pandas(frame).write_ipc(folder + "view.arrow")
table = pa.Table.from_pandas(frame)
odd = pa.table({"step": [1], "run": pa.array([[1]], pa.list_view(pa.int32()))})
with pa.ipc.new_file(folder + "odd.arrow", odd.schema) as writer:
    writer.write_table(odd)
for name, options in {"pyarrow.arrow": None, "lz4.arrow": pa.ipc.IpcWriteOptions(compression="lz4")}.items():
    with pa.ipc.new_file(folder + name, table.schema, options=options) as writer:
        writer.write_table(table)
summary = {"outcome": evil, "cycles": "many", "warnings": [{"message": evil}, 3, None],
           "phases": [{"phase": evil, "first_step": 0, "last_step": 1}, "nonsense"],
           "convergence_time": {"delta": evil, "epsilon": evil}}
strange = pa.table({"a" + evil: [1], "step": ["x"], "phase": [7], "sharpness": ["y"]})
nested = pa.table({"sharpness": [{evil: 1.0, "w" * 300: 2.0}]})
with pa.ipc.new_file(folder + "nested.arrow", nested.schema) as writer:
    writer.write_table(nested)
pq.write_table(strange.replace_schema_metadata({"eos.summary": json.dumps(summary), "eos.config": "not JSON"}), folder + "strange.parquet")
print("null")
`;
    test('nullable columns, every compression, strings that a terminal would obey', async () => {
      const cwd = temporaryFolder();
      await python(WRITE, [cwd]);
      const files = (await readdir(cwd)).filter(
        (name) => !['strange.parquet', 'odd.arrow', 'nested.arrow'].includes(name),
      );
      expect(files).toHaveLength(9);
      for (const file of files) {
        const text = await inspect(cwd, file);
        expect(text, file).toContain('4 rows');
        expect(text, file).toContain('missing columns: alpha, beta1');
        // Rows without step or phase are left out.
        expect(text, file).toMatch(/^ {2}�\[31mred� +0 +0 +1$/m);
        expect(text, file).toMatch(/^ {2}con�vergence +3 +3 +1$/m);
        expect(text, file).toMatch(/^ {2}█ {5}S up to 0\.5 × threshold$/m);
        const report = await inspectJson(cwd, file);
        expect(report.sharpness?.bins, file).toEqual([0.5, null, null, null]);
        expect(report.schema, file).toContainEqual({
          name: 'phase',
          type: 'STRING',
          expected: null,
        });
      }

      const strange = await inspect(cwd, 'strange.parquet');
      expect(strange).toContain('column step is STRING, in a run file it is INT64');
      expect(strange).toContain('column phase is INT64, in a run file it is STRING');
      expect(strange).toMatch(/^ {2}outcome +�\[31mred�$/m);
      expect(strange).toMatch(/^ {2}warning +�\[31mred�$/m);
      // The name of a type holds those of its fields.
      const nested = await inspect(cwd, 'nested.arrow');
      expect(nested).toMatch(/^column sharpness is Struct<\{�\[31mred�.{100,190}…, in a run/m);
      for (const text of [strange, nested]) expect(text).not.toMatch(/[^\P{Cc}\n]/u);

      // What is not read is said plainly, and not called damaged.
      const stderr =
        'eos: odd.arrow: Arrow of a kind that is not read here: its column run is of the type ListView, which is not read\n';
      expect(await eos(['inspect', 'odd.arrow'], { cwd })).toEqual({ code: 2, stdout: '', stderr });
    });
  });
});

describe('what cannot be read ends in one line, exit code 2', () => {
  const damaged: Readonly<Record<string, () => Uint8Array>> = {
    'cut.parquet': () => run.subarray(0, run.length / 2),
    'tail.parquet': () => run.subarray(0, run.length - 1),
    'magic.parquet': () => Buffer.from('PAR1'),
    'long-footer.parquet': () => patched(run, run.length - 8, [255, 255, 255, 255]),
    'no-footer.parquet': () => patched(run, run.length - 8, [0, 0, 0, 0]),
    'pages.parquet': () => patched(run, 4, new Array(run.length - 6000).fill(0xff)),
    'cut.arrow': () => arrow.subarray(0, arrow.length / 2),
    'tail.arrow': () => arrow.subarray(0, arrow.length - 3),
    'magic.arrow': () => Buffer.from('ARROW1'),
    'schema.arrow': () => patched(arrow, 16, new Array(200).fill(0xff)),
    'nothing.parquet': () => Buffer.alloc(0),
    'text.parquet': () => Buffer.from('step,loss\n0,1\n'),
  };

  test.each(Object.entries(damaged))('%s', async (name, bytes) => {
    const cwd = temporaryFolder();
    await writeFile(join(cwd, name), bytes());
    const { code, stdout, stderr } = await eos(['inspect', name], { cwd });
    expect(stderr).toMatch(
      new RegExp(`^eos: ${name}: (a damaged or unfinished|neither a Parquet nor) [^\\n]+\\n$`),
    );
    expect([code, stdout]).toEqual([2, '']);
  });

  test('a folder, a device, a missing file', async () => {
    const cwd = temporaryFolder();
    await mkdir(join(cwd, 'folder'));
    await mkdir(join(cwd, 'swept'));
    await writeFile(join(cwd, 'swept/sweep.json'), '{}');
    for (const [path, message] of [
      ['folder', 'eos: folder: this is not a file; name a Parquet or Arrow file\n'],
      [
        'swept',
        'eos: swept: this is the folder of a sweep; name a file of its summary, or see it by ' +
          '`eos dash serve swept`\n',
      ],
      ['/dev/null', 'eos: /dev/null: this is not a file; name a Parquet or Arrow file\n'],
      ['missing.parquet', 'eos: missing.parquet: there is no such file\n'],
    ] as const) {
      expect(await eos(['inspect', path], { cwd })).toEqual({
        code: 2,
        stdout: '',
        stderr: message,
      });
    }
  });
});

function patched(bytes: Buffer, at: number, values: readonly number[]): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(values, at);
  return copy;
}

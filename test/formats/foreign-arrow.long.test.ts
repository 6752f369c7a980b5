import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { inspectFile, type Report } from '../../src/cli/inspect/report.ts';
import { openBytes } from '../../src/dash/load/bytes.ts';
import { openAny } from '../../src/dash/load/open-any.ts';
import { eos, temporaryFolder } from '../setup/eos.ts';
import { describeWith } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';
import { detectLog } from '../sources/training-log/read-log.ts';
import { expected, ROWS, writeArrowFiles } from './arrow-writers.ts';

const rows = Array.from({ length: ROWS }, (_, i) => i);
const numbers = (value: (i: number) => number | null) => rows.map((i) => value(i) ?? Number.NaN);
const PHASES = [
  { phase: 'phase one of a long name', first_step: 0, last_step: 199 },
  { phase: 'phase two of a long name', first_step: 200, last_step: ROWS - 1 },
];
/** As many kinds as there are, once each, for tests that start processes. */
const SOME = [
  'pandas default.arrow',
  'pandas zstd.arrow',
  'polars default.arrow',
  'polars zstd.arrow',
  'polars stream.arrow',
  'pyarrow list lz4 file.arrow',
  'pyarrow large list zstd stream.arrow',
];

describeWith(['python'], 'Arrow files of pandas, pyarrow and Polars', () => {
  let folder: string;
  let names: readonly string[];

  beforeAll(async () => {
    const { mkdtemp } = await import('node:fs/promises');
    folder = await mkdtemp('/tmp/eos-arrow-');
    names = await writeArrowFiles(folder);
    return () => removeFolder(folder);
  });

  function expectReport({ schema, phases, sharpness, rows: count }: Report, name: string): void {
    const types = Object.fromEntries(schema.map((column) => [column.name, column.type]));
    expect([name, count, phases]).toEqual([name, ROWS, PHASES]);
    expect(types).toMatchObject({ step: 'INT64', loss: 'DOUBLE', phase: 'STRING' });
    if (name.startsWith('pandas')) {
      expect(types.sharpness).toBe('DOUBLE');
      expect(sharpness?.bins.at(-1)).toBe(expected.sharpness(ROWS - 1));
      return;
    }
    expect(types.sharpness).toMatch(/^(Large|FixedSize)?List(\[3\])?<Float(32|64)>$/);
    expect(types.params).toMatch(/^Struct<\{lr:Float64, tags:(Large)?List<\w+>\}>$/);
    if (name.startsWith('pyarrow')) {
      expect(types).toMatchObject({
        matrix: 'List<List<Float64>>',
        nothing: 'Null',
        view: 'STRING',
      });
      expect(types.pairs).toBe('Map<{key:Utf8, value:Int64}>');
    }
  }

  test('eos inspect names all columns, and reads those that are flat', async () => {
    expect(names.length).toBeGreaterThan(35);
    for (const name of names) expectReport(await inspectFile(join(folder, name)), name);
  });

  test('eos detect reads all values, of lists the largest', async () => {
    for (const name of names) {
      const bytes = new Uint8Array(readFileSync(join(folder, name)));
      const pieces = rows.map((i) =>
        bytes.subarray(Math.floor((bytes.length * i) / ROWS), (bytes.length * (i + 1)) / ROWS),
      );
      const detected = await detectLog(pieces, { eta: 0.1 });
      expect([name, detected.summary.skipped]).toEqual([name, []]);
      expect([name, detected.rows.step]).toEqual([name, rows]);
      expect([name, detected.rows.loss]).toEqual([name, numbers(expected.loss)]);
      expect([name, detected.rows.sharpness]).toEqual([name, numbers(expected.sharpness)]);
    }
  });

  test('the dashboard reads the columns that it can draw', async () => {
    for (const name of names) {
      const bytes = new Uint8Array(readFileSync(join(folder, name))).buffer;
      const source = await openAny(await openBytes({ kind: 'bytes', bytes }));
      const read: Record<string, (number | string)[]> = { step: [], loss: [], phase: [] };
      for (const [column, all] of Object.entries(read)) {
        for (let group = 0; group < source.groups.length; group++) {
          const values = await source.read(column, group);
          all.push(
            ...(column === 'phase'
              ? [...values].map((code) => source.words('phase')[code]!)
              : values),
          );
        }
      }
      expect([name, read]).toEqual([
        name,
        { step: rows, loss: numbers(expected.loss), phase: rows.map(expected.phase) },
      ]);
      const drawn = source.columns.map((column) => column.name);
      expect(drawn).toEqual(expect.arrayContaining(['step', 'loss', 'phase']));
      for (const nested of ['params', 'matrix', 'words', 'pairs', 'nothing'])
        expect(drawn).not.toContain(nested);
      expect(drawn.includes('sharpness')).toBe(name.startsWith('pandas'));
    }
  });

  test.each(SOME)('%s: the commands tell the same', async (name) => {
    const inspected = await eos(['inspect', name, '--json'], { cwd: folder });
    expect([inspected.code, inspected.stderr]).toEqual([0, '']);
    expectReport(JSON.parse(inspected.stdout) as Report, name);
    const cwd = temporaryFolder();
    const detected = await eos(
      ['detect', join(folder, name), '--eta', '0.1', '--log-format', 'json'],
      { cwd },
    );
    expect([detected.code, detected.stderr]).toEqual([0, '']);
    const done = JSON.parse(detected.stdout.trim().split('\n').at(-1)!) as Record<string, unknown>;
    // S reaches 2/η = 20 there.
    expect(done).toMatchObject({
      event: 'done',
      rows: ROWS,
      measured: 480,
      first_crossing: 160,
      skipped: [],
    });
  });
});

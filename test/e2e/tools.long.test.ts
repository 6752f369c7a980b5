import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { RecordBatchReader, tableFromIPC } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { PRESET_NAMES, presets } from '../../src/pipeline/models/minimal/presets/index.ts';
import { networkPresets } from '../../src/pipeline/models/network/presets/index.ts';
import { eos, startEos, temporaryFolder } from '../setup/eos.ts';
import { describeWith, python } from '../setup/parts.ts';

/** A folder with runs of these names, each made with further flags. */
async function runs(made: Readonly<Record<string, string>>): Promise<string> {
  const cwd = temporaryFolder();
  for (const [name, flags] of Object.entries(made)) {
    const args = ['stream', '--quiet', '--steps', '60', '--out', name, ...flags.split(' ')];
    expect(await eos(args, { cwd })).toMatchObject({ code: 0, stderr: '' });
  }
  return cwd;
}

describe('eos export', () => {
  test('writes the rows and columns that are asked for, in each text format', async () => {
    const cwd = await runs({ 'run.parquet': '--arrow run.arrow' });
    const pick = ['--columns', 'step,loss,regime', '--from', '10', '--to', '14', '--every', '2'];
    const csv = await eos(['export', 'run.parquet', '--csv', ...pick], { cwd });
    expect(csv).toMatchObject({ code: 0, stderr: '' });
    const [header, ...lines] = csv.stdout.trimEnd().split('\n');
    expect(header).toBe('step,loss,regime');
    const cells = lines.map((line) => line.split(','));
    expect(cells.map(([step]) => step)).toEqual(['10', '12', '14']);
    const objects = cells.map(([step, loss, regime]) => ({
      step: Number(step),
      loss: Number(loss),
      regime,
    }));
    expect(objects[0]).toMatchObject({ loss: expect.any(Number), regime: 'stable' });
    const ndjson = await eos(['export', 'run.arrow', '--ndjson', ...pick], { cwd });
    expect(
      ndjson.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(objects);
    const json = await eos(['export', 'run.parquet', '--json', ...pick], { cwd });
    expect(JSON.parse(json.stdout)).toEqual(objects);
    const none = await eos(['export', 'run.parquet', '--json', '--from', '1000'], { cwd });
    expect(JSON.parse(none.stdout)).toEqual([]);
  });

  test('writes an Arrow stream that holds the metadata, under the name that says so', async () => {
    const cwd = await runs({ 'run.parquet': '--every 7' });
    const args = ['export', 'run.parquet', '--out', 'out.arrow'];
    expect(await eos(args, { cwd })).toEqual({ code: 0, stdout: '', stderr: '' });
    const bytes = await readFile(join(cwd, 'out.arrow'));
    expect(RecordBatchReader.from(bytes).isFile()).toBe(false);
    const table = tableFromIPC(bytes);
    expect(JSON.parse(table.schema.metadata.get('eos.config')!)).toMatchObject({ every: 7 });
    const csv = await eos(['export', 'run.parquet', '--csv'], { cwd });
    expect(table.numRows).toBe(csv.stdout.trimEnd().split('\n').length - 1);
    expect(table.getChild('step')!.toJSON()).toContain(56n);
    expect(table.getChild('phase')!.get(0)).toBe('progressive-sharpening');
    expect(await readdir(cwd)).toEqual(['out.arrow', 'run.parquet']);
  });

  test.each([
    ['run.parquet', 'no format was named; give one of --csv, --json, --ndjson, --arrow'],
    ['run.parquet --csv --json', '--json: does not go with --csv; give one of them'],
    ['run.parquet --csv --out x.json', '--out: x.json ends in .json, but what is written is csv'],
    ['run.parquet --csv --columns los', "--columns: run.parquet has no column 'los'; did you mean"],
    ['run.parquet --csv --every 0', '--every: 0 is not a whole number from 1'],
    ['run.parquet --csv --out run.parquet', '--out: run.parquet ends in .parquet, but'],
    ['run.parquet --csv --out folder', '--out: folder is a folder; name a file in it'],
    ['nowhere.parquet --csv', 'nowhere.parquet: there is no such file'],
  ])('refuses %s', async (args, message) => {
    const cwd = await runs({ 'run.parquet': '--every 1' });
    await mkdir(join(cwd, 'folder'));
    const { code, stdout, stderr } = await eos(['export', ...args.split(' ')], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^eos: [^\n]+\n$/);
    expect(stderr).toContain(message);
    expect(await readdir(cwd)).toEqual(['folder', 'run.parquet']);
  });
});

describe('eos stream --out -', () => {
  test('writes rows as an Arrow stream, and its log beside it, whatever the format', async () => {
    const args = [
      'stream',
      '--steps',
      '40',
      '--every',
      '7',
      '--columns',
      'step,phase',
      '--out',
      '-',
    ];
    const cwd = temporaryFolder();
    const child = startEos([...args, '--log-format', 'json'], { cwd }).child;
    const pieces: Buffer[] = [];
    child.stdout!.removeAllListeners('data').setEncoding('latin1');
    child.stdout!.on('data', (text: string) => pieces.push(Buffer.from(text, 'latin1')));
    let log = '';
    child.stderr!.on('data', (text: string) => {
      log += text;
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
    const table = tableFromIPC(Buffer.concat(pieces));
    expect(table.schema.fields.map(({ name }) => name)).toEqual(['step', 'phase']);
    expect(table.numRows).toBeGreaterThan(6);
    expect(JSON.parse(table.schema.metadata.get('eos.config')!)).toMatchObject({ every: 7 });
    const events = log
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).event);
    expect(events).toEqual(expect.arrayContaining(['start', 'done']));
    expect(await readdir(cwd)).toEqual([]);
  });

  test('with --quiet there is no log in JSON either', async () => {
    const args = ['stream', '--steps', '40', '--dry-run', '--log-format', 'json', '--quiet'];
    expect(await eos(args)).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

describeWith(['python'], 'exports in other programs', () => {
  test('pandas reads the CSV, and pyarrow the stream, to the last bit', async () => {
    const cwd = await runs({ 'run.parquet': '--preset plain' });
    for (const ending of ['csv', 'arrow'])
      await eos(['export', 'run.parquet', '--out', `out.${ending}`], { cwd });
    const found = await python(
      `
import json, sys, pandas, pyarrow
run = pandas.read_parquet('run.parquet'.join([sys.argv[1] + '/', '']))
csv = pandas.read_csv(sys.argv[1] + '/out.csv', float_precision='round_trip')
arrow = pyarrow.ipc.open_stream(sys.argv[1] + '/out.arrow').read_pandas()
same = lambda other: all((run[c].astype(object) == other[c].astype(object)).all() for c in run.columns)
print(json.dumps([len(run), same(csv), same(arrow)]))`,
      [cwd],
    );
    expect(found).toEqual([61, true, true]);
  });
});

describe('eos diff', () => {
  test('two files of one run are the same, whatever their format', async () => {
    const cwd = await runs({ 'a.parquet': '--arrow a.arrow' });
    expect(await eos(['diff', 'a.parquet', 'a.arrow'], { cwd })).toEqual({
      code: 0,
      stdout: 'the same: 61 rows, parameters and outcome\n',
      stderr: '',
    });
  });

  test('tells parameters, outcome, and the first row that differs and by how much', async () => {
    const cwd = await runs({ 'a.parquet': '--floor 0', 'b.parquet': '--floor 0 --eta 1/19' });
    const { code, stdout } = await eos(['diff', 'a.parquet', 'b.parquet'], { cwd });
    expect(code).toBe(1);
    expect(stdout).toContain('parameters\n  eta: 0.05 → 0.05263157894736842\n');
    expect(stdout).toContain('  max_sharpness_ratio: ');
    expect(stdout).toContain('rows of the same step: 61 of 61 differ, the first at step 0\n');
    const json = await eos(['diff', 'a.parquet', 'b.parquet', '--json'], { cwd });
    const { rows } = JSON.parse(json.stdout);
    const ratio = rows.first.values.find(
      ({ name }: { name: string }) => name === 'sharpness_ratio',
    );
    expect(ratio.values[1] / ratio.values[0]).toBeCloseTo(20 / 19, 12);
    expect(ratio.difference).toBe(ratio.values[1] - ratio.values[0]);
    expect(rows.first.values.map(({ name }: { name: string }) => name)).not.toContain('loss');
  });

  test('compares rows of equal steps, and tells which rows and columns only one has', async () => {
    const cwd = await runs({
      'all.parquet': '--floor 0',
      'some.parquet': '--floor 0 --every 7 --columns step,loss',
    });
    const { code, stdout } = await eos(['diff', 'some.parquet', 'all.parquet', '--json'], { cwd });
    expect(code).toBe(1);
    const { parameters, columns, rows } = JSON.parse(stdout);
    expect(parameters).toContainEqual({ name: 'every', values: [7, 1] });
    expect(columns.only).toEqual([[], expect.arrayContaining(['alpha', 'phase'])]);
    expect(rows).toMatchObject({ counts: [rows.compared, 61], differing: 0, first: null });
    expect(rows.only).toEqual([0, 61 - rows.compared]);
  });
});

test('eos presets tells what each shows, and gives their parameters', async () => {
  const { code, stdout } = await eos(['presets']);
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  const names = [...PRESET_NAMES, ...Object.keys(networkPresets)];
  expect(lines.map((line) => line.split(' ')[0])).toEqual(names);
  for (const line of lines) expect(line.length).toBeGreaterThan(50);
  expect(JSON.parse((await eos(['presets', '--json'])).stdout)).toEqual(
    JSON.parse(JSON.stringify({ ...presets, ...networkPresets })),
  );
});

describe('eos schema', () => {
  const schemaOf = async (kind: string) =>
    new Ajv2020({ strict: true, allowUnionTypes: true }).compile(
      JSON.parse((await eos(['schema', kind])).stdout),
    );

  test('of config files holds of those that stream takes, and of no others', async () => {
    const isConfig = await schemaOf('config');
    const cwd = temporaryFolder();
    for (const [config, right] of [
      [{ eta: '1/20', init: '0.3,0.1,0.3', columns: 'step,loss', quiet: true }, true],
      [{ $schema: 'x', lr: 0.05, init: [0.3, 0.1, 0.3], columns: ['step'], samples: null }, true],
      [{ eta: 0 }, false],
      [{ eta: 'fast' }, false],
      [{ etta: 0.1 }, false],
      [{ steps: 1.5 }, false],
      [{ init: [1, 2] }, false],
      [{ preset: 'papr' }, false],
      [{ columns: [1] }, false],
      [{ quiet: 2 }, false],
    ] as const) {
      expect([config, isConfig(config)]).toEqual([config, right]);
      await writeFile(join(cwd, 'c.json'), JSON.stringify({ steps: 3, ...config }));
      const { code } = await eos(['stream', '--dry-run', '--config', 'c.json'], { cwd });
      expect([config, code]).toEqual([config, right ? 0 : 2]);
    }
  });

  test('of spec files holds of those that sweep takes, and of no others', async () => {
    const isSpec = await schemaOf('spec');
    const cwd = temporaryFolder();
    for (const [spec, right] of [
      [
        {
          eta: '0.01:0.5:log:6',
          lambda2: [0.01, '1/10'],
          samples: 50,
          seeds: '0..3',
          trajectories: 10,
        },
        true,
      ],
      [
        {
          preset: 'plain',
          init: [
            [0.3, 0.1, 0.3],
            [0.6, 0.01, 0.6],
          ],
          lr: 0.1,
        },
        true,
      ],
      [{ eta: {} }, false],
      [{ eta: [] }, false],
      [{ etta: 1 }, false],
      [{ preset: 'papr' }, false],
    ] as const) {
      expect([spec, isSpec(spec)]).toEqual([spec, right]);
      await writeFile(join(cwd, 's.json'), JSON.stringify({ steps: 3, ...spec }));
      const { code } = await eos(['sweep', '--dry-run', '--spec', 's.json'], { cwd });
      expect([spec, code]).toEqual([spec, right ? 0 : 2]);
    }
  });

  test('there is no other', async () => {
    expect(await eos(['schema', 'confg'])).toMatchObject({
      code: 2,
      stderr: "eos: there is no schema of 'confg'; did you mean config?; there are config, spec\n",
    });
  });
});

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type EosOptions, eos, temporaryFolder } from '../setup/eos.ts';
import { readBack } from '../sinks/read-back.ts';

/** The `eos.config` of the run that these arguments make. */
async function configOf(
  args: readonly string[],
  options: EosOptions & { cwd: string },
): Promise<Record<string, unknown>> {
  const { code, stderr } = await eos(
    ['stream', '--out', 'run.parquet', '--steps', '20', '--quiet', ...args],
    options,
  );
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse((await readBack(join(options.cwd, 'run.parquet'))).metadata['eos.config']!);
}

describe('where values come from', () => {
  test('flags win over the environment, that over the config file, that over presets', async () => {
    const cwd = temporaryFolder();
    await writeFile(
      join(cwd, 'c.json'),
      '{"preset": "figure3", "eta": 0.01, "lambda2": 0.02, "floor": 0.001}',
    );
    const config = await configOf(['--config', 'c.json', '--lambda2', '0.04'], {
      cwd,
      env: { EOS_LAMBDA2: '0.03', EOS_FLOOR: '0.002' },
    });
    expect(config).toMatchObject({
      preset: 'figure3',
      lambda2: 0.04,
      floor: 0.002,
      eta: 0.01,
      lambda1: 100,
    });
  });

  test('a preset on the command line wins over what the file says of its values', async () => {
    const cwd = temporaryFolder();
    await writeFile(join(cwd, 'c.json'), '{"eta": 0.01, "band": 0.2}');
    expect(await configOf(['--config', 'c.json', '--preset', 'plain'], { cwd })).toMatchObject({
      preset: 'plain',
      eta: 0.05,
      init: [0.6, 0.01, 0.6],
      band: 0.2,
    });
  });

  test('every flag of the run has its variable', async () => {
    const cwd = temporaryFolder();
    const env = {
      EOS_PRESET: 'three-phases',
      EOS_LAMBDA1: '90',
      EOS_LAMBDA2: '1/50',
      EOS_COVARIANCE: '-0.1',
      EOS_SAMPLES: '5000',
      EOS_SEED: '7',
      EOS_ETA: '1/30',
      EOS_INIT: '-0.3,0.1,-0.2',
      EOS_FLOOR: '1e-7',
      EOS_DELTA: '0.02',
      EOS_EPSILON: '1e-9',
      EOS_BAND: '0.1',
      EOS_EVERY: '3',
      EOS_COLUMNS: 'loss,step',
    };
    expect(await configOf([], { cwd, env })).toMatchObject({
      preset: 'three-phases',
      lambda1: 90,
      lambda2: 1 / 50,
      covariance: -0.1,
      samples: 5000,
      seed: 7,
      eta: 1 / 30,
      init: [-0.3, 0.1, -0.2],
      floor: 1e-7,
      delta: 0.02,
      epsilon: 1e-9,
      band: 0.1,
      every: 3,
      columns: ['step', 'loss'],
    });
  });

  test('files, format and manners can stand in the environment or in the file', async () => {
    const cwd = temporaryFolder();
    await writeFile(
      join(cwd, 'c.json'),
      '{"out": "a.parquet", "steps": 5, "log-format": "json", "pace": "1e6"}',
    );
    const env = {
      EOS_CONFIG: 'c.json',
      EOS_ARROW: 'a.arrow',
      EOS_PARQUET_WRITER: 'parquetjs-lite',
    };
    const { code, stdout } = await eos(['stream'], { cwd, env });
    expect(code).toBe(0);
    expect(stdout.split('\n').length).toBeGreaterThan(2);
    expect((await readBack(join(cwd, 'a.parquet'))).rows).toBe(6);
    expect((await readBack(join(cwd, 'a.arrow'))).rows).toBe(6);

    const dry = await eos(['stream', '--steps', '5'], {
      cwd: temporaryFolder(),
      env: { EOS_DRY_RUN: 'true', EOS_QUIET: '1' },
    });
    expect(dry).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('a null counts as not given', async () => {
    const cwd = temporaryFolder();
    await writeFile(join(cwd, 'c.json'), '{"eta": null, "columns": null, "band": 0.3}');
    expect(await configOf(['--config', 'c.json'], { cwd })).toMatchObject({
      eta: 0.05,
      columns: null,
      band: 0.3,
    });
  });
});

describe('the file of an old run as config', () => {
  test.each(['old.parquet', 'old.arrow'])('%s repeats it byte by byte', async (old) => {
    const cwd = temporaryFolder();
    const options =
      '--samples 1000 --seed 5 --eta 1/30 --init 0.2,0.1,0.4 --steps 500 --every 2 --columns step,loss';
    const files = ['--out', 'old.parquet', '--arrow', 'old.arrow', '--quiet'];
    expect((await eos(['stream', ...files, ...options.split(' ')], { cwd })).code).toBe(0);
    const again = await eos(
      ['stream', '--config', old, '--out', 'new.parquet', '--arrow', 'new.arrow'],
      { cwd },
    );
    expect(again.code).toBe(0);
    for (const kind of ['parquet', 'arrow']) {
      const [before, after] = await Promise.all(
        ['old', 'new'].map((name) => readFile(join(cwd, `${name}.${kind}`))),
      );
      expect(after!.equals(before!), kind).toBe(true);
    }
  });

  test('its values can be changed one by one', async () => {
    const cwd = temporaryFolder();
    await configOf(['--preset', 'plain', '--band', '0.2'], { cwd });
    const { code } = await eos(
      ['stream', '--config', 'run.parquet', '--eta', '0.01', '--out', 'other.parquet', '--quiet'],
      { cwd },
    );
    expect(code).toBe(0);
    const config = JSON.parse((await readBack(join(cwd, 'other.parquet'))).metadata['eos.config']!);
    expect(config).toMatchObject({ preset: 'plain', eta: 0.01, band: 0.2, floor: 0, steps: 20 });
  });

  test('a table that is no run is refused', async () => {
    const cwd = temporaryFolder();
    await eos(['stream', '--out', 'run.parquet', '--steps', '5', '--quiet'], { cwd });
    const bytes = await readFile(join(cwd, 'run.parquet'));
    // The same length, so that the footer stays whole.
    await writeFile(
      join(cwd, 'no-run.parquet'),
      bytes.toString('latin1').replaceAll('eos.config', 'not.config'),
      'latin1',
    );
    const { code, stderr } = await eos(['stream', '--config', 'no-run.parquet', '--dry-run'], {
      cwd,
    });
    expect(stderr).toBe(
      'eos: --config: no-run.parquet holds no eos.config; it is not the file of a run\n',
    );
    expect(code).toBe(2);
  });
});

import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chosenDynamics, planDynamicsFiles } from '../../src/cli/dynamics-files.ts';
import { hyparquetFormat } from '../../src/pipeline/formats/parquet/hyparquet.ts';
import type { RunConfig } from '../../src/pipeline/models/minimal/config.ts';
import { findTraining } from '../../src/pipeline/sources/trainings/index.ts';
import { eos, startEos, temporaryFolder } from '../setup/eos.ts';
import { removeFolder } from '../setup/remove-folder.ts';
import { readBack } from '../sinks/read-back.ts';

const BOTH = ['--out', 'run.parquet', '--arrow', 'run.arrow'];

/** A run that nobody stopped. */
async function wholeRun(args: readonly string[]): Promise<{ parquet: Buffer; arrow: Buffer }> {
  const cwd = temporaryFolder();
  const { code, stderr } = await eos(['stream', ...BOTH, ...args, '--quiet'], { cwd });
  expect([code, stderr]).toEqual([0, '']);
  return {
    parquet: readFileSync(join(cwd, 'run.parquet')),
    arrow: readFileSync(join(cwd, 'run.arrow')),
  };
}

async function interrupted(cwd: string, args: readonly string[]): Promise<void> {
  const run = startEos(
    ['stream', ...BOTH, ...args, '--flush-every', '0.05', '--log-format', 'json'],
    { cwd },
  );
  await run.says('"flush"');
  run.child.kill('SIGINT');
  expect((await run.done).code).toBe(130);
}

/** Leaves what Ctrl-C leaves where it falls into the writing of dynamics. */
async function cutShort(cwd: string): Promise<void> {
  const out = join(cwd, 'run.parquet');
  const { metadata } = await readBack(out);
  const config = JSON.parse(metadata['eos.config']!) as RunConfig;
  const [chosen, format] = [chosenDynamics(['central']), hyparquetFormat()];
  const runs = await findTraining(config).open();
  const files = await planDynamicsFiles(chosen, runs, config, out, format, { force: false });
  for (const { write } of files) await write(AbortSignal.abort());
  expect(readdirSync(cwd)).toContain('run.central.parquet');
}

/** Leaves dynamics of fewer steps, as an earlier run of this name may have. */
async function otherDynamics(cwd: string): Promise<void> {
  const args = ['--out', 'other/run.parquet', '--steps', '200', '--also', 'central', '--quiet'];
  mkdirSync(join(cwd, 'other'));
  expect((await eos(['stream', ...args], { cwd })).code).toBe(0);
  renameSync(join(cwd, 'other/run.central.parquet'), join(cwd, 'run.central.parquet'));
  removeFolder(join(cwd, 'other'));
}

describe('eos stream --resume', () => {
  test.each([
    ['a plain run', ['--steps', '150000', '--preset', 'paper']],
    [
      'a thinned run, whose last row was kept only because it was stopped',
      ['--steps', '200000', '--every', '37'],
    ],
    [
      'a run of a few columns',
      ['--steps', '150000', '--columns', 'step,loss,phase', '--preset', 'figure3'],
    ],
    [
      'plain gradient descent, below the reach of float64',
      ['--preset', 'plain', '--steps', '5500'],
    ],
    [
      'arithmetic of as many bits as it takes',
      ['--precision', 'auto', '--preset', 'three-phases', '--eta', '1/7', '--steps', '4000'],
    ],
    ['a sampled covariance', ['--samples', '500', '--seed', '7', '--steps', '100000']],
  ])('%s: byte for byte the run that was never stopped', async (_, args) => {
    const whole = await wholeRun(args);
    const cwd = temporaryFolder();
    const slow = args.includes('plain') || args.includes('--precision');
    const paced = slow ? '3000' : '20000';
    await interrupted(cwd, [...args, '--pace', paced]);
    const { code, stderr } = await eos(
      ['stream', '--resume', 'run.parquet', '--arrow', 'run.arrow', '--quiet'],
      {
        cwd,
      },
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(readFileSync(join(cwd, 'run.parquet')).equals(whole.parquet)).toBe(true);
    expect(readFileSync(join(cwd, 'run.arrow')).equals(whole.arrow)).toBe(true);
    expect(readdirSync(cwd).sort()).toEqual(['run.arrow', 'run.parquet']);
  });

  test('dynamics that were to be written beside the run are, once it is whole', async () => {
    const args = ['--preset', 'three-phases', '--steps', '60000', '--also', 'central,constrained'];
    const whole = temporaryFolder();
    expect(await eos(['stream', ...BOTH, ...args, '--quiet'], { cwd: whole })).toMatchObject({
      code: 0,
      stderr: '',
    });
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const cwd = temporaryFolder();
      const run = startEos(
        [
          'stream',
          ...BOTH,
          ...args,
          '--pace',
          '4000',
          '--flush-every',
          '0.05',
          '--log-format',
          'json',
        ],
        { cwd },
      );
      await run.says('"flush","file":"run.parquet"');
      await run.says('"flush","file":"run.arrow"');
      run.child.kill(signal);
      await run.done;
      const { code, stderr } = await eos(
        ['stream', '--resume', 'run.parquet', '--arrow', 'run.arrow', '--quiet'],
        { cwd },
      );
      expect([signal, code, stderr]).toEqual([signal, 0, '']);
      const names = readdirSync(whole).sort();
      expect(readdirSync(cwd).sort()).toEqual(names);
      for (const name of names)
        expect([
          name,
          readFileSync(join(cwd, name)).equals(readFileSync(join(whole, name))),
        ]).toEqual([name, true]);
    }
  });

  test('Ctrl-C and a kill while dynamics are written: the command goes on with them', async () => {
    const args = ['--preset', 'three-phases', '--steps', '600000', '--every', '10'];
    const also = ['--also', 'gradient-flow,central,constrained'];
    const whole = temporaryFolder();
    expect((await eos(['stream', ...BOTH, ...args, ...also], { cwd: whole })).code).toBe(0);
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const cwd = temporaryFolder();
      const run = startEos(['stream', ...BOTH, ...args, ...also], { cwd });
      await run.says('wrote run.parquet');
      run.child.kill(signal);
      const { code } = await run.done;
      // Where the signal comes too late, all is there.
      const resumed = await eos(['stream', '--resume', 'run.parquet', '--quiet'], { cwd });
      expect(resumed).toMatchObject(code === 0 ? { code: 2 } : { code: 0, stderr: '' });
      const names = readdirSync(whole).sort();
      expect(readdirSync(cwd).sort()).toEqual(names);
      for (const name of names)
        expect([
          name,
          readFileSync(join(cwd, name)).equals(readFileSync(join(whole, name))),
        ]).toEqual([name, true]);
    }
  });

  test.each([
    ['none of them was begun', async () => {}],
    ['the first was cut short', cutShort],
    ['one is of another run', otherDynamics],
  ])('a run that is whole, and the dynamics beside it not: %s', async (_, leave) => {
    const args = [...BOTH, '--steps', '3000', '--also', 'central,constrained', '--quiet'];
    const whole = temporaryFolder();
    expect((await eos(['stream', ...args], { cwd: whole })).code).toBe(0);
    const names = readdirSync(whole).sort();
    const cwd = temporaryFolder();
    for (const name of ['run.parquet', 'run.arrow'])
      copyFileSync(join(whole, name), join(cwd, name));
    await leave(cwd);
    const resume = () => eos(['stream', '--resume', 'run.parquet', '--quiet'], { cwd });
    expect(await resume()).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(cwd).sort()).toEqual(names);
    for (const name of names)
      expect([name, readFileSync(join(cwd, name)).equals(readFileSync(join(whole, name)))]).toEqual(
        [name, true],
      );
    expect((await resume()).stderr).toContain('the run in run.parquet is whole');
  });

  test('stopped again and again, recovered in between, and to a later step', async () => {
    const whole = await wholeRun(['--preset', 'three-phases', '--steps', '90000']);
    const cwd = temporaryFolder();
    await interrupted(cwd, ['--preset', 'three-phases', '--steps', '60000', '--pace', '6000']);
    const again = startEos(
      [
        'stream',
        '--resume',
        'run.parquet',
        '--pace',
        '6000',
        '--flush-every',
        '0.05',
        '--log-format',
        'json',
      ],
      { cwd },
    );
    await again.says('"flush"');
    again.child.kill('SIGKILL');
    await again.done;
    expect((await eos(['recover', 'run.parquet.partial', '--force'], { cwd })).code).toBe(0);
    const { code, stderr } = await eos(
      ['stream', '--resume', 'run.parquet', '--steps', '90000', '--quiet'],
      { cwd },
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(readFileSync(join(cwd, 'run.parquet')).equals(whole.parquet)).toBe(true);
  });

  test('one file was whole when the program died: the other goes on', async () => {
    const args = ['--preset', 'three-phases', '--steps', '60000'];
    const whole = await wholeRun(args);
    const cwd = temporaryFolder();
    const run = startEos(
      [
        'stream',
        ...BOTH,
        ...args,
        '--pace',
        '6000',
        '--flush-every',
        '0.05',
        '--log-format',
        'json',
      ],
      { cwd },
    );
    await run.says('"flush","file":"run.parquet"');
    await run.says('"flush","file":"run.arrow"');
    run.child.kill('SIGKILL');
    await run.done;
    expect((await eos(['stream', '--resume', 'run.parquet', '--quiet'], { cwd })).code).toBe(0);
    for (const rest of ['partial.journal', 'lock'])
      copyFileSync(join(cwd, `run.arrow.${rest}`), join(cwd, `run.parquet.${rest}`));
    const resumed = await eos(
      ['stream', '--resume', 'run.parquet', '--arrow', 'run.arrow', '--quiet'],
      { cwd },
    );
    expect([resumed.code, resumed.stderr]).toEqual([0, '']);
    expect(readFileSync(join(cwd, 'run.arrow')).equals(whole.arrow)).toBe(true);
    expect(readFileSync(join(cwd, 'run.parquet')).equals(whole.parquet)).toBe(true);
    expect(readdirSync(cwd).sort()).toEqual(['run.arrow', 'run.parquet']);
  });

  test('to a step that the run has passed: refused in a line, the file stays', async () => {
    const cwd = temporaryFolder();
    await interrupted(cwd, ['--steps', '5000000', '--every', '50']);
    const before = readFileSync(join(cwd, 'run.parquet'));
    const { code, stderr } = await eos(['stream', '--resume', 'run.parquet', '--steps', '100'], {
      cwd,
    });
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^eos: [^\n]*the run stands at step [\d,]+ already[^\n]*\n$/),
    ]);
    expect(readFileSync(join(cwd, 'run.parquet')).equals(before)).toBe(true);
    expect(readdirSync(cwd).sort()).toEqual(['run.arrow', 'run.parquet']);
  });

  test.each([
    [
      ['--resume', 'whole.parquet'],
      /--resume: the run in whole\.parquet is whole; to go on with it, give a later step with --steps/,
    ],
    [['--resume', 'nosuch.parquet'], /--resume: there is no nosuch\.parquet/],
    [['--resume', 'nosuch/run.parquet'], /--resume: there is no nosuch\/run\.parquet/],
    [['--resume', 'whole.parquet', '--eta', '0.1'], /--eta: --resume takes this from the file/],
    [
      ['--resume', 'whole.parquet', '--out', 'other.parquet'],
      /--out: --resume takes this from the file/,
    ],
    [
      ['--out', 'x.parquet', '--flush-every', 'often'],
      /--flush-every: 'often' is not a number; write it as/,
    ],
    [
      ['--out', 'x.parquet', '--flush-every', '-1'],
      /--flush-every: -1 is not a number from 0 to 1000000; give the seconds/,
    ],
  ])('%j is refused in one line', async (args, message) => {
    const cwd = temporaryFolder();
    copyFileSync(
      new URL('../../data/three-phases.parquet', import.meta.url),
      join(cwd, 'whole.parquet'),
    );
    const { code, stdout, stderr } = await eos(['stream', ...args], { cwd });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^eos: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect(readdirSync(cwd)).toEqual(['whole.parquet']);
  });
});

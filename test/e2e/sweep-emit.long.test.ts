import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type EosOptions, eos } from '../setup/eos.ts';
import { root } from '../setup/parts.ts';
import { newFolder } from './sweep-command.ts';

const run = promisify(execFile);
const GRID = ['--eta', '0.01,0.05,1/12', '--init', '0.3,0.1,0.3;0.6,0.01,0.6', '--steps', '300'];

async function emit(scheduler: string, args: readonly string[], options: EosOptions = {}) {
  const made = await eos(['sweep', ...args, '--emit', scheduler], options);
  expect([made.code, made.stderr]).toEqual([0, '']);
  return made.stdout;
}

/** What a shell's script carries out, a task after the other, is the whole sweep. */
async function expectWhole(out: string, grid: readonly string[] = GRID) {
  const { stdout, stderr } = await eos(['sweep', 'status', '--out', out]);
  expect(stdout + stderr).toMatch(/(\d+) of \1 runs, whole/);
  // The folder takes the same grid again only where the job file named all of it.
  const again = await eos(['sweep', ...grid, '--out', out]);
  expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('are there already')]);
}

test.each([
  ['hyperqueue', 'HQ_TASK_ID', []],
  ['hyperqueue', 'HQ_TASK_ID', ['--samples', '20', '--seeds', '3..4', '--optimizer', 'momentum']],
  ['slurm', 'SLURM_ARRAY_TASK_ID', ['--trajectories', 'every:100', '--precision', '128']],
])('the tasks of a %s script do the sweep: %s %j', async (scheduler, variable, more) => {
  const cwd = newFolder();
  mkdirSync(join(cwd, "it's here"));
  const grid = [...GRID, ...more];
  const out = "it's here/$HOME sweep";
  const text = await emit(scheduler, [...grid, '--out', out, '--tasks', '2', '--threads', '1'], {
    cwd,
  });
  expect(text).toMatch(/^#(SBATCH|HQ) --array=0-1$/m);
  writeFileSync(join(cwd, 'job.sh'), text);
  // Where there is no Slurm, srun runs what it is given.
  writeFileSync(join(cwd, 'srun'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
  for (const task of ['0', '1']) {
    const env = { ...process.env, PATH: `${cwd}:${process.env.PATH}`, [variable]: task };
    await run('bash', ['job.sh'], { cwd, env });
  }
  await expectWhole(join(cwd, out), grid);
});

test('job files of networks name the whole grid, and a dry run its size', async () => {
  const cwd = newFolder();
  const grid = '--model mlp --layers 1-6-1,1-8-1 --eta 0.1,0.3 --steps 100'.split(' ');
  const out = join(cwd, 'nets');
  for (const scheduler of ['slurm', 'kubernetes', 'hyperqueue']) {
    const place = scheduler === 'kubernetes' ? '/data/nets' : out;
    const text = await emit(scheduler, [...grid, '--out', place, '--tasks', '2']);
    expect(text).toContain('4 runs, 404 steps');
    expect(text).toMatch(/1-6-1.*1-8-1/);
  }
  const dry = await eos(['sweep', ...grid, '--out', out, '--dry-run']);
  expect(dry.stdout + dry.stderr).toContain('4 runs, 404 steps');
  writeFileSync(join(cwd, 'job.sh'), await emit('hyperqueue', [...grid, '--out', out]));
  await run('bash', ['job.sh'], { cwd, env: { ...process.env, HQ_TASK_ID: '0' } });
  await expectWhole(out, grid);
});

test('the pods of a Kubernetes job do the sweep', async () => {
  const cwd = newFolder();
  const out = join(cwd, 'Großes Bild');
  const text = await emit('kubernetes', [...GRID, '--out', out, '--tasks', '3']);
  const value = (key: string) =>
    JSON.parse(new RegExp(`^ *${key}: (.*)$`, 'm').exec(text)![1]!) as unknown;
  expect([value('completions'), value('parallelism'), value('name')]).toEqual([
    3,
    3,
    expect.stringMatching(/^eos(-[a-z0-9]+)+$/),
  ]);
  const [container] = value('containers') as readonly [
    { readonly command: readonly string[]; readonly volumeMounts: readonly object[] },
  ];
  expect(container.volumeMounts).toEqual([{ name: 'sweep', mountPath: cwd }]);
  const program = [process.execPath, join(root, 'bin/run.js')].map((word) => `'${word}'`).join(' ');
  writeFileSync(join(cwd, 'eos'), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
  const [shell, ...args] = container.command;
  for (const index of ['0', '1', '2']) {
    const env = { ...process.env, PATH: `${cwd}:${process.env.PATH}`, JOB_COMPLETION_INDEX: index };
    await run(shell!, args, { env });
  }
  await expectWhole(out);
});

test('memory and time grow with the work', async () => {
  const small = await emit('slurm', ['--eta', '0.01:0.1:log:4', '--out', '/tmp/none']);
  const large = await emit('slurm', [
    ...['--eta', '0.01:0.1:log:1000', '--lambda2', '0.001:1:log:1000', '--steps', '100000000'],
    ...['--out', '/tmp/none', '--threads', '16'],
  ]);
  const number = (text: string, pattern: RegExp) => Number(pattern.exec(text)![1]);
  const tasks = /^#SBATCH --array=0-(\d+)$/m;
  const memory = /^#SBATCH --mem=(\d+)M$/m;
  expect(number(small, tasks)).toBe(0);
  expect(number(large, tasks)).toBeGreaterThan(0);
  expect(number(large, memory)).toBeGreaterThan(number(small, memory));
  expect(small).toMatch(/^#SBATCH --time=00:0\d:00$/m);
  expect(large).not.toMatch(/^#SBATCH --time=00:0\d:00$/m);
});

test('Kubernetes is told of a folder as the pods see it', async () => {
  const made = await eos(['sweep', '--eta', '0.1', '--out', 'here', '--emit', 'kubernetes']);
  expect([made.code, made.stdout, made.stderr]).toEqual([
    2,
    '',
    'eos: --out: here must begin where the pods have the shared volume, such as /data/here\n',
  ]);
});

test.each([
  ['--tasks 3', '--tasks: only job files have tasks'],
  ['--emit slurm --tasks 4000', '--tasks: 4,000 tasks for 3 parts; give at most 3'],
  ['--emit slurm --shard 0/2', '--emit: the job file shares the work itself'],
  ['--emit pbs', "--emit: no scheduler is called 'pbs'; there are slurm, kubernetes, hyperqueue"],
])('eos sweep %s is refused', async (args, message) => {
  const { code, stdout, stderr } = await eos([
    'sweep',
    '--eta',
    '0.1,0.2,0.3',
    '--out',
    '/tmp/none',
    ...args.split(' '),
  ]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
});

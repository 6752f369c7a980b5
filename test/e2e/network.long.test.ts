import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eos, startEos, temporaryFolder } from '../setup/eos.ts';
import { type Row, summaryRows } from './sweep-command.ts';

const NETWORK = '--model mlp --layers 1-20-15-1 --data chebyshev:6:20 --eta 0.2 --steps 2000';
const COLUMNS =
  'step eta loss grad_norm sharpness sharpness_2 sharpness_3 sharpness_error threshold sharpness_ratio regime l1 l2 edge_work edge_directions phase cycle';

test('eos stream trains a network into a file, and explains its spikes', async () => {
  const file = join(temporaryFolder(), 'net.parquet');
  const run = await eos(['stream', ...NETWORK.split(' '), '--out', file, '--log-format', 'json']);
  expect(run.code, run.stderr).toBe(0);
  const events = run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  const spike = events.find(({ event }) => event === 'spike');
  expect(spike).toMatchObject({ cause: 'edge', directions: 1 });
  for (const field of ['step', 'rise', 'share', 'ratio', 'eta_that_holds'])
    expect(spike![field]).toBeTypeOf('number');
  const done = events.at(-1)!;
  expect(done).toMatchObject({ event: 'done', outcome: 'edge-of-stability' });
  const report = JSON.parse((await eos(['inspect', file, '--json'])).stdout);
  expect(report.rows).toBe(2001);
  expect(report.missing_columns).toEqual([]);
  expect(report.schema.map(({ name }: { name: string }) => name).join(' ')).toBe(COLUMNS);
  expect(report.schema.every(({ expected }: { expected: unknown }) => expected === null)).toBe(
    true,
  );
  expect(report.config).toMatchObject({ model: 'mlp', layers: '1-20-15-1', optimizer: 'gd' });
  const shown = (await eos(['inspect', file])).stdout;
  expect(shown).toMatch(/at \d+, × [\d.]+: \d+ % of the rise in one direction .* would have held/);
  expect(shown).toMatch(/η is \d+ % over what its spikes bear/);
  const verified = await eos(['verify', file]);
  expect(verified.code, verified.stdout).toBe(0);
  expect(verified.stdout).toMatch(/✓ made-again +holds/);
  // The very same run may be repeated without --force, from its own file.
  const again = await eos(['stream', '--config', file, '--out', file, '--quiet']);
  expect(again.code, again.stderr).toBe(0);
});

test('a network that is killed goes on to the very bytes, or is recovered', async () => {
  const [folder, again] = [temporaryFolder(), temporaryFolder()];
  const whole = join(folder, 'net.parquet');
  const other = join(again, 'net.parquet');
  const args = ['stream', ...NETWORK.split(' '), '--flush-every', '0'];
  const kept = (out: string) => [
    '--weights',
    join(out, 'weights.parquet'),
    '--weights-every',
    '70',
  ];
  expect((await eos([...args, '--out', whole, ...kept(folder)])).code).toBe(0);

  let step = -1;
  for (let kill = 0; kill < 3; kill++) {
    const begin = kill === 0 ? [...args, '--out', other, ...kept(again)] : args.slice(-2);
    const resume = kill === 0 ? begin : ['stream', '--resume', other, ...begin];
    const killed = startEos([...resume, '--log-format', 'json', '--pace', '900']);
    await killed.says('"event":"flush"');
    killed.child.kill('SIGKILL');
    const flushed = /"event":"flush".*"step":(\d+)/.exec((await killed.done).stdout);
    expect(Number(flushed![1])).toBeGreaterThan(step);
    step = Number(flushed![1]);
  }
  expect(step).toBeLessThan(2000);
  const copy = join(folder, 'recovered.parquet');
  const recovered = await eos(['recover', `${other}.partial`, '--out', copy]);
  expect(recovered.code, recovered.stderr).toBe(0);
  const report = JSON.parse((await eos(['inspect', copy, '--json'])).stdout);
  expect(report.summary).toMatchObject({ recovered: true, interrupted: true, rows: report.rows });

  const resumed = await eos(['stream', '--resume', other, '--quiet']);
  expect(resumed.code, resumed.stderr).toBe(0);
  for (const name of ['net.parquet', 'weights.parquet'])
    expect((await readFile(join(again, name))).equals(await readFile(join(folder, name)))).toBe(
      true,
    );
});

test('a sweep of networks that is stopped goes on, to the rows of one that was not', async () => {
  const folder = temporaryFolder();
  const [stopped, whole] = [join(folder, 'stopped'), join(folder, 'whole')];
  const grid = '--model mlp --layers 1-6-1,1-12-1 --eta 0.1,0.3 --optimizer gd,adam --seeds 0..5';
  const args = ['sweep', ...grid.split(' '), '--steps', '400', '--threads', '2'];
  const under = startEos([...args, '--out', stopped, '--log-format', 'json']);
  await under.says('"event":"start"');
  under.child.kill('SIGINT');
  // On a busy machine it may have come to its end by then.
  expect([0, 130]).toContain((await under.done).code);
  const again = await eos([...args, '--out', stopped]);
  expect(again.code, again.stderr).toBe(0);
  expect((await eos([...args, '--out', whole])).code).toBe(0);
  const [a, b] = await Promise.all([stopped, whole].map(summaryRows));
  expect(b).toHaveLength(48);
  const told = (rows: readonly Row[]) => rows.map(({ wall_seconds: _, ...row }) => row);
  expect(told(a!)).toEqual(told(b!));
  expect(b!.some(({ edge_spikes }) => Number(edge_spikes) > 0)).toBe(true);
});

test.each([
  ['--layers 1-5-2 --model mlp', '--layers: 1-5-2 does not fit the data'],
  ['--preset digits --data digits:9999', '--data: digits takes a number of images up to 1797'],
  ['--preset network --schedule soon', "--schedule: 'soon' is neither"],
  [
    '--model mlp --samples 50',
    '--samples: --model mlp has no such parameter; it goes with --model',
  ],
  ['--layers 1-5-1', '--layers: --model minimal has no such parameter; it goes with --model mlp'],
])('%s is refused', async (flags, message) => {
  const { code, stderr } = await eos(['stream', ...flags.split(' '), '--dry-run']);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

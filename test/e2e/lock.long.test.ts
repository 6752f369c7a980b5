import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eos, startEos, temporaryFolder } from '../setup/eos.ts';

const ENDLESS = ['--steps', '100000000', '--pace', '2000'];

test('a second process on the same output is refused with the number of the first', async () => {
  const cwd = temporaryFolder();
  const first = startEos(['stream', '--out', 'run.parquet', '--arrow', 'run.arrow', ...ENDLESS], {
    cwd,
  });
  await first.says('progressive sharpening');
  const refused = `is being written by process ${first.child.pid}`;
  for (const args of [
    ['stream', '--out', 'run.parquet', '--steps', '10'],
    ['stream', '--out', 'other.parquet', '--arrow', 'run.arrow', '--steps', '10'],
    ['stream', '--out', 'run.parquet', '--steps', '10', '--force'],
    ['stream', '--resume', 'run.parquet'],
    ['recover', 'run.parquet.partial'],
    ['recover', 'run.arrow.partial', '--out', 'other.arrow'],
  ]) {
    const { code, stdout, stderr } = await eos(args, { cwd });
    expect([args.join(' '), code, stdout]).toEqual([args.join(' '), 2, '']);
    expect(stderr).toMatch(/^eos: [^\n]+\n$/);
    expect(stderr).toContain(refused);
  }
  first.child.kill('SIGINT');
  expect((await first.done).code).toBe(130);
  expect(readdirSync(cwd).sort()).toEqual(['run.arrow', 'run.parquet']);
});

test('the lock of a process that was killed is taken over', async () => {
  const cwd = temporaryFolder();
  const first = startEos(['stream', '--out', 'run.parquet', ...ENDLESS], { cwd });
  await first.says('progressive sharpening');
  first.child.kill('SIGKILL');
  await first.done;
  expect(existsSync(join(cwd, 'run.parquet.lock'))).toBe(true);
  const { code, stderr } = await eos(
    ['stream', '--out', 'run.parquet', '--steps', '10', '--quiet', '--force'],
    {
      cwd,
    },
  );
  expect([code, stderr]).toEqual([0, '']);
  expect(readdirSync(cwd)).toEqual(['run.parquet']);
});

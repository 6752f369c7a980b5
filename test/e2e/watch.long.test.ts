import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eos, startEos, temporaryFolder } from '../setup/eos.ts';

/** A script that writes a log of so many rows at once, and then does something. */
function script(log: string, rows: number, then: string): string[] {
  const row = String.raw`{"step": %d, "loss": 1.5, "lr": 0.1, "sharpness": 3}\n`;
  return [
    'sh',
    '-c',
    `i=0; while [ $i -lt ${rows} ]; do printf '${row}' $i; i=$((i+1)); done > ${log}; ${then}`,
  ];
}

const TELL = 'echo "$PWD/own.ndjson" > "$EOS_WATCH_NOTE"';

test('follows the log that the script says it writes, to its last row', async () => {
  const cwd = temporaryFolder();
  const { code, stderr } = await eos(
    ['watch', '--no-dash', '--', ...script('own.ndjson', 3000, TELL)],
    { cwd },
  );
  expect(stderr).toContain('3,000 rows');
  expect(stderr).toContain('wrote own.parquet');
  expect(code).toBe(0);
  expect(existsSync(join(cwd, 'own.parquet'))).toBe(true);
});

test('the exit code is that of the script, and its log is whole all the same', async () => {
  const cwd = temporaryFolder();
  const { code, stderr } = await eos(
    ['watch', '--no-dash', '--log', 'train.ndjson', '--', ...script('train.ndjson', 100, 'exit 7')],
    { cwd },
  );
  expect(stderr).toContain('100 rows');
  expect(code).toBe(7);
});

test('the script is told to print without a buffer', async () => {
  const cwd = temporaryFolder();
  const { stdout } = await eos(
    [
      'watch',
      '--no-dash',
      '-q',
      '--',
      ...script('own.ndjson', 3, `${TELL}; echo "$PYTHONUNBUFFERED"`),
    ],
    { cwd },
  );
  expect(stdout).toBe('1\n');
});

test('what cannot be started or leaves no log is told in one line', async () => {
  const cwd = temporaryFolder();
  const watch = async (...args: string[]) => {
    const { code, stderr } = await eos(['watch', '--no-dash', ...args], { cwd });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    return [code, stderr] as const;
  };
  expect(await watch()).toEqual([2, expect.stringContaining('name the script behind --')]);
  expect(await watch('--', 'no-such-program')).toEqual([
    2,
    expect.stringContaining('no-such-program: there is no such program'),
  ]);
  expect(await watch('--', 'true')).toEqual([2, expect.stringContaining('ended without a log')]);
});

test('a signal ends the script too, and the file is whole', async () => {
  const cwd = temporaryFolder();
  const { child, says, done } = startEos(
    [
      'watch',
      '--',
      ...script('own.ndjson', 50, `${TELL}; echo $$ > pid; echo there; exec sleep 100`),
    ],
    { cwd },
  );
  await says('dashboard: http');
  await says('start');
  const pid = Number(readFileSync(join(cwd, 'pid'), 'utf8'));
  child.kill('SIGTERM');
  expect((await done).code).toBe(143);
  expect(existsSync(join(cwd, 'own.parquet'))).toBe(true);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

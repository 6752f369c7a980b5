import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { launch, openPage, shownRange } from '../dash/browser.ts';
import { cleanEnvironment, eos, LIFETIME, startEos, temporaryFolder, watch } from '../setup/eos.ts';
import { describeWith, root } from '../setup/parts.ts';

/** Lines of sh that write the rows of some steps. */
function writing(log: string, from: number, to: number): string {
  const row = String.raw`{"step": %d, "loss": 1.5, "lr": 0.1, "sharpness": 3}\n`;
  return `i=${from}; while [ $i -lt ${to} ]; do printf '${row}' $i; i=$((i+1)); done >> ${log}`;
}

/** A script that writes a log of so many rows at once, and then does something. */
function script(log: string, rows: number, then: string): string[] {
  return ['sh', '-c', `${writing(log, 0, rows)}; ${then}`];
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

test('a signal that comes before there is a log ends the script too', async () => {
  const cwd = temporaryFolder();
  const { child, says, done } = startEos(
    ['watch', '--no-dash', '--', 'sh', '-c', 'echo $$ > pid; echo there; exec sleep 100'],
    { cwd },
  );
  await says('there');
  const pid = Number(readFileSync(join(cwd, 'pid'), 'utf8'));
  child.kill('SIGINT');
  expect((await done).code).toBe(130);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

describeWith(['chromium'], 'eos watch in the browser', () => {
  test('shows the rows while the script runs; Ctrl-C ends both, the file whole', async () => {
    const cwd = temporaryFolder();
    const rows = (from: number, to: number) => writing('own.ndjson', from, to);
    const training = [
      'echo $$ > pid',
      rows(0, 100),
      TELL,
      'while [ ! -e go ]; do sleep 0.05; done',
      rows(100, 200),
      'exec sleep 100',
    ].join('; ');
    const args = [join(root, 'bin/run.js'), 'watch', '--', 'sh', '-c', training];
    // A process group of its own, all of which Ctrl-C goes to.
    const child = spawn(process.execPath, args, {
      cwd,
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      timeout: LIFETIME,
    });
    const { says, done } = watch(child);
    let url = '';
    child.stderr.on('data', (text: string) => {
      url ||= /dashboard: (\S+)/.exec(text)?.[1] ?? '';
    });
    await says('start');
    const browser = await launch();
    try {
      const { page, problems } = await openPage(browser, url);
      const last = async () => (await shownRange(page))[1];
      await expect.poll(last).toBe(99);
      writeFileSync(join(cwd, 'go'), '');
      await expect.poll(last).toBe(199);
      expect(problems).toEqual([]);
      await page.close();
    } finally {
      await browser.close();
    }
    const pid = Number(readFileSync(join(cwd, 'pid'), 'utf8'));
    process.kill(-child.pid!, 'SIGINT');
    const { code, stderr } = await done;
    expect([code, stderr]).toEqual([130, expect.stringContaining('wrote own.parquet: 200 rows')]);
    expect(existsSync(join(cwd, 'own.parquet'))).toBe(true);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

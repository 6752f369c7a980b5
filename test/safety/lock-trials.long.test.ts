import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cleanEnvironment, eos, startEos, temporaryFolder, watch } from '../setup/eos.ts';
import { describeWith, root } from '../setup/parts.ts';

const ENDLESS = ['stream', '--steps', '100000000', '--pace', '2000', '--flush-every', '0.2'];
const COMMAND = [process.execPath, join(root, 'bin/run.js')];

interface Flushed {
  readonly rows: number;
}

/**
 * A writer in its own surroundings, once it has flushed rows: `wrapper` is the command line before
 * that of eos.
 */
async function writer(cwd: string, wrapper: readonly string[] = [], env = {}) {
  const [program, ...args] = [
    ...wrapper,
    ...COMMAND,
    ...ENDLESS,
    ...['--out', 'run.parquet', '--log-format', 'json'],
  ];
  const child = spawn(program!, args, {
    cwd,
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const running = watch(child);
  onTestFinished(() => endAll(child));
  await running.says('"flush"');
  return { child, ...running };
}

/** Ends a writer for certain; the child may be `unshare`, whose own child goes with it. */
function endAll({ pid }: ChildProcess): void {
  for (const each of [...childrenOf(pid!), pid!]) {
    try {
      process.kill(each, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

const rowsFlushed = (stdout: string): number =>
  Math.max(
    ...stdout
      .split('\n')
      .filter((line) => line.includes('"flush"'))
      .map((line) => (JSON.parse(line) as Flushed).rows),
  );

/**
 * Every way to write the file is refused to everybody else, and the first writer goes on to a sound
 * file.
 */
async function expectHeld(
  cwd: string,
  first: Awaited<ReturnType<typeof writer>>,
  run: (args: readonly string[]) => ReturnType<typeof eos> = (args) => eos(args, { cwd }),
): Promise<void> {
  const before = readFileSync(join(cwd, 'run.parquet.lock'), 'utf8');
  for (const args of [
    ['stream', '--out', 'run.parquet', '--steps', '10'],
    ['stream', '--out', 'run.parquet', '--steps', '10', '--force'],
    ['stream', '--resume', 'run.parquet'],
    ['recover', 'run.parquet.partial'],
  ]) {
    const { code, stdout, stderr } = await run(args);
    expect([args.join(' '), code, stdout, stderr]).toEqual([
      args.join(' '),
      2,
      '',
      expect.stringMatching(/^eos: run\.parquet (is|may be) being written by [^\n]+\n$/),
    ]);
  }
  expect(readFileSync(join(cwd, 'run.parquet.lock'), 'utf8')).toBe(before);
  const inner = childrenOf(first.child.pid!)[0] ?? first.child.pid!;
  process.kill(inner, 'SIGINT');
  const { stdout } = await first.done;
  const { code, stdout: report } = await eos(['inspect', 'run.parquet', '--json'], { cwd });
  expect(code).toBe(0);
  expect((JSON.parse(report) as Flushed).rows).toBeGreaterThanOrEqual(rowsFlushed(stdout));
  expect(readdirSync(cwd)).toEqual(['run.parquet']);
}

describeWith(['namespaces'], 'a live writer is never taken for dead', () => {
  test('from another pid namespace, in either direction', async () => {
    const unshare = ['unshare', '--pid', '--fork', '--mount-proc'];
    const inside = temporaryFolder();
    await expectHeld(inside, await writer(inside, unshare));
    const outside = temporaryFolder();
    await expectHeld(outside, await writer(outside), (args) => within(outside, unshare, args));
  });

  test('from another machine of the same host name', async () => {
    const cwd = temporaryFolder();
    const first = await writer(cwd);
    writeFileSync(join(cwd, 'id'), `${randomUUID()}\n`);
    const other = inShell(
      'mount --bind id /proc/sys/kernel/random/boot_id && { [ ! -e /etc/machine-id ] || mount --bind id /etc/machine-id; }',
    );
    const run = (args: readonly string[]) => within(cwd, ['unshare', '--mount', ...other], args);
    const { stderr } = await run(['stream', '--resume', 'run.parquet']);
    expect(stderr).toContain('another machine of this name');
    expect(stderr).toContain('if that is no more, remove run.parquet.lock');
    rmSync(join(cwd, 'id'));
    writeFileSync(join(cwd, 'id'), `${randomUUID()}\n`);
    await expectHeld(cwd, first, async (args) => {
      writeFileSync(join(cwd, 'id'), `${randomUUID()}\n`);
      const outcome = await run(args);
      rmSync(join(cwd, 'id'));
      return outcome;
    });
  });

  test('under hidepid, which shows no process of others', async () => {
    const cwd = temporaryFolder();
    chmodSync(cwd, 0o777);
    const first = await writer(cwd);
    const hidden = inShell('mount -t proc -o hidepid=2 proc /proc');
    await expectHeld(cwd, first, (args) =>
      within(cwd, ['unshare', '--mount', ...hidden, ...AS_NOBODY], args),
    );
  });

  test('by another user, be the lock readable or not', async () => {
    const cwd = temporaryFolder();
    chmodSync(cwd, 0o777);
    await expectHeld(cwd, await writer(cwd), (args) => within(cwd, AS_NOBODY, args));
    rmSync(join(cwd, 'run.parquet'));
    const closed = await writer(cwd, inShell('umask 077'));
    await expectHeld(cwd, closed, (args) => within(cwd, AS_NOBODY, args));
  });
});

/** A user who may do nothing that others may not. */
const AS_NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

/** A command line that does something and then goes on as what follows. */
const inShell = (script: string) => ['sh', '-c', `${script} && exec "$@"`, 'sh'];

function within(cwd: string, wrapper: readonly string[], args: readonly string[]) {
  const [program, ...rest] = [...wrapper, ...COMMAND, ...args];
  const env = cleanEnvironment();
  return watch(spawn(program!, rest, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })).done;
}

test('a writer that is stopped lives', async () => {
  const cwd = temporaryFolder();
  const first = await writer(cwd);
  first.child.kill('SIGSTOP');
  const { code, stderr } = await eos(['stream', '--resume', 'run.parquet'], { cwd });
  expect([code, stderr]).toEqual([2, expect.stringContaining(`by process ${first.child.pid}`)]);
  first.child.kill('SIGCONT');
  await expectHeld(cwd, first);
});

describeWith(['namespaces'], 'a dead writer', () => {
  test('of another pid namespace is known by the kernel, and its file is continued', async () => {
    const cwd = temporaryFolder();
    const first = await writer(cwd, ['unshare', '--pid', '--fork', '--mount-proc']);
    endAll(first.child);
    const { stdout } = await first.done;
    expect(existsSync(join(cwd, 'run.parquet.lock'))).toBe(true);
    const { code, stderr } = await eos(['recover', 'run.parquet.partial'], { cwd });
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    const report = await eos(['inspect', 'run.parquet', '--json'], { cwd });
    expect((JSON.parse(report.stdout) as Flushed).rows).toBeGreaterThanOrEqual(rowsFlushed(stdout));
    expect(readdirSync(cwd)).toEqual(['run.parquet']);
  });
});

test('a writer whose lock was taken away stops, and leaves the file of the other', async () => {
  const cwd = temporaryFolder();
  const first = await writer(cwd);
  first.child.kill('SIGSTOP');
  rmSync(join(cwd, 'run.parquet.lock'));
  const second = startEos(
    ['stream', '--out', 'run.parquet', '--steps', '3000', '--pace', '2000', '--force', '--quiet'],
    { cwd },
  );
  await expect.poll(() => existsSync(join(cwd, 'run.parquet.lock'))).toBe(true);
  first.child.kill('SIGCONT');
  const { code, stderr } = await first.done;
  expect([code, stderr.split('\n').filter((line) => line.startsWith('eos: '))]).toEqual([
    2,
    [expect.stringMatching(/run\.parquet\.lock has been taken away/)],
  ]);
  expect((await second.done).code).toBe(0);
  expect(readdirSync(cwd)).toEqual(['run.parquet']);
  execFileSync(process.execPath, [...COMMAND.slice(1), 'verify', 'run.parquet'], {
    cwd,
    env: cleanEnvironment(),
  });
  const { stdout } = await eos(['inspect', 'run.parquet', '--json'], { cwd });
  expect((JSON.parse(stdout) as Flushed).rows).toBe(3001);
});

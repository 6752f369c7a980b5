import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cleanEnvironment, eos, startEos, temporaryFolder, watch } from '../setup/eos.ts';
import { root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';
import { duckdb, readBack } from '../sinks/read-back.ts';

/** More steps than 31 bits count: nobody waits for the end of these runs. */
const ENDLESS = ['--steps', '3000000000'];

describe('a signal in the middle of a run', () => {
  test.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    '%s: files closed and valid with all rows so far, exit code %i',
    async (signal, exit) => {
      const cwd = temporaryFolder();
      const run = startEos(['stream', '--out', 'run.parquet', '--arrow', 'run.arrow', ...ENDLESS], {
        cwd,
      });
      await run.says('convergence');
      run.child.kill(signal);
      const { code, stderr } = await run.done;
      expect(code).toBe(exit);
      expect(stderr).toContain('interrupted: closing the files (once more to end at once)');
      expect(stderr).toMatch(/done {4}converged so far \(interrupted\)/);
      expect((await readdir(cwd)).sort()).toEqual(['run.arrow', 'run.parquet']);

      const parquet = await readBack(join(cwd, 'run.parquet'));
      const summary = JSON.parse(parquet.metadata['eos.summary']!);
      expect(summary).toMatchObject({
        interrupted: true,
        outcome: 'converged',
        first_crossing: 2015,
      });
      expect(summary.warnings.map(({ kind }: { kind: string }) => kind)).toContain('interrupted');
      expect(summary.last_step).toBe(parquet.rows - 1);
      expect(JSON.parse(parquet.metadata['eos.config']!).steps).toBe(3_000_000_000);
      const [rows] = await duckdb(
        `SELECT count(*) AS n, min(step) AS low, max(step) AS high, count(DISTINCT step) AS distinct_steps
       FROM read_parquet('${join(cwd, 'run.parquet')}')`,
      );
      const n = BigInt(parquet.rows);
      expect(rows).toEqual({ n, low: 0n, high: n - 1n, distinct_steps: n });
      const arrow = await readBack(join(cwd, 'run.arrow'));
      expect(arrow.rows).toBe(parquet.rows);
      // What columns mean stands in the fields of an Arrow file.
      const { 'eos.columns': columns, 'eos.crc32': _, ...metadata } = parquet.metadata;
      expect(columns).toContain('second-layer weight');
      expect(arrow.metadata).toMatchObject(metadata);
    },
  );

  test('a paced run stops at once, and its file is not taken for a whole run', async () => {
    const cwd = temporaryFolder();
    const args = ['stream', '--out', 'run.parquet', '--pace', '500', ...ENDLESS];
    const run = startEos(args, { cwd });
    await run.says('progressive sharpening');
    run.child.kill('SIGINT');
    expect((await run.done).code).toBe(130);
    const { rows, metadata } = await readBack(join(cwd, 'run.parquet'));
    expect(rows).toBeGreaterThan(0);
    expect(JSON.parse(metadata['eos.summary']!).last_step).toBe(rows - 1);

    const again = await eos(args, { cwd });
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(
      /^eos: --out: run\.parquet exists and is not this very run; .*--force.*\n$/,
    );
  });

  test('with --log-format json the last event says so', async () => {
    const run = startEos([
      'stream',
      '--dry-run',
      '--log-format',
      'json',
      '--pace',
      '500',
      ...ENDLESS,
    ]);
    await run.says('progressive-sharpening');
    run.child.kill('SIGINT');
    const { code, stdout, stderr } = await run.done;
    expect([code, stderr]).toEqual([130, '']);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.at(-1)).toMatchObject({ event: 'done', interrupted: true });
    expect(events.at(-2)).toMatchObject({ event: 'warning', kind: 'interrupted' });
  });

  test('a second one ends at once, whatever is left to be written', async () => {
    const cwd = temporaryFolder();
    const run = startEos(['stream', '--out', 'run.parquet', '--pace', '500', ...ENDLESS], { cwd });
    await run.says('progressive sharpening');
    // Both arrive before the files can be closed, in whichever order.
    for (const signal of ['SIGSTOP', 'SIGINT', 'SIGTERM', 'SIGCONT'] as const)
      run.child.kill(signal);
    const { code, stderr } = await run.done;
    expect([130, 143]).toContain(code);
    expect(stderr).not.toContain('done');
    expect(await readdir(cwd)).not.toContain('run.parquet');
  });
});

describe('an output that goes away', () => {
  test('a reader of the log that leaves ends no run that also writes a file', async () => {
    const cwd = temporaryFolder();
    const args = ['--out', 'run.parquet', '--pace', '8000', '--log-format', 'json'];
    const run = startEos(['stream', ...args], { cwd });
    await run.says('edge-of-stability');
    run.child.stdout!.destroy();
    expect(await run.done).toMatchObject({ code: 0, stderr: '' });
    expect((await readBack(join(cwd, 'run.parquet'))).rows).toBe(10_001);
  });

  test.each([
    ['stdout', ['--log-format', 'json'], 'edge-of-stability'],
    ['stderr', [], 'edge of stability'],
  ] as const)(
    'a reader of %s that leaves ends a run of which nothing else is left',
    async (stream, format, text) => {
      const run = startEos(['stream', '--dry-run', '--pace', '5000', ...format, ...ENDLESS]);
      await run.says(text);
      run.child[stream]!.destroy();
      expect((await run.done).code).toBe(0);
    },
  );

  test('so does the reader of the rows themselves', async () => {
    const run = startEos(['stream', '--out', '-', '--quiet', ...ENDLESS]);
    await new Promise((resolve) => run.child.stdout!.once('data', resolve));
    run.child.stdout!.destroy();
    expect(await run.done).toMatchObject({ code: 0, stderr: '' });
  });

  test.each([
    ['inspect run.parquet'],
    ['stream --help'],
    ['inspect run.parquet --json'],
    ['export run.parquet --csv'],
    ['export run.parquet --arrow'],
  ])('eos %s | true ends quietly', async (command) => {
    const cwd = temporaryFolder();
    await eos(['stream', '--out', 'run.parquet', '--steps', '5000', '--quiet'], { cwd });
    const run = startEos(command.split(' '), { cwd });
    run.child.stdout!.destroy();
    expect(await run.done).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test.each([
    ['stream --dry-run --steps 10 --log-format json'],
    ['stream --help'],
    ['inspect run.parquet'],
    ['export run.parquet --csv'],
  ])('eos %s > /dev/full tells of the full disk in one line', async (command) => {
    const cwd = temporaryFolder();
    await eos(['stream', '--out', 'run.parquet', '--steps', '10', '--quiet'], { cwd });
    const { code, stderr } = await shell(
      `exec '${process.execPath}' '${root}bin/run.js' ${command} > /dev/full`,
      cwd,
    );
    expect(stderr).toBe('eos: the disk is full (ENOSPC)\n');
    expect(code).toBe(1);
  });
});

describe('a disk that fills up', async () => {
  const mountable = process.getuid?.() === 0 && (await canMount());
  if (!mountable)
    console.warn('skipped "a disk that fills up": needs the right to mount a tmpfs (run as root)');

  test.skipIf(!mountable).each([
    ['r.parquet', ['--out', 'small/r.parquet']],
    ['r.parquet', ['--out', 'small/r.parquet', '--parquet-writer', 'parquetjs-lite']],
    ['r.arrow', ['--out', 'r.parquet', '--arrow', 'small/r.arrow']],
  ])('%s: one line, exit code 1, nothing under the final names (%j)', async (name, args) => {
    const cwd = temporaryFolder();
    const disk = await mountSmallDisk(join(cwd, 'small'));
    const { code, stderr } = await eos(
      // So many that none of the files can be whole before the other one fails.
      ['stream', ...args, '--steps', '300000', '--log-format', 'json'],
      { cwd },
    );
    expect(stderr).toMatch(/^eos: [^\n]*the disk is full[^\n]*\n$/);
    expect(code).toBe(1);
    expectNoWholeFile(await readdir(cwd), 'r.parquet');
    expectNoWholeFile(await readdir(disk), name);
  });

  test.skipIf(!mountable)('and is full already: not even a lock is left', async () => {
    const cwd = temporaryFolder();
    const disk = await mountSmallDisk(join(cwd, 'small'));
    expect((await shell('cat /dev/zero > small/zeros', cwd)).code).not.toBe(0);
    const { code, stderr } = await eos(['stream', '--out', 'small/run.parquet', '-q'], { cwd });
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^eos: [^\n]*the disk is full[^\n]*\n$/),
    ]);
    expect(await readdir(disk)).toEqual(['zeros']);
  });

  test.skipIf(!mountable)('what stood there before stays', async () => {
    const cwd = temporaryFolder();
    const disk = await mountSmallDisk(join(cwd, 'small'));
    const out = ['stream', '--out', join(disk, 'run.parquet'), '--quiet'];
    expect((await eos([...out, '--steps', '1000'])).code).toBe(0);
    expect((await eos([...out, '--steps', '100000', '--force'])).code).toBe(1);
    expect(await readdir(disk)).toContain('run.parquet');
    // The reader closes a file after it has told of it: on the disk itself that would hold it up.
    await copyFile(join(disk, 'run.parquet'), join(cwd, 'copy.parquet'));
    expect((await readBack(join(cwd, 'copy.parquet'))).rows).toBe(1001);
  });
});

describe('a folder that may not be written to', () => {
  test('is told before anything is computed', async () => {
    const cwd = temporaryFolder();
    await mkdir(join(cwd, 'locked'));
    // Root may write anywhere: be nobody.
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    await chmod(cwd, 0o755);
    await chmod(join(cwd, 'locked'), 0o555);
    const { code, stderr } = await eos(['stream', '--out', 'locked/run.parquet'], {
      cwd,
      ...nobody,
    });
    expect(stderr).toMatch(
      /^eos: --out: the folder of locked\/run\.parquet may not be written to; [^\n]+\n$/,
    );
    expect(code).toBe(2);
    expect(await readdir(join(cwd, 'locked'))).toEqual([]);
  });
});

/** What can be recovered may stay beside it. */
function expectNoWholeFile(names: readonly string[], name: string): void {
  expect(names).not.toContain(name);
  expect(names.filter((other) => other !== 'small' && !other.includes('.partial'))).toEqual([]);
}

async function mountSmallDisk(folder: string): Promise<string> {
  await mkdir(folder);
  await promisified('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
  onTestFinished(() => promisified('umount', [folder]));
  return folder;
}

/** Containers often are root without that right. */
async function canMount(): Promise<boolean> {
  const { mkdtemp } = await import('node:fs/promises');
  const folder = await mkdtemp('/tmp/eos-mount-');
  try {
    await promisified('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
    await promisified('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    removeFolder(folder);
  }
}

async function promisified(command: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await watch(spawn(command, args)).done;
  if (code !== 0) throw new Error(`${command}: ${stderr}`);
}

function shell(command: string, cwd: string) {
  return watch(spawn('sh', ['-c', command], { cwd, env: cleanEnvironment() })).done;
}

/** Processes that this one has started. */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number),
  );
}

/** Whether a process is there, and not merely waits to be buried. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a signal while a file is read that does not answer', () => {
  test.each([
    ['a config', ['stream', '--dry-run', '--config', 'pipe']],
    ['the values of a sweep', ['sweep', '--out', 'sweep', '--spec', 'pipe']],
    ['a log', ['detect', 'pipe', '--eta', '0.1']],
  ])('%s: command and reader end at once', async (_, args) => {
    const cwd = temporaryFolder();
    execFileSync('mkfifo', [join(cwd, 'pipe')]);
    const run = startEos(args, { cwd });
    const pid = run.child.pid!;
    await expect.poll(() => childrenOf(pid).length, { timeout: 100_000 }).toBe(1);
    const [reader] = childrenOf(pid);
    run.child.kill('SIGINT');
    const { code } = await run.done;
    expect([130, null]).toContain(code);
    await expect.poll(() => isAlive(reader!), { timeout: 100_000 }).toBe(false);
  });
});

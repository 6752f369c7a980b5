import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lastFlushes } from '../safety/killed-run.ts';
import { cleanEnvironment, eos, temporaryFolder } from '../setup/eos.ts';
import { root } from '../setup/parts.ts';

/** So many rows that a thread encodes them where there is more than one core. */
const RUN = ['stream', '--preset', 'three-phases', '--steps', '2200000'];

/** Tells of each thread that is started. */
const COUNT = `
const threads = require('node:worker_threads');
threads.Worker = class extends threads.Worker {
  constructor(path, ...more) {
    super(path, ...more);
    process.stdout.write(\`a thread runs \${path}\\n\`);
  }
};`;

const linux = process.platform === 'linux' && availableParallelism() > 1;
if (!linux) console.warn('skipped "a long run": needs taskset of Linux, and two cores');

/** A disk of so many bytes; undefined without the right to mount one, as in many containers. */
function smallDisk(bytes: number): string | undefined {
  const disk = join(temporaryFolder(), 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', disk]);
  } catch {
    return undefined;
  }
  onTestFinished(() => {
    execFileSync('umount', [disk]);
  });
  return disk;
}

describe.skipIf(!linux)('a long run, whose row groups a thread encodes', () => {
  test('writes the bytes that it writes on one core, without the thread', () => {
    const cwd = temporaryFolder();
    const preload = join(cwd, 'count.cjs');
    writeFileSync(preload, COUNT);
    const bytesOn = (cores: string, said: RegExp) => {
      const program = [process.execPath, '--require', preload, join(root, 'bin/run.js')];
      const args = ['-c', cores, ...program, ...RUN, '--quiet', '--out', `${cores}.parquet`];
      const options = { cwd, env: cleanEnvironment(), encoding: 'utf8' } as const;
      expect(execFileSync('taskset', args, options)).toMatch(said);
      return readFileSync(join(cwd, `${cores}.parquet`));
    };
    const two = bytesOn('0,1', /^a thread runs .*encoder-thread\.cjs\n$/);
    expect(Buffer.compare(two, bytesOn('0', /^$/))).toBe(0);
  });

  test('on a full disk, ends with one line, and loses nothing that was safe', async () => {
    const cwd = smallDisk(8_000_000);
    if (!cwd) return console.warn('skipped: needs the right to mount a tmpfs (run as root)');
    const how = ['--out', 'run.parquet', '--log-format', 'json', '--flush-every', '0'];
    const { code, stdout, stderr } = await eos([...RUN, ...how], { cwd });
    expect([code, stderr.trim().split('\n').length]).toEqual([1, 1]);
    expect(stderr).toMatch(/^eos: .*(ENOSPC|no space|full).*eos recover run\.parquet\.partial\n$/);
    const safe = lastFlushes(stdout).get('run.parquet') ?? 0;
    expect(safe).toBeGreaterThan(200_000);
    const whole = join(temporaryFolder(), 'whole.parquet');
    expect((await eos(['recover', 'run.parquet.partial', '--out', whole], { cwd })).code).toBe(0);
    const { rows } = JSON.parse((await eos(['inspect', whole, '--json'])).stdout);
    expect(rows).toBeGreaterThanOrEqual(safe);
  });
});

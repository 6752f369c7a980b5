import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LockedError, lockFile } from '../../src/pipeline/sinks/node/lock.ts';
import { temporaryFolder } from '../setup/eos.ts';

const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const holder = (fields: object) =>
  JSON.stringify({ pid: process.pid, host: hostname(), started: null, boot, token: 't', ...fields });

/** Number of a process that is no more. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '0']);
  await new Promise((resolve) => child.on('close', resolve));
  return child.pid!;
}

test('a lock is held until it is given back', async () => {
  const path = join(temporaryFolder(), 'run.parquet');
  const unlock = await lockFile(path);
  await expect(lockFile(path)).rejects.toThrow(LockedError);
  await expect(lockFile(path)).rejects.toThrow(`is being written by process ${process.pid}`);
  await unlock();
  expect(existsSync(`${path}.lock`)).toBe(false);
  await (await lockFile(path))();
});

test.each([
  ['of a process that is no more', async () => holder({ pid: await deadPid() })],
  ['of a process whose number another has now', async () => holder({ started: '1' })],
  ['of before the machine was started again', async () => holder({ boot: 'another' })],
  ['that was cut off', async () => '{"pid":'],
  ['that is empty', async () => ''],
])('a lock %s is taken over', async (_, content) => {
  const path = join(temporaryFolder(), 'run.parquet');
  writeFileSync(`${path}.lock`, await content());
  const unlock = await lockFile(path);
  expect(JSON.parse(readFileSync(`${path}.lock`, 'utf8'))).toMatchObject({ pid: process.pid, host: hostname() });
  await unlock();
});

test('the lock of another machine stays, since nobody here can tell', async () => {
  const path = join(temporaryFolder(), 'run.parquet');
  writeFileSync(`${path}.lock`, holder({ host: 'elsewhere', pid: 7 }));
  await expect(lockFile(path)).rejects.toThrow(
    /process 7 on elsewhere; if that is no more, remove .*run\.parquet\.lock/,
  );
});

test('of many that want a dead lock at once, one gets it', async () => {
  const path = join(temporaryFolder(), 'run.parquet');
  for (let round = 0; round < 20; round++) {
    writeFileSync(`${path}.lock`, holder({ pid: await deadPid() }));
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockFile(path)));
    const taken = results.filter((result) => result.status === 'fulfilled');
    expect(taken).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(LockedError);
    }
    await taken[0]!.value();
  }
});

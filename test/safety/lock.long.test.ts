import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LockedError, lockFile, refuseIfLocked } from '../../src/pipeline/node/lock.ts';
import { temporaryFolder, watch } from '../setup/eos.ts';
import { root } from '../setup/parts.ts';
import { lockText } from './lock-text.ts';

/** Number of a process that is no more. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '0']);
  await new Promise((resolve) => child.on('close', resolve));
  return child.pid!;
}

test('a lock is held until it is given back', async () => {
  const path = join(temporaryFolder(), 'run.parquet');
  const lock = await lockFile(path);
  await expect(lockFile(path)).rejects.toThrow(LockedError);
  await expect(lockFile(path)).rejects.toThrow(`is being written by process ${process.pid}`);
  await lock.release();
  expect(existsSync(`${path}.lock`)).toBe(false);
  await (await lockFile(path)).release();
});

test.each([
  ['of a process that is no more', async () => lockText({ pid: await deadPid() })],
  ['of a process whose number another has now', async () => lockText({ started: '1' })],
  ['that was cut off', async () => '{"pid":'],
  ['that is empty', async () => ''],
])('a lock %s is taken over', async (_, content) => {
  const path = join(temporaryFolder(), 'run.parquet');
  writeFileSync(`${path}.lock`, await content());
  const lock = await lockFile(path);
  expect(JSON.parse(readFileSync(`${path}.lock`, 'utf8'))).toMatchObject({
    pid: process.pid,
    host: hostname(),
  });
  await lock.release();
});

test('the lock of another machine stays, since nobody here can tell', async () => {
  const path = join(temporaryFolder(), 'run.parquet');
  writeFileSync(`${path}.lock`, lockText({ host: 'elsewhere', pid: 7 }));
  await expect(lockFile(path)).rejects.toThrow(
    /process 7 on elsewhere; if that is no more, remove .*run\.parquet\.lock/,
  );
});

test('of many that want a dead lock at once, one gets it', async () => {
  const path = join(temporaryFolder(), 'run.parquet');
  for (let round = 0; round < 20; round++) {
    writeFileSync(`${path}.lock`, lockText({ pid: await deadPid() }));
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockFile(path)));
    const taken = results.filter((result) => result.status === 'fulfilled');
    expect(taken).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(LockedError);
    }
    await taken[0]!.value.release();
  }
});

test('processes that take dead locks from each other are never two at once', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'run.parquet');
  writeFileSync(`${path}.lock`, lockText({ pid: await deadPid(), token: 'first' }));
  const module = join(root, 'dist/pipeline/node/lock.js');
  const args = [
    join(root, 'test/safety/lock-hammer.mjs'),
    module,
    path,
    String(await deadPid()),
    '4000',
  ];
  const all = Array.from({ length: 6 }, () => watch(spawn(process.execPath, args)).done);
  const counts = (await Promise.all(all)).map(({ stdout, stderr }) => {
    expect(stderr).toBe('');
    return JSON.parse(stdout) as { taken: number; together: number };
  });
  const sum = (key: 'taken' | 'together') => counts.reduce((total, each) => total + each[key], 0);
  expect(sum('together')).toBe(0);
  expect(sum('taken')).toBeGreaterThan(20);
  await (await lockFile(path)).release();
  expect(readdirSync(folder)).toEqual([]);
});

test('who takes a lock over from one that died taking it over gets it, and clears up', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'run.parquet');
  const pid = await deadPid();
  const claim = (token: string) =>
    `${path}.lock.${createHash('sha256').update(token).digest('hex').slice(0, 32)}.claim`;
  writeFileSync(`${path}.lock`, lockText({ pid, token: 'a' }));
  writeFileSync(claim('a'), lockText({ pid, token: 'b' }));
  writeFileSync(claim('of a lock that has long gone'), lockText({ pid, token: 'c' }));
  const lock = await lockFile(path);
  expect(readdirSync(folder)).toEqual(['run.parquet.lock']);
  await lock.release();
});

test('while another process takes a dead lock over, it is refused to all others', async () => {
  const path = join(temporaryFolder(), 'run.parquet');
  writeFileSync(`${path}.lock`, lockText({ pid: await deadPid(), token: 'a' }));
  const claim = createHash('sha256').update('a').digest('hex').slice(0, 32);
  writeFileSync(`${path}.lock.${claim}.claim`, lockText({ token: 'b' }));
  await expect(lockFile(path)).rejects.toThrow(`is being written by process ${process.pid}`);
});

test('drafts of processes that were killed are swept away, those of the living stay', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'run.parquet');
  const draft = (content: string) => {
    const name = `run.parquet.lock.${randomUUID()}`;
    writeFileSync(join(folder, name), content);
    return name;
  };
  draft(lockText({ pid: await deadPid() }));
  const empty = draft('');
  utimesSync(join(folder, empty), 1, 1);
  const kept = [draft(lockText({})), draft('')].sort();
  await (await lockFile(path)).release();
  expect(readdirSync(folder).sort()).toEqual(kept);
});

test.each([
  ['of another boot', { boot: 'another' }, 'another machine of this name'],
  ['of a machine that tells no boot', { boot: null }, 'another machine of this name'],
  ['of another namespace', { space: 'pid:[1]' }, 'of another container'],
  ['of nobody knows which namespace', { space: null }, 'of another container'],
  ['of another name of this machine', { host: 'elsewhere' }, 'on elsewhere'],
])('a lock %s lives, since nothing proves that it does not', async (_, fields, words) => {
  const path = join(temporaryFolder(), 'run.parquet');
  writeFileSync(`${path}.lock`, lockText({ pid: await deadPid(), ...fields }));
  await expect(lockFile(path)).rejects.toThrow(words);
  await expect(lockFile(path)).rejects.toThrow(`if that is no more, remove ${path}.lock`);
  await expect(refuseIfLocked(path)).rejects.toThrow(words);
});

test('a lock that the kernel let go of is dead in any namespace of this machine', async () => {
  const path = join(temporaryFolder(), 'run.parquet');
  const gone = { kernel: true, space: 'pid:[1]', host: 'container' };
  writeFileSync(`${path}.lock`, lockText(gone));
  await (await lockFile(path)).release();
  writeFileSync(`${path}.lock`, lockText({ ...gone, boot: 'another' }));
  await expect(lockFile(path)).rejects.toThrow('on container');
});

test('who has had its lock taken away is told so, and takes no other away', async () => {
  const path = join(temporaryFolder(), 'run.parquet');
  const lock = await lockFile(path);
  rmSync(`${path}.lock`);
  await expect(lock.check()).rejects.toThrow('has been taken away');
  const other = await lockFile(path);
  await expect(lock.check()).rejects.toThrow('has been taken away');
  await lock.release();
  await other.check();
  await other.release();
  expect(existsSync(`${path}.lock`)).toBe(false);
});

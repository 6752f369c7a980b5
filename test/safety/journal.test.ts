import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as later } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openJournal, readJournal } from '../../src/pipeline/node/journal.ts';
import { fastFolder } from './killed-run.ts';

/** A small generator of our own, so that a failure can be repeated. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

async function ticks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await later();
}

test('300 journals under concurrent flushes hold each row group once, and in order', async () => {
  const folder = fastFolder();
  for (let seed = 0; seed < 300; seed++) {
    const roll = dice(seed);
    const path = join(folder, `${seed}.journal`);
    const journal = openJournal(path);
    const groups: number[] = [];
    const pending: Promise<void>[] = [];
    let at = 4;
    let flushed = 0;
    for (let i = 0; i < 24; i++) {
      if (roll(3) > 0) {
        const bytes = new Uint8Array(1 + roll(50)).fill(i);
        groups.push(at);
        pending.push(journal.group(at, bytes, new Uint8Array([i])));
        at += bytes.length;
      } else {
        flushed = at;
        pending.push(journal.flush(at, new Uint8Array(roll(30)), ticks(roll(6))));
      }
      await ticks(roll(3));
    }
    await Promise.all(pending);
    const content = await readJournal(path);
    expect(content?.flush?.offset ?? 0, `seed ${seed}`).toBe(flushed);
    const kept = content?.groups.map(({ offset }) => offset);
    expect(kept, `seed ${seed}`).toEqual(groups.filter((offset) => offset >= flushed));
    await journal.close();
  }
});

test('at any moment between two changes, no group is missing from the journal', async () => {
  const folder = fastFolder();
  const path = join(folder, 'run.journal');
  const journal = openJournal(path);
  let at = 4;
  let noted = 4;
  const notes: Promise<void>[] = [];
  const flushes: Promise<void>[] = [];
  for (let i = 0; i < 200; i++) {
    const offset = at;
    at += 10;
    notes.push(
      journal.group(offset, new Uint8Array(10), new Uint8Array([1])).then(() => {
        noted = offset + 10;
      }),
    );
    if (i % 7 === 0) flushes.push(journal.flush(at, new Uint8Array(5), ticks(i % 4)));
    await ticks(i % 3);
    const before = noted;
    const content = await readJournal(path);
    const end = content?.groups.reduce((to, group) => {
      expect(group.offset).toBe(to);
      return to + group.length;
    }, content.flush?.offset ?? 4);
    expect(end ?? 4).toBeGreaterThanOrEqual(before);
  }
  await Promise.all([...notes, ...flushes]);
  await journal.close();
});

test('a flush whose bytes do not reach the disk leaves the journal as it was', async () => {
  const path = join(fastFolder(), 'run.journal');
  const journal = openJournal(path);
  await journal.group(4, new Uint8Array(10), new Uint8Array([1]));
  const before = readFileSync(path);
  const failed = Promise.reject(new Error('no space left'));
  await expect(journal.flush(14, new Uint8Array(3), failed)).rejects.toThrow('no space left');
  expect(readFileSync(path)).toEqual(before);
  await journal.flush(14, new Uint8Array(3), Promise.resolve());
  expect((await readJournal(path))?.flush?.offset).toBe(14);
  await journal.close();
  // Half a record at the end is what a killed program leaves.
  appendFileSync(path, before.subarray(0, 20));
  expect((await readJournal(path))?.groups).toEqual([]);
});

test('a journal that is a pipe, a link or a folder is none, and nothing waits for it', async () => {
  const folder = fastFolder();
  const at = (name: string) => join(folder, name);
  execFileSync('mkfifo', [at('pipe')]);
  mkdirSync(at('folder'));
  writeFileSync(at('other'), 'x');
  symlinkSync(at('other'), at('link'));
  for (const name of ['pipe', 'folder', 'link', 'nothing'])
    expect(await readJournal(at(name))).toBeUndefined();
});

test('a journal that claims to be large is not taken into memory', async () => {
  const path = join(fastFolder(), 'large.journal');
  const journal = openJournal(path);
  await journal.flush(4, new Uint8Array(3), Promise.resolve());
  await journal.close();
  truncateSync(path, 2 ** 40);
  expect(await readJournal(path)).toBeUndefined();
});

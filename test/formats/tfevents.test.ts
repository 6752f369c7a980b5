import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { crc32c } from '../../src/pipeline/formats/platform.ts';
import { type EventRecord, readEvents } from '../../src/pipeline/formats/tfevents.ts';
import { openLog } from '../../src/pipeline/node/open-log.ts';
import { trainingLog } from '../../src/pipeline/sources/training-log/training-log.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const sample = (name: string) =>
  new Uint8Array(readFileSync(join(import.meta.dirname, '../sources/training-log/formats', name)));
const simple = sample('events.out.tfevents.1.simple');
const tensor = sample('events.out.tfevents.2.tensor');

async function read(bytes: Uint8Array, size = bytes.length): Promise<EventRecord[]> {
  const chunks = (async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  })();
  const all: EventRecord[] = [];
  for await (const record of readEvents(chunks)) all.push(record);
  return all;
}

const scalars = (records: readonly EventRecord[]) => records.flatMap((each) => each.scalars ?? []);
const problems = (records: readonly EventRecord[]) =>
  records.flatMap((each) => ('problem' in each ? [each.problem] : []));

test('the checksum is that of RFC 3720', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
});

test('floats and tensors are read, in whatever chunks they come', async () => {
  const old = scalars(await read(simple));
  expect(old.filter(({ tag }) => tag === 'hessian/top_eig').map(({ step }) => step)).toEqual([
    0, 10, 20, 30, 40,
  ]);
  expect(old).toHaveLength(25);
  const now = scalars(await read(tensor));
  expect(now.filter(({ tag }) => tag === 'lambda_max').map(({ value }) => value)).toEqual([
    10.1, 12, 15, 18, 20,
  ]);
  expect(now.filter(({ tag }) => tag === 'count').map(({ value }) => value)).toEqual([
    0, 1, 2, 3, 4,
  ]);
  expect(now.some(({ tag }) => tag === 'text')).toBe(false);
  for (const size of [1, 7, 100]) expect(scalars(await read(tensor, size))).toEqual(now);
});

test('a byte that is another is told, and what can be read behind it is read', async () => {
  const whole = scalars(await read(simple)).length;
  for (let at = 0; at < simple.length; at += 5) {
    const changed = simple.slice();
    changed[at]! ^= 1;
    const records = await read(changed);
    expect(problems(records)).toHaveLength(1);
    expect(scalars(records).length).toBeLessThan(whole + 1);
    if (problems(records)[0] === 'the checksum of a record is wrong')
      expect(scalars(records).length).toBeGreaterThanOrEqual(whole - 1);
  }
});

test('an end in the middle of a record is told', async () => {
  const records = await read(simple.subarray(0, simple.length - 3));
  expect(problems(records)).toEqual(['cut off in the middle of a record']);
  expect(scalars(records)).toHaveLength(24);
});

test('a folder of event files is one run, and a folder of several folders asks which', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'eos-tf-'));
  for (const [run, bytes] of [
    ['one', simple],
    ['two', tensor],
  ] as const) {
    mkdirSync(join(folder, run));
    writeFileSync(join(folder, run, 'events.out.tfevents.1.a'), bytes);
  }
  const log = await openLog(join(folder, 'one'));
  expect(log.others).toEqual([]);
  await expect(openLog(folder)).rejects.toThrow('this is a folder of several runs; name one of');
  writeFileSync(join(folder, 'one', 'events.out.tfevents.2.b'), tensor);
  const batches = await lastValueFrom(
    trainingLog(await openLog(join(folder, 'one'))).pipe(toArray()),
  );
  // Tags are chosen over all files of a run: the second file has other names, the plainer ones.
  expect(batches.flatMap(({ columns }) => [...columns.step])).toEqual([0, 1, 2, 3, 4]);
  removeFolder(join(folder, 'two'));
  expect((await openLog(folder)).others).toHaveLength(1);
  removeFolder(join(folder, 'one'));
  await expect(openLog(folder)).rejects.toThrow('a folder without event files');
  removeFolder(folder);
});

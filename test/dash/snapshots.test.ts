import { randomBytes } from 'node:crypto';
import { mkdtempSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startDashServer } from '../../src/cli/dash-server/dash-server.ts';
import { type Snapshots, snapshots } from '../../src/cli/dash-server/snapshots.ts';
import {
  type News,
  type WatchedFiles,
  watchedFiles,
} from '../../src/cli/dash-server/watched-files.ts';
import { openJournal } from '../../src/pipeline/node/journal.ts';
import { lockText } from '../safety/lock-text.ts';
import { removeFolder } from '../setup/remove-folder.ts';

function folderOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'eos-snapshots-'));
  onTestFinished(() => removeFolder(folder));
  return folder;
}

/**
 * A file that grows as run files do: groups that stay, and behind them an end that is written over.
 */
function growingFile(folder: string, name = 'run.parquet') {
  const file = join(folder, name);
  const fd = openSync(`${file}.partial`, 'w');
  writeFileSync(`${file}.lock`, lockText({}));
  let journal = openJournal(`${file}.partial.journal`);
  let groups = Buffer.from('PAR1');
  writeSync(fd, groups, 0, 4, 0);
  return {
    file,
    async flush() {
      const closing = randomBytes(30 + Math.floor(Math.random() * 30));
      await journal.flush(groups.length, closing, Promise.resolve());
      // What stands in the file itself is of no use to anybody.
      writeSync(fd, randomBytes(100), 0, 100, groups.length);
      return Buffer.concat([groups, closing]);
    },
    add() {
      const group = randomBytes(20);
      writeSync(fd, group, 0, group.length, groups.length);
      groups = Buffer.concat([groups, group]);
    },
    async finish() {
      writeFileSync(`${file}.whole`, groups);
      renameSync(`${file}.whole`, file);
      rmSync(`${file}.partial`);
      rmSync(`${file}.lock`);
      await journal.remove();
      journal = openJournal(`${file}.partial.journal`);
      return groups;
    },
  };
}

async function serve(folder: string) {
  const server = await startDashServer({ files: [folder], port: 0 });
  onTestFinished(server.close);
  return (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(new URL(path, server.url), { headers, method });
}

const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());
/** Until a server may look for a newer state. */
const later = () => new Promise((resolve) => setTimeout(resolve, 120));

test('a growing file is given as it was flushed, whatever stands in it', async () => {
  const folder = folderOfTest();
  const growing = growingFile(folder);
  const ask = await serve(folder);
  expect((await ask('data/run.parquet')).status).toBe(404);
  const list = (await (await ask('runs.json')).json()) as { runs: object[] };
  expect(list.runs).toMatchObject([{ name: 'run.parquet', empty: true }]);
  for (let i = 0; i < 5; i++) {
    const flushed = await growing.flush();
    await later();
    expect(await bytesOf(await ask('data/run.parquet'))).toEqual(flushed);
    growing.add();
    expect(await bytesOf(await ask('data/run.parquet'))).toEqual(flushed);
  }
});

test('a state that was given stays, by its tag, while the file goes on and ends', async () => {
  const folder = folderOfTest();
  const growing = growingFile(folder);
  const ask = await serve(folder);
  const flushed = await growing.flush();
  const head = await ask('data/run.parquet', {}, 'HEAD');
  const etag = head.headers.get('etag')!;
  expect(Number(head.headers.get('content-length'))).toBe(flushed.length);
  const expectStill = async () => {
    for (const [start, end] of [
      [0, flushed.length - 1],
      [flushed.length - 8, flushed.length - 1],
      [1, flushed.length - 20],
      [0, 3],
    ] as const)
      for (const condition of ['if-match', 'if-range']) {
        const range = `bytes=${start}-${end}`;
        const answer = await ask('data/run.parquet', { range, [condition]: etag });
        expect([condition, range, answer.status]).toEqual([condition, range, 206]);
        expect(answer.headers.get('etag')).toBe(etag);
        expect(await bytesOf(answer)).toEqual(flushed.subarray(start, end + 1));
      }
  };
  await expectStill();
  growing.add();
  growing.add();
  const second = await growing.flush();
  await later();
  const newest = await ask('data/run.parquet');
  expect(newest.headers.get('etag')).not.toBe(etag);
  expect(await bytesOf(newest)).toEqual(second);
  await expectStill();
  const whole = await growing.finish();
  expect(await bytesOf(await ask('data/run.parquet'))).toEqual(whole);
  await expectStill();
  const unknown = await ask('data/run.parquet', { 'if-match': '"never-was"', range: 'bytes=0-3' });
  expect(unknown.status).toBe(412);
});

test('a connection that asks for bare ranges goes on with the size it was told', async () => {
  const folder = folderOfTest();
  const growing = growingFile(folder);
  const flushed = await growing.flush();
  const states = snapshots();
  onTestFinished(states.close);
  const server = await startDashServer({ files: [folder], port: 0 });
  onTestFinished(server.close);
  const { Agent, request } = await import('node:http');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const ask = (method: string, headers = {}) =>
    new Promise<Buffer>((resolve, reject) => {
      const url = new URL('data/run.parquet', server.url);
      const asked = request(url, { agent, method, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () => resolve(Buffer.concat(parts)));
      });
      asked.on('error', reject);
      asked.end();
    });
  await ask('HEAD');
  growing.add();
  await growing.flush();
  await later();
  const middle = { range: `bytes=5-${flushed.length - 9}` };
  expect(await ask('GET', middle)).toEqual(flushed.subarray(5, flushed.length - 8));
  const footer = { range: `bytes=${flushed.length - 8}-${flushed.length - 1}` };
  expect(await ask('GET', footer)).toEqual(flushed.subarray(flushed.length - 8));
});

test('a file that was begun anew is never mixed with the journal of the old one', async () => {
  const folder = folderOfTest();
  const states = snapshots();
  onTestFinished(states.close);
  const all = new Set<string>();
  const one = growingFile(folder);
  all.add((await one.flush()).toString('hex'));
  for (let i = 0; i < 20; i++) {
    rmSync(`${one.file}.partial.journal`);
    rmSync(`${one.file}.partial`);
    const next = growingFile(folder);
    const flushed = next.flush().then((bytes) => all.add(bytes.toString('hex')));
    const version = await states.open(one.file);
    await flushed;
    if (!version) continue;
    const parts: Uint8Array[] = [];
    for await (const part of version.read(0, version.size - 1)) parts.push(part);
    await version.close();
    expect(all.has(Buffer.concat(parts).toString('hex')), `round ${i}`).toBe(true);
  }
});

/** What was told last of files, which are followed until the test ends. */
function followed(files: WatchedFiles, states: Snapshots): () => News | undefined {
  let news: News | undefined;
  const unfollow = files.follow((next) => {
    news = next;
  });
  onTestFinished(async () => {
    unfollow();
    files.close();
    await states.close();
  });
  return () => news;
}

test('files are listed anew when one comes or goes, not when one is flushed', async () => {
  const folder = folderOfTest();
  for (let i = 0; i < 300; i++) writeFileSync(join(folder, `run-${i}.parquet`), 'PAR1');
  const growing = growingFile(folder, 'live.parquet');
  const states = snapshots();
  const files = watchedFiles([folder], states);
  const news = followed(files, states);
  const etag = () => news()?.growing['data/live.parquet']?.etag;
  await growing.flush();
  await expect.poll(etag).toBeDefined();
  const listed = news()!.list;
  for (let i = 0; i < 5; i++) {
    const before = etag();
    await growing.flush();
    await expect.poll(etag).not.toBe(before);
    expect((await files.find('data/run-7.parquet'))?.file).toBe(join(folder, 'run-7.parquet'));
  }
  expect(news()!.list).toBe(listed);
  writeFileSync(join(folder, 'new.parquet'), 'PAR1');
  expect((await files.find('data/new.parquet'))?.file).toBe(join(folder, 'new.parquet'));
  await expect.poll(() => news()!.list).toBeGreaterThan(listed);
  rmSync(join(folder, 'run-7.parquet'));
  expect(await files.find('data/run-7.parquet')).toBeUndefined();
  const runs = (JSON.parse(await files.list()) as { runs: { name: string }[] }).runs;
  expect(runs).toHaveLength(301);
});

test('what is flushed while files are looked at is told without the slow look', async () => {
  // Only what the system tells is heard of.
  vi.useFakeTimers({ toFake: ['setInterval'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const folder = folderOfTest();
  const growing = growingFile(folder);
  await growing.flush();
  const states = snapshots();
  /** A look that lasts until what is flushed in it has been heard of. */
  let lasts: Promise<unknown> | undefined;
  let looks = 0;
  const files = watchedFiles([folder], {
    ...states,
    async newest(...asked) {
      const state = await states.newest(...asked);
      looks++;
      await lasts;
      return state;
    },
  });
  const news = followed(files, states);
  const etag = () => news()?.growing['data/run.parquet']?.etag;
  await expect.poll(etag).toBeDefined();
  for (let i = 0; i < 3; i++) {
    const looked = looks;
    let end = (): void => {};
    lasts = new Promise<void>((resolve) => {
      end = resolve;
    });
    await growing.flush();
    await expect.poll(() => looks).toBeGreaterThan(looked);
    await growing.flush();
    const others = snapshots();
    const last = (await others.newest(growing.file))!.etag;
    await others.close();
    // As long as the next look is put off, so that it falls into this one.
    await new Promise((resolve) => setTimeout(resolve, 100));
    lasts = undefined;
    end();
    await expect.poll(etag).toBe(last);
  }
});

test('pages are told of changes as they happen', async () => {
  const folder = folderOfTest();
  const growing = growingFile(folder);
  const ask = await serve(folder);
  const answer = await ask('events');
  expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const until = async (words: RegExp) => {
    while (!words.test(text)) text += (await reader.read()).value ?? '';
    text = '';
  };
  await until(/"growing":\{"data\/run\.parquet":\{"writing":true\}\}/);
  await growing.flush();
  await until(/"etag":"\\"[\w-]+\\"","size":\d+/);
  await growing.finish();
  await until(/"growing":\{\}/);
  await reader.cancel();
});

import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { lockFile } from '../../src/pipeline/node/lock.ts';
import { eos, startEos } from '../setup/eos.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const STRAY = '.site.0e2f8a52-4b1d-4c63-9d7e-2f5a8b9c0d1e.partial';
let run: string;

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'eos-leftovers-'));
  onTestFinished(() => removeFolder(folder));
  return folder;
}

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'eos-leftovers-'));
  run = join(folder, 'run.parquet');
  expect((await eos(['stream', '--out', run, '--steps', '100000', '-q'])).code).toBe(0);
  return () => removeFolder(folder);
});

const COMMANDS = [
  ['site', () => ['dash', 'build', '--data', run, '--out', 'site']],
  ['page.html', () => ['dash', 'build', '--data', run, '--single-file', '--out', 'page.html']],
  ['run.csv', () => ['export', run, '--out', 'run.csv', '--force']],
] as const;

test.each(COMMANDS)(
  '%s, killed again and again: the next run leaves nothing else',
  async (name, args) => {
    const cwd = temporary();
    for (const seen of ['.lock', '.partial', '.partial', name]) {
      const { child, done } = startEos(args(), { cwd });
      let ended = false;
      void done.then(() => (ended = true));
      // Whether it is killed there or has come to its end: the next run must not mind.
      while (!ended && !readdirSync(cwd).some((each) => each.endsWith(seen)))
        await new Promise((resolve) => setTimeout(resolve, 1));
      child.kill('SIGKILL');
      await done;
    }
    const { code, stderr } = await eos(args(), { cwd });
    expect([code, stderr]).toEqual([0, expect.not.stringMatching(/^eos: /)]);
    expect(readdirSync(cwd)).toEqual([name]);
  },
);

test('what a dead build left goes, and what only looks like it stays', async () => {
  const cwd = temporary();
  mkdirSync(join(cwd, STRAY));
  writeFileSync(join(cwd, STRAY, 'index.html'), 'half');
  mkdirSync(join(cwd, '.site-backup'));
  writeFileSync(join(cwd, '.site.mine.partial'), 'mine');
  expect((await eos(COMMANDS[0][1](), { cwd })).code).toBe(0);
  expect(readdirSync(cwd).sort()).toEqual(['.site-backup', '.site.mine.partial', 'site']);
});

test('figures, killed while they are written: the next run leaves nothing else', async () => {
  const cwd = temporary();
  const draw = ['figures', '--run', run, '--only', '1', '--out', 'drawn'];
  const drawn = join(cwd, 'drawn');
  mkdirSync(drawn);
  const { child, done } = startEos(draw, { cwd });
  let ended = false;
  void done.then(() => (ended = true));
  while (!ended && !readdirSync(drawn).some((name) => name.startsWith('.figures.')))
    await new Promise((resolve) => setTimeout(resolve, 1));
  child.kill('SIGKILL');
  await done;
  // What a kill leaves where it comes a moment later.
  const stray = join(drawn, STRAY.replace('site', 'figures'));
  mkdirSync(stray);
  writeFileSync(join(stray, 'figure-1.svg'), 'half');
  const { code, stderr } = await eos(draw, { cwd });
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/^eos: /)]);
  const kinds = ['-dark.png', '-dark.svg', '.html', '.png', '.svg'];
  expect(readdirSync(drawn).sort()).toEqual(kinds.map((kind) => `figure-1${kind}`));
});

test('figures of two commands at once wait for each other', async () => {
  const cwd = temporary();
  const drawn = join(cwd, 'drawn');
  mkdirSync(drawn);
  const lock = await lockFile(join(drawn, 'figures'));
  const { done } = startEos(['figures', '--run', run, '--only', '1', '--out', 'drawn'], { cwd });
  let ended = false;
  void done.then(() => (ended = true));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(ended).toBe(false);
  await lock.release();
  expect((await done).code).toBe(0);
});

test('a build that is under way is left alone, and the second one is refused', async () => {
  const cwd = temporary();
  const lock = await lockFile(join(cwd, 'site'));
  mkdirSync(join(cwd, STRAY));
  const { code, stderr } = await eos(COMMANDS[0][1](), { cwd });
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/^eos: [^\n]*site[^\n]*process \d+[^\n]*\n$/),
  ]);
  expect(existsSync(join(cwd, STRAY))).toBe(true);
  await lock.release();
});

import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'eos-dash-'));
afterAll(() => removeFolder(folder));

test('stream --dash serves the growing run, stays at its end, goes at Ctrl-C', async () => {
  const args = ['stream', '--steps', '6000', '--pace', '3000', '--dash', '--out', 'run.parquet'];
  const child = spawn(process.execPath, [join(root, 'bin/run.js'), ...args], { cwd: folder });
  let said = '';
  const saying = async (pattern: RegExp) => {
    for (let i = 0; i < 300; i++) {
      const match = pattern.exec(said);
      if (match) return match;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`never said ${pattern}: ${said}`);
  };
  child.stderr.on('data', (text) => {
    said += text;
  });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const [, url] = await saying(/dashboard: (http:\S+)/);

  const shared = async () => {
    const { runs } = (await (await fetch(new URL('runs.json', url))).json()) as {
      runs: { name: string; path: string }[];
    };
    return runs;
  };
  const magic = async (path: string) =>
    (await (await fetch(new URL(path, url))).text()).slice(0, 4);
  expect(await (await fetch(url!)).text()).toContain('<title>');
  expect((await shared()).map(({ name }) => name)).toEqual(['run.parquet']);
  await saying(/wrote run\.parquet: 6,001 rows/);
  await saying(/the dashboard stays at/);
  expect(await magic((await shared())[0]!.path)).toBe('PAR1');
  child.kill('SIGINT');
  expect(await ended).toBe(0);
});

test('stream --dash without a file is refused', async () => {
  const child = spawn(
    process.execPath,
    [join(root, 'bin/run.js'), 'stream', '--dash', '--dry-run'],
    { cwd: folder },
  );
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(2);
  expect(said).toMatch(/^eos: --dash: there is no file to show.*\n$/);
});

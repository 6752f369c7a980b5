import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeRows, parquetBytes } from '../dash/make-run.ts';
import { root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

describe('where eos dash build writes', () => {
  let outer: string;
  let folder: string;
  const run = parquetBytes(makeRows(50));
  const build = (...args: string[]) => {
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(root, 'bin/run.js'), 'dash', 'build', ...args],
      {
        cwd: folder,
        encoding: 'utf8',
      },
    );
    return { status, lines: stderr.trim().split('\n') };
  };
  const names = () => readdirSync(folder).sort();

  beforeAll(() => {
    outer = mkdtempSync(join(tmpdir(), 'eos-out-'));
    // Not at the top: what a test asks for may not reach out of what is its own, should the command
    // obey.
    folder = join(outer, 'here/inside');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'run.parquet'), run);
    copyFileSync(join(folder, 'run.parquet'), join(folder, 'data.html'));
    mkdirSync(join(folder, 'there'));
    mkdirSync(join(folder, 'runs'));
    copyFileSync(join(folder, 'run.parquet'), join(folder, 'runs/mine.parquet'));
    writeFileSync(join(folder, 'letter.html'), '<p>Dear reader</p>');
  });
  afterAll(() => removeFolder(outer));

  test.each([
    [
      'the data as HTML file',
      'run.parquet',
      /run\.parquet is no name of an HTML file; .* such as run\.html/,
    ],
    ['no ending', 'report', /report is no name of an HTML file; .* such as report\.html/],
    ['another ending', 'page.pdf', /page\.pdf is no name of an HTML file/],
    ['data that are called .html', 'data.html', /data\.html is among the data/, ['--force']],
    ['below a file', 'run.parquet/page.html', /run\.parquet is not a folder/],
    ['nothing', '', /an empty name; name an HTML file/],
    [
      'a file of somebody',
      'letter.html',
      /exists and is no dashboard; give another name, or --force/,
    ],
  ])(
    '--single-file refuses %s: one line, exit code 2, nothing written',
    (_, out, message, more: string[] = []) => {
      const before = names();
      const { status, lines } = build(
        '--data',
        'run.parquet',
        'data.html',
        '--single-file',
        '--out',
        out,
        ...more,
      );
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(message);
      expect(status).toBe(2);
      expect(names()).toEqual(before);
      expect(readFileSync(join(folder, 'run.parquet'))).toEqual(Buffer.from(run));
      expect(readFileSync(join(folder, 'data.html'))).toEqual(Buffer.from(run));
    },
  );

  test.each([
    ['a file', 'run.parquet', /is a file; name a folder \(or add --single-file\)/],
    ['below a file', 'run.parquet/site', /run\.parquet is not a folder/],
    ['a name that reads as a file', 'site.html', /add --single-file, or name a folder/],
    ['where one is', '.', /holds the folder you are in/],
    ['above where one is', '..', /holds the folder you are in/],
    ['the folder of the data', 'runs', /holds .*mine\.parquet, which is among the data/],
    ['nothing', '', /an empty name; name a folder/],
  ])(
    'a folder refuses %s, even with --force: one line, exit code 2, nothing lost',
    (_, out, message) => {
      const before = names();
      const { status, lines } = build('--data', 'runs', '--out', out, '--force');
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(message);
      expect(status).toBe(2);
      expect(names()).toEqual(before);
      expect(readFileSync(join(folder, 'runs/mine.parquet'))).toEqual(Buffer.from(run));
    },
  );

  test.each([
    ['page.html', 'page.html'],
    ['PAGE.HTM', 'PAGE.HTM'],
    ['there', 'there/index.html'],
    ['new/', 'new/index.html'],
    ['not/yet/there.html', 'not/yet/there.html'],
  ])('--single-file --out %s writes %s, and replaces it the next time', (out, written) => {
    for (let time = 0; time < 2; time++) {
      const { status, lines } = build('--data', 'run.parquet', '--single-file', '--out', out);
      expect(lines).toEqual([`wrote ${join(folder, written)}`]);
      expect(status).toBe(0);
      expect(readFileSync(join(folder, written), 'utf8')).toContain('id="eos-data"');
    }
  });

  test('a folder is made with its parents', () => {
    expect(build('--data', 'run.parquet', '--out', 'deep/down/site').status).toBe(0);
    expect(existsSync(join(folder, 'deep/down/site/data/run.parquet'))).toBe(true);
  });

  test('the help says what is taken', () => {
    const { stdout } = spawnSync(
      process.execPath,
      [join(root, 'bin/run.js'), 'dash', 'build', '--help'],
      {
        encoding: 'utf8',
      },
    );
    const help = stdout.replace(/\s+/g, ' ');
    expect(help).toContain(
      'with --single-file the HTML file (a name in .html), or a folder that is there',
    );
    expect(help).toContain('folders of sweeps');
  });
});

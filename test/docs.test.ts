import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './setup/parts.ts';

const documents = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];
const readme = readFileSync(join(root, 'README.md'), 'utf8');

test('the generated parts of the README are up to date', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/docs.js', '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('the README names its two commands', () => {
  expect(readme).toContain('npm ci && npx eos stream --out data/run.parquet');
  expect(readme).toContain('npm ci && npm test');
});

test.each(documents)('every file that %s links to is there', (document) => {
  const text = readFileSync(join(root, document), 'utf8');
  const links = [...text.matchAll(/\]\(([^)#]+)[^)]*\)|(?:src|srcset)="([^"]+)"/g)].map(
    (match) => match[1] ?? match[2]!,
  );
  for (const link of links.filter((target) => !/^https?:/.test(target))) {
    expect(existsSync(join(root, link)), link).toBe(true);
  }
});

test('the library program of the README runs', () => {
  const program = /```ts\n([\s\S]*?)```/.exec(readme)![1]!;
  const folder = mkdtempSync(join(tmpdir(), 'eos-readme-'));
  const runnable = program
    .replace("'eos-stream'", `'${root}dist/pipeline/node/library.js'`)
    .replace("'run.parquet'", `'${join(folder, 'run.parquet')}'`);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', runnable],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'converged\n', stderr: '' });
  expect(readdirSync(folder)).toEqual(['run.parquet']);
  rmSync(folder, { recursive: true });
});

test('nothing in the checkout stands where the README writes its run', () => {
  const { status, stdout } = spawnSync('git', ['ls-files', 'data'], {
    cwd: root,
    encoding: 'utf8',
  });
  // A copy without its history has no list to ask.
  if (status === 0) expect(stdout).toBe('data/three-phases.parquet\n');
  else expect(existsSync(join(root, '.git'))).toBe(false);
});

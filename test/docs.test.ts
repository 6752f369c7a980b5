import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './setup/parts.ts';

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...['docs', 'docs/watch'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
];
const readme = readFileSync(join(root, 'README.md'), 'utf8');

test('the generated tables of the docs are up to date', () => {
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
    expect(existsSync(join(root, dirname(document), link)), link).toBe(true);
  }
});

test.each(documents)('every test that %s names is there', (document) => {
  const text = readFileSync(join(root, document), 'utf8');
  for (const [path] of text.matchAll(/\b(?:test|bench|scripts)\/[\w./-]+\.(?:ts|js|sh|py)\b/g))
    expect(existsSync(join(root, path)), path).toBe(true);
});

test('the README stays short', () => {
  expect(readme.split('\n').length).toBeLessThan(150);
});

test('nothing in the checkout stands where the README writes its run', () => {
  const { status, stdout } = spawnSync('git', ['ls-files', 'data'], {
    cwd: root,
    encoding: 'utf8',
  });
  // A copy without its history has no list to ask.
  if (status === 0) expect(stdout).not.toMatch(/^data\/run/m);
  else expect(existsSync(join(root, '.git'))).toBe(false);
});

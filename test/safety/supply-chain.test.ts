import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../setup/parts.ts';

interface LockEntry {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly optional?: boolean;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const json = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8'));
const lock = json('package-lock.json').packages as Readonly<Record<string, LockEntry>>;
const manifest = json('package.json') as {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};
const installed = Object.entries(lock).filter(([path]) => path !== '');

describe('the lock file', () => {
  test('every dependency is asked for in one exact version, the locked one', () => {
    const all = { ...manifest.dependencies, ...manifest.devDependencies };
    for (const [name, version] of Object.entries(all)) {
      expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+(-[\w.]+)?$/)]);
      expect([name, lock[`node_modules/${name}`]?.version]).toEqual([name, version]);
    }
    expect(lock['']?.dependencies).toEqual(manifest.dependencies);
  });

  test('every package has a checksum, but for builds for machines that are not this one', () => {
    const without = installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
    for (const [path, { optional, version }] of without) {
      expect([path, optional]).toEqual([path, true]);
      expect(version).toMatch(/^\d+\.\d+\.\d+/);
      expect(path).toMatch(/-(darwin|win32|android|linux)-/);
    }
  });

  test('nothing comes from anywhere but the registry', () => {
    for (const [path, { resolved }] of installed) {
      if (resolved !== undefined)
        expect([path, resolved]).toEqual([
          path,
          expect.stringMatching(/^https:\/\/[^/]+\/.*\.tgz$/),
        ]);
    }
  });

  test('no package that is needed at run time has an install script; one optional has', () => {
    const scripted = installed.filter(([, { hasInstallScript }]) => hasInstallScript);
    const needed = scripted.filter(
      ([path]) => !/node_modules\/(esbuild|fsevents|msgpackr-extract)$/.test(path),
    );
    expect(needed).toEqual([]);
  });
});

test('the package lists every program of others with its licence', () => {
  const text = readFileSync(join(root, 'THIRD_PARTY.md'), 'utf8');
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
    expect(text).toContain(`| ${name} | `);
  expect(text).not.toMatch(/unknown|undefined/);
  // What is bundled stands there with the whole text of its licence.
  expect(text).toMatch(/@observablehq\/plot [\d.]+ \(ISC\)\n\nCopyright \d+[-\d]* Observable/);
  expect(text).toMatch(/hyparquet [\d.]+ \(MIT\)\n\nThe MIT License/);
});

test('npm runs nothing when the package is installed', () => {
  const scripts = Object.keys(json('package.json').scripts);
  expect(scripts.filter((name) => /install/.test(name))).toEqual([]);
});

test('the package holds the program, its page and its licence, and nothing else', () => {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
  });
  const [{ files }] = JSON.parse(output) as [
    { readonly files: readonly { readonly path: string; readonly size: number }[] },
  ];
  // The small run that the dashboard shows where no file is named.
  const sample = 'data/three-phases.parquet';
  expect(files.map(({ path }) => path)).toContain(sample);
  const paths = files.map(({ path }) => path).filter((path) => path !== sample);
  for (const needed of [
    'package.json',
    'README.md',
    'LICENSE',
    'bin/run.js',
    'oclif.manifest.json',
    'CITATION.cff',
    'THIRD_PARTY.md',
    'dist/cli/main.js',
    'dist/cli/commands/stream.js',
    'dist/cli/commands/recover.js',
    'dist/pipeline/index.js',
    'dist/pipeline/index.d.ts',
    'dist/pipeline/node/index.js',
    'dist/page/index.html',
  ]) {
    expect(paths).toContain(needed);
  }
  const foreign = paths.filter(
    (path) =>
      !/^(dist|bin|assets)\//.test(path) &&
      !/^(package\.json|README\.md|LICENSE|CHANGELOG\.md|CITATION\.cff|THIRD_PARTY\.md|oclif\.manifest\.json)$/.test(
        path,
      ),
  );
  expect(foreign).toEqual([]);
  expect(
    paths.filter((path) =>
      /^(test|src|bench|data|python)\/|(^|\/)(node_modules|\.venv)\/|\.test\.|\.parquet$|\.env|\.tsbuildinfo$/.test(
        path,
      ),
    ),
  ).toEqual([]);
  expect(files.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(8_000_000);
});

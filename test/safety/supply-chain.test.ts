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
  readonly license?: string;
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

describe('the bill of materials', () => {
  interface Component {
    readonly 'bom-ref': string;
    readonly name: string;
    readonly version: string;
    readonly scope: string;
    readonly purl: string;
    readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
    readonly licenses?: readonly unknown[];
  }
  const bom = json('sbom.cdx.json') as {
    readonly bomFormat: string;
    readonly specVersion: string;
    readonly serialNumber: string;
    readonly metadata: { readonly component: Component };
    readonly components: readonly Component[];
    readonly dependencies: readonly {
      readonly ref: string;
      readonly dependsOn: readonly string[];
    }[];
  };

  test('is CycloneDX, of this version, and agrees with the lock file', () => {
    expect(bom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5' });
    expect(bom.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(bom.metadata.component).toMatchObject({ version: manifest.version });
    for (const { 'bom-ref': ref, name, version, purl, hashes, licenses } of bom.components) {
      const entry = lock[ref.slice(ref.indexOf('#') + 1)];
      expect([name, entry?.version]).toEqual([name, version]);
      expect(purl).toBe(`pkg:npm/${name.replace('@', '%40')}@${version}`);
      // The lock file says nothing of builds for machines that are not this one.
      expect([name, licenses?.length]).toEqual([name, entry?.license ? 1 : undefined]);
      const [hash] = hashes ?? [];
      const told = hash && `sha512-${Buffer.from(hash.content, 'hex').toString('base64')}`;
      expect([name, told]).toEqual([name, entry?.integrity]);
    }
  });

  test('holds all that is installed beside the package, and what each depends on', () => {
    const scopeOf = new Map(bom.components.map(({ name, scope }) => [name, scope]));
    for (const name of Object.keys(manifest.dependencies))
      expect([name, scopeOf.get(name)]).toEqual([name, 'required']);
    for (const name of Object.keys(manifest.peerDependencies))
      expect([name, scopeOf.has(name)]).toEqual([name, true]);
    // What is built in is installed with nobody.
    for (const name of ['apache-arrow', 'hyparquet', '@oclif/core'])
      expect([name, scopeOf.get(name)]).toEqual([name, 'required']);
    const needed = installed.filter(([, { dev, optional }]) => !dev && !optional);
    for (const [path] of needed)
      expect(bom.components.some(({ 'bom-ref': ref }) => ref.endsWith(`#${path}`))).toBe(true);
    const refs = new Set(bom.components.map(({ 'bom-ref': ref }) => ref));
    for (const { dependsOn } of bom.dependencies)
      for (const ref of dependsOn) expect(refs).toContain(ref);
  });
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
    'sbom.cdx.json',
    'bin/load.js',
    'bin/package.json',
    'dist/eos/main.cjs',
    'dist/eos/code.bin',
    'dist/eos/commands/stream.cjs',
    'dist/eos/commands/recover.cjs',
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
      !/^(package\.json|README\.md|LICENSE|CHANGELOG\.md|CITATION\.cff|THIRD_PARTY\.md|oclif\.manifest\.json|sbom\.cdx\.json)$/.test(
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
  expect(files.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(12_800_000);
});

import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from './setup/eos.ts';
import { root } from './setup/parts.ts';

/**
 * Which of these files, each with one import, the project's linter rules reject, and by which rule.
 */
async function rejected(
  imports: readonly (readonly [path: string, imported: string])[],
): Promise<string[]> {
  const folder = temporaryFolder();
  const config = JSON.parse(await readFile(join(root, 'biome.json'), 'utf8'));
  await writeFile(
    join(folder, 'biome.json'),
    JSON.stringify({ ...config, $schema: undefined, vcs: undefined }),
  );
  for (const [path, imported] of imports) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(
      join(folder, path),
      `import { x } from '${imported}';\n\nexport const y = x;\n`,
    );
  }
  const args = [
    join(root, 'node_modules/@biomejs/biome/bin/biome'),
    'lint',
    '--reporter=github',
    'src',
  ];
  const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  return [...stdout.matchAll(/title=lint\/\w+\/(\w+),file=([^,]+),/g)]
    .map(([, rule, file]) => `${relative(folder, file!)} ${rule}`)
    .sort();
}

/**
 * The folders of the pipeline, from what knows least to what knows most; those of one layer may
 * import each other.
 */
const LAYERS = [
  ['core', 'numeric'],
  ['models', 'optimizers', 'dynamics'],
  ['operators', 'phases', 'theory'],
  ['sources', 'formats', 'sinks', 'sweep'],
  ['node'],
];

const pairs = LAYERS.flatMap((layer, at) =>
  layer.flatMap((from) =>
    LAYERS.flatMap((other, to) =>
      other.map((name) => ({
        from,
        name,
        allowed: to <= at,
      })),
    ),
  ),
);

test('the linter holds every arrow between two folders of the pipeline', async () => {
  const place = ({ from, name }: (typeof pairs)[number]) => `src/pipeline/${from}/to-${name}.ts`;
  const found = await rejected(
    pairs.map((pair) => [place(pair), `../${pair.name}/some.ts`] as const),
  );
  const forbidden = pairs.filter(({ allowed }) => !allowed);
  expect(found).toEqual(forbidden.map((pair) => `${place(pair)} noRestrictedImports`).sort());
});

test('the pipeline knows neither cli nor dash, and the page nothing of Node', async () => {
  const folders = [...LAYERS.flat().map((name) => `src/pipeline/${name}/`), 'src/pipeline/'];
  const found = await rejected([
    ...folders.map((folder) => [`${folder}a.ts`, '../../cli/errors.ts'] as const),
    ...folders.map((folder) => [`${folder}b.ts`, '../../dash/main.ts'] as const),
    ...folders.map((folder) => [`${folder}c.ts`, 'node:fs'] as const),
    ['src/dash/a.ts', '../cli/errors.ts'],
    ['src/dash/plots/b.ts', '../../pipeline/node/lock.ts'],
    // These are as they should be.
    ['src/cli/c.ts', '../pipeline/models/minimal/columns.ts'],
    ['src/dash/c.ts', '../pipeline/models/minimal/columns.ts'],
  ]);
  expect(found).toEqual(
    [
      ...folders.flatMap((folder) =>
        ['a', 'b'].map((name) => `${folder}${name}.ts noRestrictedImports`),
      ),
      ...folders
        .filter((folder) => !folder.includes('/node/'))
        .map((folder) => `${folder}c.ts noNodejsModules`),
      'src/dash/a.ts noRestrictedImports',
      'src/dash/plots/b.ts noRestrictedImports',
    ].sort(),
  );
});

test('no file imports itself by way of others', async () => {
  const found = await rejected([
    ['src/pipeline/core/a.ts', './b.ts'],
    ['src/pipeline/core/b.ts', './a.ts'],
  ]);
  expect(found).toEqual([
    'src/pipeline/core/a.ts noImportCycles',
    'src/pipeline/core/b.ts noImportCycles',
  ]);
});

test('of Math only what every engine rounds alike is used on the way to a file', async () => {
  const { readdirSync } = await import('node:fs');
  // The kernel is compiled by itself, with functions of its own; a power of 2 is exact everywhere.
  const exempt = ['numeric/elementary.ts', 'models/network/kernel/'];
  const inexact =
    /\bMath\.(a?(sin|cos|tan)h?|atan2|exp|expm1|log|log10|log1p|log2|pow|cbrt|hypot)\b|(?<!\b2) \*\* /;
  const found: string[] = [];
  for (const path of readdirSync(join(root, 'src/pipeline'), {
    recursive: true,
    encoding: 'utf8',
  })) {
    if (!path.endsWith('.ts') || exempt.some((part) => path.startsWith(part))) continue;
    const text = await readFile(join(root, 'src/pipeline', path), 'utf8');
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    for (const line of code.split('\n'))
      if (inexact.test(line)) found.push(`${path}: ${line.trim()}`);
  }
  expect(found).toEqual([]);
});

test('lines have at most 100 characters; in tests, comments and titles', async () => {
  const long: string[] = [];
  for (const folder of ['src', 'test', 'bench', 'scripts']) {
    for (const name of await readdir(join(root, folder), { recursive: true })) {
      // What the build writes is for no eyes.
      if (!/\.(ts|m?js|css)$/.test(name) || /-bytes\.ts$/.test(name)) continue;
      const lines = (await readFile(join(root, folder, name), 'utf8')).split('\n');
      const every = folder !== 'test';
      for (const [i, line] of lines.entries())
        if (line.length > 100 && (every || /^\s*(\/\/|\*|\/\*\*|test\(|describe\()/.test(line)))
          long.push(`${folder}/${name}:${i + 1}`);
    }
  }
  expect(long).toEqual([]);
});

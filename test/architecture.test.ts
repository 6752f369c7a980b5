import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from './setup/eos.ts';
import { root } from './setup/parts.ts';

/** Which of these files, each with one import, the project's linter rules reject, and by which rule. */
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

test('data flows one way, and the linter sees to it', async () => {
  expect(
    await rejected([
      ['src/pipeline/operators/a.ts', '../../cli/errors.ts'],
      ['src/pipeline/b.ts', '../dash/main.ts'],
      ['src/pipeline/node/c.ts', '../../cli/errors.ts'],
      ['src/pipeline/models/minimal/d.ts', '../../operators/thin.ts'],
      ['src/pipeline/sinks/e.ts', 'node:fs'],
      ['src/pipeline/sources/f.ts', 'node:process'],
      // These are as they should be.
      ['src/pipeline/node/g.ts', 'node:fs'],
      ['src/pipeline/operators/h.ts', '../models/minimal/loss.ts'],
      ['src/pipeline/models/minimal/i.ts', './loss.ts'],
      ['src/pipeline/models/minimal/l.ts', '../../core/parameters.ts'],
      ['src/cli/j.ts', '../pipeline/models/minimal/columns.ts'],
      ['src/dash/k.ts', '../pipeline/models/minimal/columns.ts'],
    ]),
  ).toEqual([
    'src/pipeline/b.ts noRestrictedImports',
    'src/pipeline/models/minimal/d.ts noRestrictedImports',
    'src/pipeline/node/c.ts noRestrictedImports',
    'src/pipeline/operators/a.ts noRestrictedImports',
    'src/pipeline/sinks/e.ts noNodejsModules',
    'src/pipeline/sources/f.ts noNodejsModules',
  ]);
});

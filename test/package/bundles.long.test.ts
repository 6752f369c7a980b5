import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from '../setup/parts.ts';
import { filesEnding, folderOfFile, pack, project, succeed, write } from './projects.ts';

const folder = folderOfFile();
const cwd = join(folder, 'project');

/** A source and four operators, as a page would use them. */
const PAGE = `
import { classifySharpness, detectPhases, flowSolution, gradientDescent, splitLoss } from 'eos-stream';

let rows = 0;
gradientDescent({ preset: 'three-phases', steps: 100 })
  .pipe(splitLoss(), classifySharpness(), flowSolution(), detectPhases())
  .subscribe({ next: ({ length }) => (rows += length), complete: () => globalThis.report(rows) });
`;

/** Largest size of that program, compressed. */
const MAX_GZIPPED = 12_000;

beforeAll(async () => {
  const { tarball } = await pack(folder);
  // The programs that bundle are ours; the package stands alone in its project.
  await project(cwd, tarball);
  await write(cwd, {
    'page.js': PAGE,
    'vite.config.js': 'export default { build: { modulePreload: false } };',
    'index.html': '<!doctype html><script type="module" src="./page.js"></script>',
  });
});

const viteHome = createRequire(join(root, 'node_modules/vite/package.json'));

describe.each([
  [
    'esbuild',
    async () => {
      const esbuild = join(root, 'node_modules/esbuild/bin/esbuild');
      const options = ['--bundle', '--minify', '--format=esm', '--platform=browser'];
      await succeed(cwd, esbuild, 'page.js', ...options, '--outfile=esbuild/page.js');
      return join(cwd, 'esbuild/page.js');
    },
  ],
  [
    'Vite',
    async () => {
      const vite = join(viteHome.resolve('./package.json'), '../bin/vite.js');
      await succeed(cwd, process.execPath, vite, 'build', '--outDir', 'vite');
      const [script, ...more] = await filesEnding(join(cwd, 'vite'), '.js');
      expect(more).toEqual([]);
      return script!;
    },
  ],
])('%s for the browser', (_, bundle) => {
  test('makes a small program that runs without anything of Node', async () => {
    const script = await readFile(await bundle(), 'utf8');
    expect(gzipSync(script).length).toBeLessThanOrEqual(MAX_GZIPPED);
    expect(script).not.toMatch(/\bfrom\s*["'](?!\.)/);
    const rows = await new Promise((resolve) => {
      const globals = { report: resolve, setTimeout, clearTimeout, performance, queueMicrotask };
      runInNewContext(script, globals);
    });
    expect(rows).toBe(101);
  });
});

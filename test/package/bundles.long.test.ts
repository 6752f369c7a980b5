import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from '../setup/parts.ts';
import { folderOfFile, pack, project, succeed, write } from './projects.ts';

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

/** The same of what cannot be, and of what the first page does not load. */
const REFUSED = `
import { ConfigError, gradientDescent } from 'eos-stream';

gradientDescent({ preset: 'three-phases', eta: -1 }).subscribe({
  error: (error) => globalThis.report([error instanceof ConfigError, error.message]),
});
`;

const MOMENTUM = `
import { gradientDescent } from 'eos-stream';

let last;
gradientDescent({ steps: 100, momentum: '9/10', samples: 50 })
  .subscribe({ next: (batch) => (last = batch), complete: () => globalThis.report(told()) });
const told = () => [last.run.config.optimizer, last.length];
`;

const PRECISE = `
import { gradientDescent } from 'eos-stream';

gradientDescent({ preset: 'three-phases', steps: 10, precision: '128' })
  .subscribe(({ run }) => globalThis.report(run.bits));
`;

beforeAll(async () => {
  const { tarball } = await pack(folder);
  // The programs that bundle are ours; the package stands alone in its project.
  await project(cwd, tarball);
  await write(cwd, {
    'page.js': PAGE,
    'precise.js': PRECISE,
    'refused.js': REFUSED,
    'momentum.js': MOMENTUM,
    'vite.config.js': 'export default { build: { modulePreload: false } };',
    'index.html': '<!doctype html><script type="module" src="./page.js"></script>',
  });
});

const viteHome = createRequire(join(root, 'node_modules/vite/package.json'));

async function esbuild(entry: string, ...options: readonly string[]): Promise<void> {
  const program = join(root, 'node_modules/esbuild/bin/esbuild');
  await succeed(cwd, program, entry, '--bundle', '--minify', '--platform=browser', ...options);
}

interface Metafile {
  readonly inputs: Readonly<
    Record<
      string,
      { readonly imports: readonly { readonly path: string; readonly kind: string }[] }
    >
  >;
}

/**
 * The scripts that a page waits for before it runs: its own, and all that is imported but by
 * `import()`.
 */
async function pathsAtStart(script: string): Promise<string[]> {
  await esbuild(script, '--format=iife', '--outfile=whole.js', '--metafile=whole.json');
  const { inputs } = JSON.parse(await readFile(join(cwd, 'whole.json'), 'utf8')) as Metafile;
  const paths = new Set([script]);
  for (const path of paths) {
    const needed = inputs[path]!.imports.filter(({ kind }) => kind === 'import-statement');
    for (const each of needed) paths.add(each.path);
  }
  return [...paths];
}

async function loadedAtStart(script: string): Promise<string[]> {
  const paths = await pathsAtStart(script);
  return Promise.all(paths.map((path) => readFile(join(cwd, path), 'utf8')));
}

/** What a built page reports where none but these of its files are there. */
async function runAlone(script: string, paths: readonly string[]): Promise<string> {
  const alone = join(cwd, 'alone');
  await rm(alone, { recursive: true, force: true });
  for (const path of paths) await cp(join(cwd, path), join(alone, path));
  await writeFile(join(alone, 'package.json'), '{"type": "module"}');
  const program = `globalThis.report = console.log; await import('./${script}');`;
  return succeed(alone, process.execPath, '--input-type=module', '--eval', program);
}

/** Runs a built page, and what it loads, where nothing of Node is; returns what it reports. */
async function runPage(script: string): Promise<unknown> {
  await esbuild(script, '--format=iife', '--outfile=whole.js');
  const text = await readFile(join(cwd, 'whole.js'), 'utf8');
  return new Promise((resolve) => {
    const globals = { report: resolve, setTimeout, clearTimeout, performance, queueMicrotask };
    runInNewContext(text, globals);
  });
}

const size = (parts: readonly string[]) =>
  parts.reduce((sum, text) => sum + gzipSync(text).length, 0);

/** The largest size, compressed, of what the page loads to run: with 2.5 kB of RxJS. */
const MOST = 12_000;

describe.each([
  [
    'esbuild',
    async () => {
      await esbuild('page.js', '--format=esm', '--splitting', '--outdir=esbuild');
      return 'esbuild/page.js';
    },
  ],
  [
    'Vite',
    async () => {
      const vite = join(viteHome.resolve('./package.json'), '../bin/vite.js');
      await succeed(cwd, process.execPath, vite, 'build', '--outDir', 'vite');
      const page = await readFile(join(cwd, 'vite/index.html'), 'utf8');
      return join('vite', /<script [^>]*src="([^"]+)"/.exec(page)![1]!);
    },
  ],
])('%s for the browser', (_, bundle) => {
  test('makes a small program that runs without anything of Node', async () => {
    const script = await bundle();
    expect(size(await loadedAtStart(script))).toBeLessThanOrEqual(MOST);
    expect(await runPage(script)).toBe(101);
    // It needs none of what it could load later.
    expect(await runAlone(script, await pathsAtStart(script))).toBe('101\n');
  });
});

test('a page says in one line what cannot be, and loads what other runs need', async () => {
  const reported = async (page: string) => {
    await esbuild(`${page}.js`, '--format=esm', '--splitting', `--outdir=${page}`);
    return runPage(`${page}/${page}.js`);
  };
  expect(await reported('refused')).toEqual([
    true,
    'eta: -1 is not a positive number; give the learning rate, such as 0.05 or 1/20',
  ]);
  expect(await reported('momentum')).toEqual(['momentum', 101]);
});

test('a page loads the arithmetic of many bits where it asks for it', async () => {
  await esbuild('precise.js', '--format=esm', '--splitting', '--outdir=precise');
  const script = 'precise/precise.js';
  const atStart = (await loadedAtStart(script)).join('');
  expect(atStart).not.toContain('BigInt(');
  expect(await runPage(script)).toBe(128);
});

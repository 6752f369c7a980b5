import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parquetMetadata } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import { cleanEnvironment, eos, startEos, temporaryFolder, watch } from '../setup/eos.ts';
import { describeWith, hasPackages, part, root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const MINUTE = 60_000;
const project = join(root, 'python');

/**
 * Each way to train, the packages without which it is left out (JAX is always there), and the
 * fastest that trains the same network.
 */
const FRAMEWORKS = [
  { name: 'pytorch', needs: ['torch'], backend: '', same: 'pytorch' },
  { name: 'jax', needs: [], backend: '', same: 'jax' },
  {
    name: 'huggingface',
    needs: ['torch', 'transformers', 'accelerate'],
    backend: '',
    same: 'pytorch',
  },
  { name: 'lightning', needs: ['torch', 'lightning'], backend: '', same: 'pytorch' },
  { name: 'keras', needs: ['torch', 'keras'], backend: 'torch', same: 'keras' },
  { name: 'keras', needs: ['keras'], backend: 'jax', same: 'keras' },
] as const;

const there = FRAMEWORKS.filter(({ needs }) => hasPackages(...needs));

describeWith(['jax'], 'eos_watch', () => {
  test(
    'passes its own tests in each framework that is there',
    async () => {
      const options = ['--tb=short', '--show-capture=no', '-rfEs'];
      const { code, stdout } = await pytest(options);
      const lines = stdout.trimEnd().split('\n');
      console.log(lines.filter((line) => /^left out|passed/.test(line)).join('\n'));
      // What is red is told first, and why, as pytest sums it up.
      const red = lines.filter((line) => /^(FAILED|ERROR|SKIPPED)/.test(line));
      expect(red, stdout.slice(stdout.indexOf('= FAILURES ='))).toEqual([]);
      expect([code, lines.at(-1)]).toEqual([0, expect.stringMatching(/\d+ passed/)]);
    },
    30 * MINUTE,
  );

  test(
    'pip install ./python makes a package that says its types and loads no framework',
    async () => {
      const folder = temporaryFolder();
      const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder, project];
      await promisify(execFile)(part('jax'), pip);
      expect(existsSync(join(folder, 'eos_watch/py.typed'))).toBe(true);
      const code =
        'import sys, eos_watch, eos_watch.recorder; print(eos_watch.__file__, sorted({"torch", "jax", "keras"} & set(sys.modules)))';
      const { stdout } = await promisify(execFile)(part('jax'), ['-c', code], {
        env: { ...process.env, PYTHONPATH: folder },
      });
      expect(stdout).toBe(`${folder}/eos_watch/__init__.py []\n`);

      // Without site-packages there is none of them to load.
      const bare = (name: string) =>
        spawnSync(part('jax'), ['-I', '-S', '-c', importing(folder, name)], { encoding: 'utf8' });
      for (const [module, needed] of [
        ['eos_watch.torch', 'torch'],
        ['eos_watch.jax', 'jax'],
        ['eos_watch.huggingface', 'torch'],
        ['eos_watch.lightning', 'lightning'],
        ['eos_watch.keras', 'keras'],
      ] as const)
        expect(bare(module).stdout).toContain(
          `needs ${needed}, which is not installed: pip install '${needed}'`,
        );
    },
    5 * MINUTE,
  );

  test.runIf(hasPackages('mypy', 'torch', 'keras', 'lightning', 'transformers'))(
    'its types hold in strict mode',
    () => {
      const { stdout, status } = spawnSync(part('jax'), ['-m', 'mypy'], {
        cwd: project,
        encoding: 'utf8',
      });
      expect([status, stdout]).toEqual([0, expect.stringContaining('Success')]);
    },
    5 * MINUTE,
  );

  describe('a training that is watched live', () => {
    const script = (name: string, log: string, budget: number | 'dense') => [
      join(project, 'tests/live.py'),
      name,
      log,
      String(budget),
    ];
    const environment = (backend: string) => ({
      ...cleanEnvironment(),
      PYTHONPATH: join(project, 'src'),
      OMP_NUM_THREADS: '1',
      ...(backend && { KERAS_BACKEND: backend }),
    });

    /** Each network is measured densely once: its losses, and the step where its edge is found. */
    const measured = new Map<string, Promise<{ losses: number[]; edge: number }>>();
    async function denselyMeasured(name: string) {
      const cwd = mkdtempSync(join(tmpdir(), 'eos-watch-'));
      try {
        const env = environment(name === 'keras' ? 'jax' : '');
        await promisify(execFile)(part('jax'), script(name, 'dense.ndjson', 'dense'), { cwd, env });
        const dense = await eos(['detect', 'dense.ndjson', '--out', 'dense.parquet', '-q'], {
          cwd,
        });
        expect([dense.code, dense.stderr]).toEqual([0, '']);
        return { losses: lossesOf(cwd, 'dense.ndjson'), edge: edgeOf(cwd, 'dense.parquet') };
      } finally {
        removeFolder(cwd);
      }
    }

    test.each(there)(
      '$name $backend: the edge is found where a dense measurement finds it',
      async ({ name, backend, same }) => {
        if (!measured.has(same)) measured.set(same, denselyMeasured(same));
        const { losses, edge: exact } = await measured.get(same)!;
        const cwd = temporaryFolder();
        const env = environment(backend);
        const python = part('jax');

        // A fifth of the time, and read while it is written.
        const live = startEos(['detect', 'live.ndjson', '--follow', '--out', 'live.parquet'], {
          cwd,
        });
        await live.says('waiting for live.ndjson');
        const training = watch(
          spawn(python, script(name, 'live.ndjson', 0.2), { cwd, env, stdio: 'pipe' }),
        );
        expect((await training.done).code).toBe(0);
        const own = lossesOf(cwd, 'live.ndjson');
        expect(own.length).toBe(1500);
        // The very training, but for what is rounded, up to where it is about to swing.
        for (const [step, loss] of losses.slice(0, exact).entries())
          expect(Math.abs(own[step]! / loss - 1), `step ${step}`).toBeLessThan(1e-4);
        const edgeSeen = await live.says('edge of stability').then(() => true);
        live.child.kill('SIGINT');
        expect([(await live.done).code, edgeSeen]).toEqual([130, true]);
        const found = edgeOf(cwd, 'live.parquet');
        console.log(`${name} ${backend}: edge at ${exact} measured densely, ${found} live`);
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(0.02 * 1500);
      },
      20 * MINUTE,
    );
  });

  describe('the snippets of docs/watch', () => {
    const pages = readdirSync(join(root, 'docs/watch'));
    const text = pages.map((page) => readFileSync(join(root, 'docs/watch', page), 'utf8')).join('');
    const snippets = [
      ...text.matchAll(/<!-- needs: ([a-z ]*?) -->\n```python\n([\s\S]*?)```/g),
    ].map(([, needs, code]) => ({ needs: needs!.split(' ').filter(Boolean), code: code! }));
    test('are all named, one page a framework', () => {
      expect(pages).toEqual(['huggingface.md', 'jax.md', 'keras.md', 'lightning.md', 'pytorch.md']);
      expect(snippets.length).toBe([...text.matchAll(/```python/g)].length);
      expect(snippets.length).toBeGreaterThanOrEqual(5);
    });

    test.runIf(hasPackages('torch'))('and the example notebook run', async () => {
      const notebook = readFileSync(join(root, 'docs/examples/watch.ipynb'), 'utf8');
      const { cells } = JSON.parse(notebook) as {
        cells: { cell_type: string; source: string[] }[];
      };
      const code = cells
        .filter(({ cell_type }) => cell_type === 'code')
        .map(({ source }) => source.join(''))
        .join('\n');
      const cwd = temporaryFolder();
      const env = { ...cleanEnvironment(), PYTHONPATH: join(project, 'src') };
      await promisify(execFile)(part('jax'), ['-c', code], { cwd, env });
      const { code: status, stderr } = await eos(['detect', 'train.ndjson'], { cwd });
      expect([status, stderr]).toEqual([0, expect.stringMatching(/done +edge of stability/)]);
    });

    const found = snippets.filter(({ needs }) => hasPackages(...needs));
    test.each(found.map(({ needs, code }) => ({ name: needs.join(' '), code })))(
      '$name',
      async ({ code }) => {
        const cwd = temporaryFolder();
        const env = {
          ...cleanEnvironment(),
          PYTHONPATH: join(project, 'src'),
          OMP_NUM_THREADS: '1',
        };
        await promisify(execFile)(part('jax'), ['-c', code], { cwd, env });
        expect(readdirSync(cwd)).toContain('train.ndjson');
        const { code: status, stderr } = await eos(['detect', 'train.ndjson'], { cwd });
        expect([status, stderr]).toEqual([0, expect.stringContaining('done')]);
        expect(stderr).not.toContain('diverged');
      },
      10 * MINUTE,
    );
  });
});

/** Python that says in a line why a module cannot be imported. */
function importing(folder: string, module: string): string {
  return [
    'import importlib, sys',
    `sys.path.insert(0, ${JSON.stringify(folder)})`,
    'try:',
    `    importlib.import_module(${JSON.stringify(module)})`,
    'except ImportError as error:',
    '    print(error)',
  ].join('\n');
}

/** Runs the package's own tests. */
async function pytest(options: readonly string[]): Promise<{ code: number; stdout: string }> {
  const args = ['-m', 'pytest', ...options];
  const running = promisify(execFile)(part('jax'), args, { cwd: project, maxBuffer: 1 << 28 });
  return running.then(
    ({ stdout }) => ({ code: 0, stdout }),
    ({ code, stdout }: { code: number; stdout: string }) => ({ code, stdout }),
  );
}

/** Losses of all steps of a log, which begins at step 0. */
function lossesOf(folder: string, file: string): number[] {
  const lines = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n').slice(1);
  return lines.map((line, i) => {
    const { step, loss } = JSON.parse(line) as { step: number; loss: number };
    expect(step).toBe(i);
    return loss;
  });
}

/** First step of the first phase at the edge, as the summary of a file dates it. */
function edgeOf(folder: string, file: string): number {
  const bytes = readFileSync(join(folder, file));
  const metadata = parquetMetadata(new Uint8Array(bytes).buffer).key_value_metadata;
  const text = metadata?.find(({ key }) => key === 'eos.summary')?.value;
  const { phases } = JSON.parse(text!) as { phases: { phase: string; first_step: number }[] };
  return phases.find(({ phase }) => phase === 'edge-of-stability')!.first_step;
}

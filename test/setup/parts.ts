import { execFile, execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, test } from 'vitest';

/** The project's root folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

interface Part {
  readonly what: string;
  readonly howToGet: string;
  /** The path of a part that works, or undefined. */
  find(): string | undefined;
}

const parts = {
  python: {
    what: 'Python with pandas, pyarrow, Polars and DuckDB',
    howToGet: 'run scripts/venv.sh, or set EOS_PYTHON to such a Python',
    find: () => {
      const python = executable(process.env.EOS_PYTHON ?? join(root, '.venv/bin/python'));
      return python && holdsPackages(python, ['duckdb', 'pandas', 'polars', 'pyarrow'])
        ? python
        : undefined;
    },
  },
  readers: {
    what: 'DataFusion and fastparquet',
    howToGet: 'run scripts/venv.sh',
    find: () => {
      const python = executable(process.env.EOS_PYTHON ?? join(root, '.venv/bin/python'));
      return python && holdsPackages(python, ['datafusion', 'fastparquet']) ? python : undefined;
    },
  },
  tensorboard: {
    what: "TensorBoard's Python package",
    howToGet: 'run scripts/venv.sh',
    find: () => {
      const python = executable(process.env.EOS_PYTHON ?? join(root, '.venv/bin/python'));
      return python && holdsPackages(python, ['tensorboard']) ? python : undefined;
    },
  },
  jax: {
    what: 'Python with JAX, optax and pytest',
    howToGet: 'run scripts/venv.sh',
    find: () => {
      const python = executable(process.env.EOS_PYTHON ?? join(root, '.venv/bin/python'));
      return python && holdsPackages(python, ['jax', 'optax', 'pytest']) ? python : undefined;
    },
  },
  chromium: {
    what: 'Chromium',
    howToGet: 'apt-get install chromium, or set EOS_CHROMIUM to its path',
    find: () => executable(process.env.EOS_CHROMIUM ?? '/usr/bin/chromium'),
  },
  headlessShell: {
    what: "Chromium's headless shell",
    howToGet: 'apt-get install chromium-headless-shell',
    find: () => (process.env.EOS_CHROMIUM ? undefined : onPath('chromium-headless-shell')),
  },
  redis: {
    what: 'redis-server',
    howToGet: 'apt-get install redis-server',
    find: () => onPath('redis-server'),
  },
  slurm: {
    what: 'Slurm, as root',
    howToGet: 'run as root, with slurmctld, slurmd, slurm-client and munge installed',
    find: () =>
      process.getuid?.() === 0 && onPath('munged') && onPath('slurmd') && onPath('sbatch')
        ? onPath('slurmctld')
        : undefined,
  },
  namespaces: {
    what: 'namespaces of its own (unshare, mount, setpriv)',
    howToGet: 'run as root, in a container with --privileged, with util-linux installed',
    find: () => {
      try {
        execFileSync('unshare', ['--pid', '--fork', '--mount-proc', 'setpriv', '--version'], {
          stdio: 'ignore',
        });
        return onPath('unshare');
      } catch {
        return undefined;
      }
    },
  },
  strace: {
    what: 'strace',
    howToGet: 'apt-get install strace (Linux)',
    find: () => onPath('strace'),
  },
  bash: { what: 'bash', howToGet: 'apt-get install bash', find: () => onPath('bash') },
  zsh: { what: 'zsh', howToGet: 'apt-get install zsh', find: () => onPath('zsh') },
  fish: { what: 'fish', howToGet: 'apt-get install fish', find: () => onPath('fish') },
  node22: {
    what: 'Node 22',
    howToGet: 'npm install --prefix .engines --no-save node22@npm:node@22.23.3',
    find: () => executable(join(root, '.engines/node_modules/node22/bin/node')),
  },
  node24: {
    what: 'Node 24',
    howToGet: 'npm install --prefix .engines --no-save node24@npm:node@24.21.0',
    find: () => executable(join(root, '.engines/node_modules/node24/bin/node')),
  },
  spidermonkey: {
    what: "SpiderMonkey's shell (js)",
    howToGet: 'apt-get install libmozjs-102-dev',
    find: () => onPath('js102') ?? onPath('js115') ?? onPath('js128'),
  },
  javascriptcore: {
    what: "JavaScriptCore's shell (jsc)",
    howToGet: 'apt-get install libjavascriptcoregtk-4.0-bin',
    find: () => onPath('jsc'),
  },
  cc: {
    what: 'a C compiler (cc)',
    howToGet: 'apt-get install gcc libc6-dev',
    find: () => onPath('cc'),
  },
} as const satisfies Record<string, Part>;

export type PartName = keyof typeof parts;

const found = new Map<PartName, string | undefined>();

/**
 * Path of an optional part of the machine, or undefined where it is absent. Looks once a process.
 */
export function findPart(name: PartName): string | undefined {
  if (!found.has(name)) found.set(name, parts[name].find());
  return found.get(name);
}

/**
 * Path of an optional part; throws one plain line (what is missing, how to get it) where it is
 * absent.
 */
export function part(name: PartName): string {
  const path = findPart(name);
  if (path === undefined) throw new Error(`missing ${parts[name].what}: ${parts[name].howToGet}`);
  return path;
}

/**
 * `describe` for tests that need optional parts of the machine. Where one is absent, `body` does
 * not run: the suite is skipped with a line that says what and how to get it, or, with
 * EOS_REQUIRE_ALL=1, fails.
 *
 * @example
 * describeWith(['python'], 'a run file in pandas', () => {
 *   test('has all rows', async () => {
 *     const program = 'import sys, pandas; print(len(pandas.read_parquet(sys.argv[1])))';
 *     expect(await python(program, [file])).toBe(101);
 *   });
 * });
 */
export function describeWith(needs: readonly PartName[], title: string, body: () => void): void {
  const missing = needs.filter((name) => findPart(name) === undefined);
  if (missing.length === 0) {
    describe(title, body);
    return;
  }
  const why = missing.map((name) => `${parts[name].what} (${parts[name].howToGet})`).join('; ');
  if (process.env.EOS_REQUIRE_ALL === '1') {
    describe(title, () => {
      test('finds what it needs', () => {
        throw new Error(`missing ${why}`);
      });
    });
    return;
  }
  console.warn(`skipped "${title}": needs ${why}`);
  describe.skip(title, () => {
    test(`needs ${why}`, () => {});
  });
}

/**
 * Runs a Python program with `args` as `sys.argv[1:]` and returns the JSON that it prints. NaN and
 * infinities are no JSON: print them as strings.
 */
export async function python(code: string, args: readonly string[] = []): Promise<unknown> {
  const options = { maxBuffer: 256 * 1024 * 1024, cwd: root };
  const { stdout } = await promisify(execFile)(part('python'), ['-c', code, ...args], options);
  return JSON.parse(stdout);
}

function executable(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return undefined;
  }
}

function onPath(command: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = executable(join(folder, command));
    if (path) return path;
  }
  return undefined;
}

/**
 * Whether the tests' Python has these packages, beyond what it must have; those of EOS_WITHOUT it
 * has not.
 */
export function hasPackages(...packages: readonly string[]): boolean {
  const without = (process.env.EOS_WITHOUT ?? '').split(',');
  const python = findPart('jax');
  return (
    python !== undefined &&
    packages.every((name) => !without.includes(name)) &&
    holdsPackages(python, packages)
  );
}

/** Whether a Python has these packages. */
export function holdsPackages(interpreter: string, packages: readonly string[]): boolean {
  // Only looks for them: importing all would take seconds in every test file.
  const code =
    'import sys\nfrom importlib.util import find_spec\nsys.exit(not all(map(find_spec, sys.argv[1:])))';
  try {
    execFileSync(interpreter, ['-c', code, ...packages], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

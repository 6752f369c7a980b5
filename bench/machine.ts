import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root; this file runs as dist-bench/bench/machine.js. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a peer needs beyond Node. */
export type Part = 'cc' | 'pandas' | 'numba' | 'jax';

const PACKAGES = ['numpy', 'pandas', 'pyarrow', 'numba', 'jax'] as const;

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly cc: string | null;
  readonly python: string | null;
  /** Versions of the packages that the Python peers use; null where absent. */
  readonly packages: Readonly<Record<string, string | null>>;
  /**
   * Programs that wanted to run in the minute before, on average; well under 1 on a machine that is
   * free.
   */
  readonly load: number;
}

export function describeMachine(): Machine {
  const python = join(root, '.venv/bin/python');
  const versions = existsSync(python)
    ? output(python, [
        '-c',
        `from importlib.metadata import version, PackageNotFoundError\n${VERSIONS}`,
        ...PACKAGES,
      ])
    : null;
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()}`,
    node: process.version,
    cc: output('cc', ['--version'])?.split('\n')[0] ?? null,
    python: versions === null ? null : output(python, ['--version']),
    packages: JSON.parse(versions ?? '{}'),
    load: Math.round(loadavg()[0]! * 100) / 100,
  };
}

/** Why a peer cannot run here and how to get what it lacks; undefined where it can. */
export function whatLacks(machine: Machine, needs: readonly Part[]): string | undefined {
  for (const part of needs) {
    if (part === 'cc') {
      if (machine.cc === null) return 'no C compiler: apt-get install gcc libc6-dev';
    } else if (!machine.packages[part]) {
      return `no ${part} in .venv: scripts/venv.sh --bench`;
    }
  }
  return undefined;
}

export function describe(machine: Machine): string {
  const packages = Object.entries(machine.packages).flatMap(([name, version]) =>
    version ? [`${name} ${version}`] : [],
  );
  const busy =
    machine.load > machine.cores / 4
      ? ': it is busy with other things, do not trust the times'
      : '';
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, ` +
      `load ${machine.load}${busy}`,
    [
      `node ${machine.node}`,
      machine.cc ?? 'no C compiler',
      machine.python ?? 'no Python',
      ...packages,
    ].join(', '),
  ].join('\n');
}

const VERSIONS = `
import json, sys
def find(name):
    try: return version(name)
    except PackageNotFoundError: return None
print(json.dumps({name: find(name) for name in sys.argv[1:]}))`;

function output(command: string, args: readonly string[]): string | null {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { root } from './parts.ts';
import { removeFolder } from './remove-folder.ts';

/** Milliseconds after which a process that hangs is ended. */
export const LIFETIME = 500_000;

export interface Outcome {
  /** Exit code; null where a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface EosOptions extends Pick<SpawnOptions, 'cwd' | 'uid' | 'gid'> {
  /**
   * Added to a clean environment: no EOS_* of the outside, no colours, a home folder of its own.
   */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `eos` as a process of its own, as users do, and waits for its end. */
export function eos(args: readonly string[], options: EosOptions = {}): Promise<Outcome> {
  return startEos(args, options).done;
}

/** Starts `eos` and does not wait; it lives no longer than a test may. */
export function startEos(
  args: readonly string[],
  options: EosOptions = {},
): { child: ChildProcess } & Running {
  const child = spawn(process.execPath, [join(root, 'bin/run.js'), ...args], {
    ...options,
    env: { ...cleanEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIFETIME,
    killSignal: 'SIGKILL',
  });
  return { child, ...watch(child) };
}

export interface Running {
  readonly done: Promise<Outcome>;
  /**
   * Resolves as soon as stderr or stdout holds the text; rejects where the process ends without.
   */
  says(text: string): Promise<void>;
}

/** Collects what a process prints. */
export function watch(child: ChildProcess): Running {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const done = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return {
    done,
    says(text) {
      return new Promise((resolve, reject) => {
        const look = () => {
          if (stdout.includes(text) || stderr.includes(text)) resolve();
        };
        look();
        child.stdout?.on('data', look);
        child.stderr?.on('data', look);
        child.on('close', () => reject(new Error(`ended without saying '${text}': ${stderr}`)));
      });
    },
  };
}

/** The environment of the tests without anything that `eos` would obey. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(EOS_|VITEST|NODE_ENV|NODE_OPTIONS|FORCE_COLOR|NO_COLOR|CI$)/.test(name),
    ),
  );
  return {
    ...env,
    NO_COLOR: '1',
    TERM: 'xterm',
    HOME: tmpdir(),
    XDG_CACHE_HOME: '',
    XDG_DATA_HOME: '',
  };
}

/** An empty folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'eos-test-'));
  onTestFinished(() => removeFolder(folder));
  return folder;
}

import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { cleanEnvironment, LIFETIME, type Outcome, watch } from '../setup/eos.ts';
import { root } from '../setup/parts.ts';
import { removeFolder } from '../setup/remove-folder.ts';

/** Runs a program to its end in a folder; npm keeps its cache where it always is. */
export function run(cwd: string, command: string, ...args: string[]): Promise<Outcome> {
  const env = { ...cleanEnvironment(), HOME: process.env.HOME };
  return watch(spawn(command, args, { cwd, env, timeout: LIFETIME, killSignal: 'SIGKILL' })).done;
}

/** Runs a program that must succeed, and returns what it prints. */
export async function succeed(cwd: string, command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(cwd, command, ...args);
  const said = code === 0 ? '' : stdout + stderr;
  expect([code, said], [command, ...args].join(' ')).toEqual([0, '']);
  return stdout;
}

/** A folder that is removed when the tests of this file end. */
export function folderOfFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'eos-package-'));
  afterAll(() => removeFolder(folder));
  return folder;
}

export interface Packed {
  /** Path of the packed package. */
  readonly tarball: string;
  readonly paths: readonly string[];
}

/** `npm pack` of this checkout, as it is built. */
export async function pack(folder: string): Promise<Packed> {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [packed] = JSON.parse(await succeed(root, 'npm', ...args)) as [
    { readonly filename: string; readonly files: readonly { readonly path: string }[] },
  ];
  const paths = packed.files.map(({ path }) => path);
  return { tarball: join(folder, packed.filename), paths };
}

/** Makes an empty project and installs these packages, names or paths, as a user does. */
export async function project(folder: string, ...packages: string[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"private": true, "type": "module"}');
  await install(folder, ...packages);
  return folder;
}

export async function install(folder: string, ...packages: string[]): Promise<void> {
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  await succeed(folder, 'npm', 'install', ...quiet, ...packages);
}

/** The packages that stand in a project's node_modules, without builds for one platform. */
export async function installed(folder: string): Promise<string[]> {
  const lock = await readFile(join(folder, 'package-lock.json'), 'utf8');
  const { packages } = JSON.parse(lock) as {
    readonly packages: Readonly<Record<string, { readonly os?: unknown }>>;
  };
  const paths = Object.keys(packages).filter((path) => path !== '' && !packages[path]!.os);
  return paths.map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)).sort();
}

/** Writes files of a project, by their paths in it. */
export async function write(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** The program that the README shows to users of the library. */
export async function readmeProgram(): Promise<string> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const program = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  if (program === undefined) throw new Error('README.md shows no program in TypeScript');
  return program;
}

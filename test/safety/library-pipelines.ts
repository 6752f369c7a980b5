import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { recoverFile } from '../../src/cli/recover-file.ts';
import { streamRun } from '../../src/cli/stream-run.ts';
import { cleanEnvironment, LIFETIME, watch } from '../setup/eos.ts';
import { root } from '../setup/parts.ts';
import { lastFlushes, rowsOnDisk } from './killed-run.ts';

/** A pipeline of the library, as a program may write it. */
export interface LibraryPipeline {
  readonly source: 'gradientDescent' | 'networkDescent';
  readonly options: object;
  /** Operators by name, with their arguments. */
  readonly operators: readonly (readonly [name: string, ...args: unknown[]])[];
  /** Columns that the sinks write; all unless given. */
  readonly columns?: readonly string[];
}

const AFTER: Readonly<Record<string, readonly string[]>> = {
  detectPhases: ['classifySharpness'],
  summarize: ['classifySharpness', 'detectPhases'],
};

const OPERATORS = ['splitLoss', 'classifySharpness', 'flowSolution', 'detectPhases', 'summarize'];

/** Every order of every choice of operators that the types allow. */
export function everyOrder(before: readonly string[] = []): readonly (readonly string[])[] {
  const next = [...OPERATORS, 'thin'].filter(
    (name) => !before.includes(name) && (AFTER[name] ?? []).every((each) => before.includes(each)),
  );
  return [before, ...next.flatMap((name) => everyOrder([...before, name]))];
}

/**
 * All operators of a run that stand in this list, in a random order in which their types fit; some
 * are left out.
 * @param roll a random whole number below its argument
 */
export function randomPipeline(roll: (sides: number) => number): LibraryPipeline {
  const left = [...OPERATORS.filter(() => roll(5) > 0), ...(roll(2) > 0 ? ['thin'] : [])];
  const operators: [string, ...unknown[]][] = [];
  for (;;) {
    const done = new Set(operators.map(([name]) => name));
    const ready = left.filter(
      (name) => !done.has(name) && (AFTER[name] ?? []).every((before) => done.has(before)),
    );
    const name = ready[roll(ready.length)];
    if (name === undefined) break;
    operators.push([name, ...argumentsOf(name, roll)]);
  }
  const every = roll(4) === 0 && operators.some(([name]) => name === 'detectPhases');
  return {
    source: 'gradientDescent',
    options: OPTIONS[roll(OPTIONS.length)]!,
    operators,
    ...(every ? { columns: ['step', 'loss', 'phase'] } : {}),
  };
}

const STEPS = 150_000;
const OPTIONS = [
  { preset: 'three-phases', steps: STEPS },
  { preset: 'paper', steps: STEPS },
  { preset: 'figure3', steps: STEPS, optimizer: 'momentum' },
  { preset: 'plain', steps: STEPS },
];

function argumentsOf(name: string, roll: (sides: number) => number): unknown[] {
  if (name === 'thin') return [2 + roll(40)];
  if (name === 'classifySharpness' && roll(2) > 0) return [{ band: 0.2 }];
  return name === 'detectPhases' && roll(2) > 0 ? [{ delta: 0.5 }] : [];
}

export const nameOf = ({ operators, options, columns }: LibraryPipeline): string =>
  `${JSON.stringify(options)} ${operators.map(([name, ...args]) => `${name}(${args.map((arg) => JSON.stringify(arg))})`).join(' ')}${columns ? ` → ${columns}` : ''}`;

/** Starts the program. @param pace steps a second, to have time to end it */
export function startProgram(
  pipeline: LibraryPipeline,
  files: readonly string[],
  cwd: string,
  pace: number | null,
) {
  const program = join(root, 'test/safety/library-program.js');
  const args = [pipeline, files, pace].map((value) => JSON.stringify(value));
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIFETIME,
    killSignal: 'SIGKILL',
  });
  return { child, ...watch(child) };
}

/** The files of the run that nobody ended. */
export async function wholeFiles(
  pipeline: LibraryPipeline,
  files: readonly string[],
  cwd: string,
): Promise<ReadonlyMap<string, Buffer>> {
  const { code, stderr } = await startProgram(pipeline, files, cwd, null).done;
  expect([code, stderr], nameOf(pipeline)).toEqual([0, '']);
  return new Map(
    files.map((file) => {
      const bytes = readFileSync(join(cwd, file));
      rmSync(join(cwd, file));
      return [file, bytes] as const;
    }),
  );
}

/**
 * Recovers what a program has left, and resumes it from what it left or from what was recovered:
 * that must be the run that nobody ended, byte for byte.
 *
 * @param stdout what the program said: which rows had been acknowledged
 * @returns rows that were recovered, of all files together
 */
export async function recoverAndResume(
  whole: ReadonlyMap<string, Buffer>,
  cwd: string,
  stdout: string,
  replace: boolean,
): Promise<number> {
  const acknowledged = lastFlushes(stdout);
  const exists = (name: string) => existsSync(join(cwd, name));
  const files = [...whole.keys()];
  const left = files.filter(
    (file) => exists(`${file}.partial.journal`) && exists(`${file}.partial`),
  );
  // The program may have died behind the rename of one: that file is whole.
  const ended = files.filter((file) => exists(file));
  let recovered = 0;
  for (const file of left) {
    const path = join(cwd, file);
    const partial = readFileSync(`${path}.partial`);
    const out = replace ? undefined : `${path}.saved`;
    const { rows } = await recoverFile(`${path}.partial`, out, false);
    expect(rows).toBeGreaterThanOrEqual(acknowledged.get(file) ?? 0);
    if (file.endsWith('.parquet'))
      expect(rows).toBeGreaterThanOrEqual(rowsOnDisk(partial, whole.get(file)!));
    recovered += rows;
  }
  const [first, second] = [...left, ...ended];
  if (left.length > 0)
    await resume(join(cwd, first!), second === undefined ? undefined : join(cwd, second));
  for (const file of [...left, ...ended])
    expect(readFileSync(join(cwd, file)).equals(whole.get(file)!)).toBe(true);
  return recovered;
}

/** `eos stream --resume`, in this process, which it expects to be its own. */
async function resume(file: string, arrow: string | undefined): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0);
  const code = await streamRun({
    ...{
      options: {},
      out: undefined,
      arrow,
      also: [],
      weights: undefined,
      weightsEvery: undefined,
      resume: file,
    },
    ...{ writer: 'hyparquet', compression: 'none', flushEvery: 5000 },
    ...{ logFormat: 'text', pace: undefined, quiet: true, force: false, dryRun: false },
  });
  expect(code).toBe(0);
}

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertSame, columnSums } from './compare.ts';
import { root } from './machine.ts';
import type { Result } from './protocol.ts';
import type { Contender, Work } from './works.ts';

export interface Sample {
  readonly contender: Contender;
  /** One per round, scaled up to the steps of the work where the contender ran fewer. */
  readonly times: readonly Time[];
}

export interface Time {
  /** By the clock on the wall. */
  readonly wall: number;
  /** Of the processor, all threads together: it hardly depends on what else the machine does. */
  readonly processor: number;
}

/** What a process that is scaled up runs as well, to tell its start from its steps. */
const FEW_STEPS = 1000;

/**
 * Runs every contender once unmeasured, to warm caches and to compare what it computes with what
 * the first one does, then `rounds` times for the clock, in turn, each round begun by another one.
 *
 * @throws Error where a contender fails, or computes other numbers than the first one
 */
export async function measure(
  work: Work,
  contenders: readonly Contender[],
  rounds: number,
  tell: (message: string) => void,
): Promise<Sample[]> {
  const folder = mkdtempSync(join(tmpdir(), 'eos-bench-'));
  const samples = contenders.map((contender) => ({ contender, times: [] as Time[] }));
  try {
    await compare(work, contenders, folder, tell);
    for (let round = 0; round < rounds; round++) {
      for (let k = 0; k < samples.length; k++) {
        const { contender, times } = samples[(k + round) % samples.length]!;
        tell(`${work.name} round ${round + 1} of ${rounds}: ${contender.name}`);
        times.push(await time(work, contender, join(folder, 'run.parquet')));
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return samples;
}

async function compare(
  work: Work,
  contenders: readonly Contender[],
  folder: string,
  tell: (message: string) => void,
): Promise<void> {
  const [first, ...others] = contenders;
  if (!first) return;
  const reference = join(folder, 'reference.parquet');
  tell(`${work.name} warm-up: ${first.name}`);
  const ours = await run(work, first, work.steps, reference);
  for (const contender of others) {
    tell(`${work.name} warm-up: ${contender.name}`);
    const steps = contender.steps ?? work.steps;
    const file = join(folder, 'other.parquet');
    const theirs = await run(work, contender, steps, file);
    const what = `${work.name}, ${contender.name} against ${first.name}`;
    const same = (a: Result['check'], b: Result['check']) => assertSame(what, a, b, work.tolerance);
    if (theirs.result && ours.result) same(theirs.result.check, ours.result.check);
    if (work.writes)
      same(await columnSums(file, steps + 1), await columnSums(reference, steps + 1));
    rmSync(file, { force: true });
  }
  rmSync(reference, { force: true });
}

/** Seconds of a contender for all steps of the work. */
async function time(work: Work, contender: Contender, out: string): Promise<Time> {
  const steps = contender.steps ?? work.steps;
  const { time } = await run(work, contender, steps, out);
  if (steps === work.steps) return time;
  const scaled = (scale: (of: keyof Time) => number): Time => ({
    wall: scale('wall'),
    processor: scale('processor'),
  });
  if (work.clock === 'own') return scaled((of) => (time[of] * work.steps) / steps);
  const { time: start } = await run(work, contender, FEW_STEPS, out);
  const factor = (work.steps - FEW_STEPS) / (steps - FEW_STEPS);
  return scaled((of) => start[of] + (time[of] - start[of]) * factor);
}

/** One process; its output file is gone afterwards but in the warm-up, where names differ. */
async function run(
  work: Work,
  contender: Contender,
  steps: number,
  out: string,
): Promise<{ time: Time; result: Result | undefined }> {
  const pinned = work.oneCore && process.platform === 'linux' ? ['taskset', '-c', '0'] : [];
  // What a process took of the processor its shell tells.
  const clocked = work.clock === 'process' ? ['bash', '-c', 'time "$0" "$@"'] : [];
  const [command, ...args] = [...clocked, ...pinned, ...contender.command(steps, out)];
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    NUMBA_CACHE_DIR: join(root, 'dist-bench/numba'),
    TIMEFORMAT: '%3U %3S',
  };
  // Python keeps what it compiles wherever nobody forbids it.
  delete env.PYTHONDONTWRITEBYTECODE;
  const begin = performance.now();
  const { code, stdout, stderr } = await new Promise<{
    code: number | null;
    stdout: string;
    stderr: string;
  }>((resolve, reject) => {
    const child = spawn(command!, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  const wall = (performance.now() - begin) / 1000;
  if (code !== 0)
    throw new Error(`${work.name}: ${contender.name} ended with code ${code}: ${stderr.trim()}`);
  const result = stdout.startsWith('{') ? (JSON.parse(stdout) as Result) : undefined;
  if (work.clock === 'own')
    return { time: { wall: result!.seconds, processor: result!.processor }, result };
  const [user, system] = stderr.trim().split('\n').at(-1)!.split(' ').map(Number);
  return { time: { wall, processor: user! + system! }, result };
}

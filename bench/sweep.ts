// npm run bench:sweep [-- --rounds 5]
//
// A sweep of 2,400 runs × 10,000 steps by `eos sweep`, against the bare kernel on as many threads:
// the same runs, whose summaries are thrown away. Both clocks start with the first thread and stop
// with the last; the sweep's includes its files. Then the memory of that process, and of one with a
// million short runs.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { sweepSpec } from '../src/pipeline/sweep/sweep.ts';
import { describe, describeMachine, root } from './machine.ts';

const GRID = { eta: '0.01:0.5:log:60', lambda2: '0.001:1:log:40', steps: '10000' };
const SHORT = { eta: '0.01:0.5:log:1000', lambda2: '0.001:1:log:1000', steps: '100' };

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const threads = availableParallelism();
const ours: number[] = [];
const bare: number[] = [];
let memory = 0;
console.log(
  `${describe(describeMachine())}\n${threads} threads, medians of ${values.rounds} rounds, in turn\n`,
);
for (let round = 0; round < Number(values.rounds); round++) {
  bare.push(await bareKernel());
  const { seconds, megabytes } = await sweep(GRID);
  ours.push(seconds);
  memory = Math.max(memory, megabytes);
}
const ratio = median(ours) / median(bare);
console.log(
  `2,400 runs × 10,000 steps  bare kernel ${show(bare)}, eos sweep ${show(ours)}: ${ratio.toFixed(2)} × the time`,
);
console.log(`                           ${memory.toFixed(0)} MB at most`);
const short = await sweep(SHORT);
console.log(
  `1,000,000 runs × 100 steps ${short.seconds.toFixed(1)} s, ${short.megabytes.toFixed(0)} MB at most`,
);

/** Seconds of the runs alone. */
async function bareKernel(): Promise<number> {
  const spec = sweepSpec(GRID);
  const start = performance.now();
  const workers = Array.from({ length: threads }, (_, index) => {
    const worker = new Worker(new URL('./sweep-thread.js', import.meta.url), {
      workerData: { spec, index, of: threads },
    });
    return new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', resolve);
    });
  });
  await Promise.all(workers);
  return (performance.now() - start) / 1000;
}

/**
 * Seconds of the engine of `eos sweep`, and the largest resident set of its process (Linux; else
 * 0).
 */
async function sweep(
  grid: Readonly<Record<string, string>>,
): Promise<{ seconds: number; megabytes: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'eos-bench-'));
  const flags = Object.entries(grid).flatMap(([name, text]) => [`--${name}`, text]);
  const args = ['sweep', ...flags, '--out', join(folder, 'sweep'), '--log-format', 'json'];
  const child = spawn(process.execPath, [join(root, 'bin/run.js'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  let kilobytes = 0;
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  const timer = setInterval(() => {
    try {
      kilobytes =
        Number(
          /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0,
        ) || kilobytes;
    } catch {
      // No such file on other systems, and none once the process has ended.
    }
  }, 50);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(timer);
  rmSync(folder, { recursive: true, force: true });
  if (code !== 0) throw new Error(`eos sweep ended with code ${code}`);
  const done = JSON.parse(stdout.trim().split('\n').at(-1)!) as { seconds: number };
  return { seconds: done.seconds, megabytes: kilobytes / 1000 };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;
}

function show(seconds: readonly number[]): string {
  return `${median(seconds).toFixed(2)} s (${Math.min(...seconds).toFixed(2)} … ${Math.max(...seconds).toFixed(2)})`;
}

// npm run bench:sweep [-- --rounds 5] [--networks 1000] [--old FOLDER]
//
// A sweep of 2,400 runs × 10,000 steps by `eos sweep`, against the bare kernel on as many threads:
// the same runs, whose summaries are thrown away, and against the program of an older version in a
// folder of its own, whose rows must be the same. Then networks of three layers in the same way,
// against their bare kernel, that detects nothing. Clocks start with the first thread and stop with
// the last; the sweep's includes its files. Then the memory of that process, and of one with a
// million short runs.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { DuckDBInstance } from '@duckdb/node-api';
import { anySweepSpec } from '../src/pipeline/sweep/any-sweep.ts';
import { describe, describeMachine, root } from './machine.ts';

type Grid = Readonly<Record<string, string>>;

const GRID: Grid = { eta: '0.01:0.5:log:60', lambda2: '0.001:1:log:40', steps: '10000' };
const SHORT: Grid = { eta: '0.01:0.5:log:1000', lambda2: '0.001:1:log:1000', steps: '100' };
/** So many networks, each from another start. */
const networks = (count: number): Grid => ({
  model: 'mlp',
  layers: '1-20-20-1',
  data: 'chebyshev:6:20',
  eta: '0.1',
  seed: `1:${count}:lin:${count}`,
  measure: '10',
  steps: '5000',
});

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    networks: { type: 'string', default: '1000' },
    old: { type: 'string' },
  },
});
const threads = availableParallelism();
console.log(
  `${describe(describeMachine())}\n${threads} threads, medians of ${values.rounds} rounds, in ` +
    `turn\n`,
);
await compare('2,400 runs × 10,000 steps', GRID, Number(values.rounds), values.old);
await compare(
  `${values.networks} MLPs (1-20-20-1) × 5,000 steps, S at each tenth`,
  networks(Number(values.networks)),
  1,
);
const short = await sweep(SHORT);
console.log(
  `1,000,000 runs × 100 steps: ${short.seconds.toFixed(1)} s, ${short.megabytes.toFixed(0)} ` +
    'MB at most',
);

/** Prints what a sweep takes beside its bare kernel, and beside an older program. */
async function compare(title: string, grid: Grid, rounds: number, old?: string): Promise<void> {
  const [bare, ours, before]: Taken[][] = [[], [], []];
  for (let round = 0; round < rounds; round++) {
    bare!.push(await bareKernel(grid));
    ours!.push(await sweep(grid));
    if (old) before!.push(await sweep(grid, join(old, 'bin/run.js')));
  }
  const ratio = (of: 'seconds' | 'processor', to: readonly Taken[]) =>
    (median(ours!.map((each) => each[of])) / median(to.map((each) => each[of]))).toFixed(2);
  const line = (name: string, taken: readonly Taken[]) =>
    `  ${name.padEnd(12)} ${show(taken.map(({ seconds }) => seconds))}, ${median(
      taken.map(({ processor }) => processor),
    ).toFixed(2)} s of the processor`;
  const megabytes = Math.max(...ours!.map((each) => each.megabytes));
  console.log(title);
  console.log(line('bare kernel', bare!));
  console.log(`${line('eos sweep', ours!)}, ${megabytes.toFixed(0)} MB at most`);
  console.log(
    `  ${ratio('seconds', bare!)} × the bare kernel, ${ratio('processor', bare!)} × its ` +
      'processor time',
  );
  if (!old) return;
  console.log(line('older', before!));
  console.log(
    `  ${ratio('seconds', before!)} × the older one, ${ratio('processor', before!)} × its ` +
      'processor ' +
      `time; ${ours![0]!.rows === before![0]!.rows ? 'its rows are the same' : 'ITS ROWS DIFFER'}`,
  );
}

interface Taken {
  readonly seconds: number;
  readonly processor: number;
  readonly megabytes: number;
  /** Hash of the numbers of all rows. */
  readonly rows: string;
}

/** The runs alone. */
async function bareKernel(grid: Grid): Promise<Taken> {
  const spec = anySweepSpec(grid, undefined);
  const [start, begun] = [performance.now(), process.cpuUsage()];
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
  const { user, system } = process.cpuUsage(begun);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, processor: (user + system) / 1e6, megabytes: 0, rows: '' };
}

/** Seconds of the engine of `eos sweep`, and what its process took (Linux; else 0). */
async function sweep(grid: Grid, program = join(root, 'bin/run.js')): Promise<Taken> {
  const folder = mkdtempSync(join(tmpdir(), 'eos-bench-'));
  const flags = Object.entries(grid).flatMap(([name, text]) => [`--${name}`, text]);
  const args = ['sweep', ...flags, '--out', join(folder, 'sweep'), '--log-format', 'json'];
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  let kilobytes = 0;
  let ticks = 0;
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  const timer = setInterval(() => {
    try {
      kilobytes =
        Number(
          /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0,
        ) || kilobytes;
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      ticks = Number(fields[11]) + Number(fields[12]);
    } catch {
      // No such file on other systems, and none once the process has ended.
    }
  }, 50);
  const code = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(timer);
  const rows = code === 0 ? await hashOf(join(folder, 'sweep')) : '';
  rmSync(folder, { recursive: true, force: true });
  if (code !== 0) throw new Error(`eos sweep ended with code ${code}`);
  const done = JSON.parse(stdout.trim().split('\n').at(-1)!) as { seconds: number };
  // A tick of Linux is 10 ms.
  return {
    seconds: done.seconds,
    processor: ticks / 100,
    megabytes: kilobytes / 1000,
    rows,
  };
}

/** A hash of the columns of a sweep's summary that are numbers of its runs. */
async function hashOf(sweep: string): Promise<string> {
  const connection = await (await DuckDBInstance.create()).connect();
  try {
    const columns = ['outcome', 'cycles', 'first_crossing', 'max_sharpness_ratio', 'final_loss'];
    const further = ['last_step', 'convergence_time', 'l_hat_slope', 'mean_l1_in_eos'];
    const known = await connection.runAndReadAll(
      `DESCRIBE SELECT * FROM read_parquet('${sweep}/**/*.parquet')`,
    );
    const names = new Set(known.getRowObjects().map((row) => String(row.column_name)));
    const wanted = [...columns, ...further].filter((name) => names.has(name));
    const reader = await connection.runAndReadAll(
      `SELECT bit_xor(hash(eta, seed, ${wanted.join(', ')}))::VARCHAR AS h, count(*)::VARCHAR AS n
       FROM read_parquet('${sweep}/**/*.parquet')`,
    );
    const { h, n } = reader.getRowObjects()[0]!;
    return `${wanted.length} columns of ${n} rows: ${h}`;
  } finally {
    connection.closeSync();
  }
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;
}

function show(seconds: readonly number[]): string {
  return (
    `${median(seconds).toFixed(2)} s (${Math.min(...seconds).toFixed(2)} … ` +
    `${Math.max(...seconds).toFixed(2)})`
  );
}

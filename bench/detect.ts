// Speed, memory and answering time of `eos detect`. npm run build && npx tsc -p bench/tsconfig.json
// && node dist-bench/bench/detect.js [million lines]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './machine.ts';

const MILLIONS = Number(process.argv[2] ?? 10);
const folder = mkdtempSync(join(tmpdir(), 'eos-bench-'));

/**
 * A run that sharpens, reaches the edge in its middle and oscillates there; all digits of doubles,
 * as Python writes.
 */
async function writeLog(
  path: string,
  lines: number,
  line: (t: number, loss: number, sharpness: number) => string,
): Promise<void> {
  const file = createWriteStream(path);
  let state = 1;
  for (let t = 0; t < lines; ) {
    let text = '';
    for (const end = Math.min(lines, t + 10_000); t < end; t++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const noise = 1 + 0.01 * (state / 2 ** 32 - 0.5);
      const ratio =
        Math.min(1, 0.3 + (1.4 * t) / lines) + (t > lines / 2 ? 0.05 * Math.sin(t / 40) : 0);
      text += line(t, Math.exp((-5 * t) / lines), 40 * ratio * noise);
    }
    if (!file.write(text)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}

interface Sample {
  readonly seconds: number;
  /** Megabytes of memory at a quarter and at the end of the run. */
  readonly early: number;
  readonly late: number;
}

/** Runs the command; its memory is read from /proc while it runs. */
async function detect(...args: string[]): Promise<Sample> {
  const start = performance.now();
  const child = spawn(
    process.execPath,
    [join(root, 'bin/run.js'), 'detect', ...args, '--eta', '0.05', '--quiet'],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const resident: number[] = [];
  const { readFileSync } = await import('node:fs');
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      resident.push(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000);
    } catch {
      // It has just ended.
    }
  }, 100);
  const [code] = (await once(child, 'close')) as [number];
  clearInterval(timer);
  if (code !== 0) throw new Error(`eos detect ${args.join(' ')} ended with ${code}`);
  const seconds = (performance.now() - start) / 1000;
  const quarter = resident.slice(resident.length >> 3, resident.length >> 2);
  const end = resident.slice(-Math.max(1, resident.length >> 2));
  return { seconds, early: Math.max(0, ...quarter), late: Math.max(...end) };
}

/** Milliseconds from a line on standard input to the event that it causes, for a few lines. */
async function answers(): Promise<number[]> {
  const child = spawn(process.execPath, [
    join(root, 'bin/run.js'),
    'detect',
    '-',
    '--eta',
    '0.1',
    '--log-format',
    'json',
  ]);
  const times: number[] = [];
  child.stdin.write('{"step":0,"loss":1,"sharpness":5}\n');
  await once(child.stdout, 'data');
  let step = 1;
  for (let n = 0; n < 10; n++) {
    // Down and up again: each upward crossing is an event.
    for (let k = 0; k < 5; k++)
      child.stdin.write(`{"step":${step++},"loss":1,"sharpness":${10 + k}}\n`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (let k = 0; k < 3; k++)
      child.stdin.write(`{"step":${step++},"loss":1,"sharpness":${16 + k}}\n`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const start = performance.now();
    const above = () => `{"step":${step++},"loss":1,"sharpness":40}\n`;
    child.stdin.write(above() + above());
    await once(child.stdout, 'data');
    times.push(performance.now() - start);
  }
  child.stdin.end();
  await once(child, 'close');
  return times.sort((a, b) => a - b);
}

/**
 * Seconds in which the lines of a file are parsed by JSON.parse, and no more is done: what any
 * reader has to beat.
 */
async function parsed(path: string): Promise<number> {
  const start = performance.now();
  let sum = 0;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const { step, loss, sharpness } = JSON.parse(line) as Readonly<Record<string, number>>;
    sum += step! + loss! + sharpness!;
  }
  if (!Number.isFinite(sum)) throw new Error('not what was written');
  return (performance.now() - start) / 1000;
}

function report(what: string, path: string, lines: number, { seconds, early, late }: Sample): void {
  const rate = lines / seconds / 1e6;
  const size = statSync(path).size / 1e6;
  console.log(
    `${what.padEnd(34)} ${rate.toFixed(2)} M rows/s  ${(size / seconds).toFixed(0)} MB/s  ` +
      `${seconds.toFixed(1)} s with start  memory ${early.toFixed(0)} → ${late.toFixed(0)} MB`,
  );
}

try {
  const lines = MILLIONS * 1e6;
  console.log(`eos detect, ${MILLIONS} million lines, Node ${process.version}`);
  const ndjson = join(folder, 'log.ndjson');
  await writeLog(
    ndjson,
    lines,
    (t, loss, s) => `{"step": ${t}, "loss": ${loss}, "sharpness": ${s}}\n`,
  );
  const alone = await parsed(ndjson);
  const sample = await detect(ndjson);
  report('NDJSON', ndjson, lines, sample);
  console.log(
    `${'readline and JSON.parse alone'.padEnd(34)} ${(lines / alone / 1e6).toFixed(2)} M ` +
      `rows/s: eos detect takes ${(sample.seconds / alone).toFixed(2)} times as long`,
  );
  report(
    'NDJSON to Parquet',
    ndjson,
    lines,
    await detect(ndjson, '--out', join(folder, 'run.parquet')),
  );
  rmSync(ndjson);
  const csv = join(folder, 'log.csv');
  await writeLog(
    csv,
    lines,
    (t, loss, s) => `${t === 0 ? 'step,loss,sharpness\n' : ''}${t},${loss},${s}\n`,
  );
  report('CSV', csv, lines, await detect(csv));
  const times = await answers();
  console.log(
    `a line piped in is answered after   ${times[times.length >> 1]!.toFixed(1)} ms (median), ` +
      `${times.at(-1)!.toFixed(1)} ms (slowest of ${times.length})`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

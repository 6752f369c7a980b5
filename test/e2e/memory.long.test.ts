import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { MeasuredSummary } from '../../src/pipeline/phases/measured/summary.ts';
import { cleanEnvironment, startEos, temporaryFolder, watch } from '../setup/eos.ts';
import { root } from '../setup/parts.ts';
import { readBack } from '../sinks/read-back.ts';

const MEGABYTE = 1e6;
const linux = process.platform === 'linux';
if (!linux) console.warn('skipped "memory": needs /proc of Linux');

/**
 * The largest resident size of a process so far, in bytes, and the processes that it has started.
 */
async function sizeOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  // VmHWM is itself a maximum over the life of the process, so that no peak falls between two
  // looks.
  const own = Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const sizes = await Promise.all(
    children
      .split(' ')
      .filter(Boolean)
      .map((child) => sizeOf(+child)),
  );
  return sizes.reduce((sum, size) => sum + size, own);
}

/**
 * The largest size that `eos detect` and its reader ever had while so many lines were piped in, and
 * the rows it saw.
 */
async function peakOfDetect(
  lines: number,
): Promise<{ readonly bytes: number; readonly rows: number }> {
  const cli = [join(root, 'bin/run.js'), 'detect', '-', '--eta', '0.05', '--log-format', 'json'];
  const child = spawn(process.execPath, cli, { env: cleanEnvironment() });
  const run = watch(child);
  let bytes = 0;
  const look = setInterval(async () => {
    bytes = Math.max(bytes, await sizeOf(child.pid!));
  }, 50);
  for (let t = 0; t < lines; ) {
    let text = '';
    for (const end = t + 10_000; t < end; t++)
      text += `{"step": ${t}, "loss": ${2 ** ((-4 * t) / lines)}, "sharpness": ${t < lines / 2 ? 10 + (60 * t) / lines : 40 + Math.sin(t / 40)}}\n`;
    if (!child.stdin.write(text)) await once(child.stdin, 'drain');
  }
  child.stdin.end();
  const { code, stdout } = await run.done.finally(() => clearInterval(look));
  expect(code).toBe(0);
  const last = JSON.parse(stdout.trim().split('\n').at(-1)!) as MeasuredSummary;
  return { bytes, rows: last.rows };
}

/** The largest resident size that a run ever had, in bytes, and the rows it wrote. */
async function peak(
  steps: number,
  every: number,
): Promise<{ readonly bytes: number; readonly rows: number }> {
  const cwd = temporaryFolder();
  const options = `--out run.parquet --steps ${steps} --every ${every} --quiet`;
  const run = startEos(['stream', ...options.split(' ')], { cwd });
  let bytes = 0;
  const look = setInterval(async () => {
    bytes = Math.max(bytes, await sizeOf(run.child.pid!));
  }, 20);
  const { code, stderr } = await run.done.finally(() => clearInterval(look));
  expect([code, stderr]).toEqual([0, '']);
  return { bytes, rows: (await readBack(join(cwd, 'run.parquet'))).rows };
}

describe.skipIf(!linux)('memory', () => {
  test('50 million steps take no more of it than 1 million', async () => {
    // Every row, so that it fills row groups and flushes them as the long one does.
    const short = await peak(1_000_000, 1);
    const long = await peak(50_000_000, 1000);
    expect(short.rows).toBe(1_000_001);
    expect(long.rows).toBeGreaterThanOrEqual(50_001);
    expect(short.bytes).toBeGreaterThan(30 * MEGABYTE);
    expect(long.bytes).toBeLessThan(200 * MEGABYTE);
    // Less than a byte a step: heaps have their size after some 100 million steps.
    expect(long.bytes - short.bytes).toBeLessThan(40 * MEGABYTE);
  });

  test('10 million lines of a log take no more of it than 3 million', async () => {
    // A shorter one ends before the heaps of both processes have the size that they keep.
    const short = await peakOfDetect(3_000_000);
    const long = await peakOfDetect(10_000_000);
    expect([short.rows, long.rows]).toEqual([3_000_000, 10_000_000]);
    expect(long.bytes).toBeLessThan(450 * MEGABYTE);
    expect(long.bytes - short.bytes).toBeLessThan(60 * MEGABYTE);
  });
});

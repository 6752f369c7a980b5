import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startEos, temporaryFolder } from '../setup/eos.ts';
import { readBack } from '../sinks/read-back.ts';

const MEGABYTE = 1e6;
const linux = process.platform === 'linux';
if (!linux) console.warn('skipped "memory": needs /proc of Linux');

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
    const status = await readFile(`/proc/${run.child.pid}/status`, 'utf8').catch(() => '');
    // VmHWM is itself a maximum over the life of the process, so that no peak falls between two looks.
    const kilobytes = Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0);
    bytes = Math.max(bytes, kilobytes * 1024);
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
    expect(long.bytes - short.bytes).toBeLessThan(20 * MEGABYTE);
  });
});

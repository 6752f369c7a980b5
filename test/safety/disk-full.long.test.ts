import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { recoverFile } from '../../src/cli/recover-file.ts';
import { arrowFormat } from '../../src/pipeline/formats/arrow/arrow-format.ts';
import { hyparquetFormat } from '../../src/pipeline/formats/parquet/hyparquet.ts';
import { runMetadata } from '../../src/pipeline/formats/run-metadata.ts';
import type { TableFormat } from '../../src/pipeline/formats/table-format.ts';
import {
  classifySharpness,
  detectPhases,
  flowSolution,
  gradientDescent,
  splitLoss,
  summarize,
} from '../../src/pipeline/index.ts';
import type { ModelRun } from '../../src/pipeline/models/minimal/run.ts';
import { fileTarget } from '../../src/pipeline/node/file-target.ts';
import { parquetjsFormat } from '../../src/pipeline/node/parquetjs.ts';
import { tableSink } from '../../src/pipeline/sinks/table-sink.ts';
import { temporaryFolder } from '../setup/eos.ts';
import { removeFolder } from '../setup/remove-folder.ts';

const FORMATS: readonly [string, TableFormat][] = [
  ['parquet', hyparquetFormat()],
  ['arrow', arrowFormat],
  ['parquetjs-lite', parquetjsFormat],
];
const PAGE = 4096;
const DISK = 1 << 20;

/**
 * A run of 1,200 rows in groups of 300, flushed behind each batch of 80. Returns the rows that were
 * acknowledged.
 */
async function writeRun(
  path: string,
  format: TableFormat,
): Promise<{ acknowledged: number; error: unknown }> {
  let acknowledged = 0;
  const sink = tableSink<unknown, ModelRun>(fileTarget(path), format, {
    metadata: runMetadata,
    rowGroupSize: 300,
    flushEvery: 0,
    onFlush: ({ rows }) => {
      acknowledged = rows;
    },
  });
  const steps = gradientDescent({ preset: 'three-phases', steps: 1199 }, { batchSize: 80 });
  try {
    await lastValueFrom(
      steps.pipe(
        splitLoss(),
        classifySharpness(),
        flowSolution(),
        detectPhases(),
        summarize(),
        sink,
      ),
    );
    return { acknowledged, error: undefined };
  } catch (error) {
    return { acknowledged, error };
  }
}

function mountable(): boolean {
  const folder = temporaryPath();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    removeFolder(folder);
  }
}

function temporaryPath(): string {
  const folder = `/tmp/eos-disk-${process.pid}-${Math.random().toString(36).slice(2)}`;
  mkdirSync(folder);
  return folder;
}

const canMount = mountable();
if (!canMount) {
  if (process.env.EOS_REQUIRE_ALL)
    throw new Error('a tmpfs must be mounted to test a full disk: run as root');
  console.warn('skipped "a disk that is full": needs the right to mount a tmpfs (run as root)');
}

describe.skipIf(!canMount)('a disk that is full, at every page of the file', () => {
  test.each(FORMATS)('%s: nothing acknowledged is lost', async (_, format) => {
    const folder = temporaryFolder();
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', disk]);
    onTestFinished(() => {
      execFileSync('umount', [disk]);
    });
    const path = join(disk, 'run');
    const outcomes = { whole: 0, recovered: 0, nothing: 0 };
    for (let free = 2 * PAGE; outcomes.whole === 0; free += PAGE) {
      expect(free).toBeLessThan(DISK);
      const ballast = join(disk, 'ballast');
      writeFileSync(ballast, new Uint8Array(DISK - free - PAGE));
      const { acknowledged, error } = await writeRun(path, format);
      rmSync(ballast);
      if (error === undefined) {
        outcomes.whole++;
        expect(readdirSync(disk)).toEqual(['run']);
        continue;
      }
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
      expect((error as NodeJS.ErrnoException).path).toContain('run');
      expect(existsSync(path)).toBe(false);
      expect(existsSync(`${path}.lock`)).toBe(false);
      if (existsSync(`${path}.partial`)) {
        const { rows } = await recoverFile(`${path}.partial`, join(folder, 'recovered'), true);
        expect(rows).toBeGreaterThanOrEqual(acknowledged);
        outcomes.recovered++;
      } else {
        expect(acknowledged).toBe(0);
        outcomes.nothing++;
      }
      for (const name of readdirSync(disk)) rmSync(join(disk, name));
    }
    expect(outcomes.recovered).toBeGreaterThan(10);
    expect(outcomes.nothing).toBeGreaterThan(0);
  });
});

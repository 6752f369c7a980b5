import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import { inspectFile } from '../../src/cli/inspect/report.ts';
import { reportLines } from '../../src/cli/inspect/text.ts';
import { parquetSink } from '../../src/pipeline/formats/parquet/parquet-sink.ts';
import type { RunOptions } from '../../src/pipeline/models/minimal/config.ts';
import { fileTarget } from '../../src/pipeline/node/file-target.ts';
import { standardPipeline } from '../../src/pipeline/operators/standard.ts';
import { thin } from '../../src/pipeline/operators/thin.ts';
import { gradientDescent } from '../../src/pipeline/sources/descent/gradient-descent.ts';
import { measured } from '../../src/pipeline/theory/measured-run.ts';
import { temporaryFolder } from '../setup/eos.ts';
import { run } from '../theory/run.ts';

async function inspected(options: RunOptions) {
  const path = join(temporaryFolder(), 'run.parquet');
  const rows = gradientDescent(options).pipe(standardPipeline(), thin(options.every ?? 1));
  await lastValueFrom(rows.pipe(parquetSink(fileTarget(path))));
  return inspectFile(path);
}

test('inspect tells what could be said before a run beside what it did', async () => {
  const options = { preset: 'three-phases', steps: 3000 } as const;
  const report = await inspected(options);
  expect(report.predicted!.cycles.length).toBeGreaterThan(3);
  expect(report.measured).toEqual(measured(await run(options)));
  const text = reportLines(report, process.stdout).join('\n');
  expect(text).toMatch(/^ {2}first crossing of 2\/η +\d+ +\d+ +-?\d\.\d\d %$/m);
  expect(text).toMatch(/^ {2}cycle 1, from t = \d+: period +\d+ +\d+ +-?\d+\.\d\d %$/m);
  expect(text).toMatch(/^ {2}cycle 1, from t = \d+: overshoot +\S+ % +\S+ % +-?\d+\.\d\d %$/m);
});

test('of rows that --every has left some of it measures no cycles', async () => {
  const { measured: found } = await inspected({ preset: 'paper', steps: 3000, every: 10 });
  expect(found).toMatchObject({ first_crossing: 2015, cycles: [] });
});

test('says nothing where nothing can be said', async () => {
  const report = await inspected({ covariance: 0.1, steps: 100 });
  expect(report.measured).toBeNull();
  expect(reportLines(report, process.stdout).join('\n')).not.toContain('before the run');
});

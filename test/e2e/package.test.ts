import { spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cleanEnvironment, type Outcome, temporaryFolder, watch } from '../setup/eos.ts';
import { root } from '../setup/parts.ts';
import { readBack } from '../sinks/read-back.ts';

/** Runs a program to its end in a folder; npm keeps its cache where it always is. */
function run(cwd: string, command: string, ...args: string[]): Promise<Outcome> {
  const env = { ...cleanEnvironment(), HOME: process.env.HOME };
  return watch(spawn(command, args, { cwd, env })).done;
}

async function succeed(cwd: string, command: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(cwd, command, ...args);
  expect([code, code === 0 ? '' : stderr], [command, ...args].join(' ')).toEqual([0, '']);
  return stdout;
}

const PROGRAM = `
import { classifySharpness, detectPhases, flowSolution, gradientDescent, parquetSink, presets, splitLoss, summarize, toSteps } from 'eos-stream';
import { fileTarget } from 'eos-stream/node';
import { filter, lastValueFrom, take } from 'rxjs';

const steps = gradientDescent(presets.paper).pipe(classifySharpness(), toSteps());
const first = await lastValueFrom(steps.pipe(filter(({ sharpness_ratio }) => sharpness_ratio >= 1), take(1)));
const all = gradientDescent({ ...presets.paper, steps: 99 }).pipe(splitLoss(), classifySharpness(), flowSolution(), detectPhases(), summarize());
const last = await lastValueFrom(all.pipe(parquetSink(fileTarget('library.parquet'))));
console.log(JSON.stringify({ step: first.step, outcome: last.run.summary.outcome }));
`;

test('npm pack gives a package that installs and runs in an empty folder, without any dev dependency', async () => {
  const cwd = temporaryFolder();
  const [packed] = JSON.parse(
    await succeed(root, 'npm', 'pack', '--json', '--pack-destination', cwd),
  ) as [{ readonly filename: string; readonly files: readonly { readonly path: string }[] }];
  const paths = packed.files.map(({ path }) => path);
  for (const path of [
    'package.json',
    'README.md',
    'LICENSE',
    'bin/run.js',
    'dist/pipeline/index.d.ts',
  ]) {
    expect(paths).toContain(path);
  }
  expect(paths.filter((path) => /^(src|test|bench|\.ci)\//.test(path))).toEqual([]);

  await writeFile(join(cwd, 'package.json'), '{"private": true, "type": "module"}');
  await succeed(
    cwd,
    'npm',
    'install',
    '--omit=dev',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    packed.filename,
  );
  const installed = await readdir(join(cwd, 'node_modules'));
  for (const name of ['typescript', 'vitest', 'vite', '@biomejs', 'playwright-core'])
    expect(installed).not.toContain(name);

  await succeed(cwd, 'npx', 'eos', 'stream', '--out', 'run.parquet');
  expect((await readBack(join(cwd, 'run.parquet'))).rows).toBe(10_001);
  expect(await succeed(cwd, 'npx', 'eos', 'inspect', 'run.parquet')).toContain('10,001 rows');
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  expect(await succeed(cwd, 'npx', 'eos', '--version')).toContain(`eos-stream/${version} `);

  await writeFile(join(cwd, 'program.js'), PROGRAM);
  expect(JSON.parse(await succeed(cwd, process.execPath, 'program.js'))).toEqual({
    step: 2015,
    outcome: 'gradient-flow',
  });
  expect((await readBack(join(cwd, 'library.parquet'))).rows).toBe(100);
}, 180_000);

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  concat,
  lastValueFrom,
  type MonoTypeOperatorFunction,
  NEVER,
  type ObservedValueOf,
  Subject,
  take,
  takeUntil,
  tap,
} from 'rxjs';
import { expect, test } from 'vitest';
import * as library from '../../src/pipeline/node/library.ts';
import { fastFolder } from './killed-run.ts';
import {
  everyOrder,
  type LibraryPipeline,
  nameOf,
  randomPipeline,
  recoverAndResume,
  startProgram,
  wholeFiles,
} from './library-pipelines.ts';

/** A few here; `node scripts/kill.js 100` does more. */
const KILLS = Number(process.env.EOS_KILLS ?? 12);
/** Steps a second: the run then takes seconds, so that it can be ended in the middle. */
const PACE = 60_000;

const roll = (sides: number) => Math.floor(Math.random() * sides);

const KILLED =
  'programs that use the library, killed at any time: all of it is recovered, and goes on to the byte';

test(KILLED, { timeout: 60_000 + KILLS * 120_000 }, async () => {
  let recovered = 0;
  let nothing = 0;
  for (let i = 0; i < KILLS; i++) {
    const pipeline = randomPipeline(roll);
    const files = [['run.parquet'], ['run.arrow'], ['run.parquet', 'run.arrow']][roll(3)]!;
    const cwd = fastFolder();
    const whole = await wholeFiles(pipeline, files, cwd);
    const program = startProgram(pipeline, files, cwd, PACE);
    // Mostly while there is something to lose; a run that diverges at once flushes nothing.
    await program.says(roll(4) === 0 ? '"start"' : '"flush"').catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 900 * Math.random()));
    program.child.kill('SIGKILL');
    const { stdout, stderr } = await program.done;
    expect(stderr).toBe('');
    const rows = await recoverAndResume(whole, cwd, stdout, roll(2) > 0).catch((error: Error) => {
      throw new Error(`${nameOf(pipeline)} into ${files}: ${error.message}`, { cause: error });
    });
    recovered += rows;
    nothing += rows === 0 ? 1 : 0;
  }
  console.log(
    `${KILLS} kills of library pipelines: ${recovered} rows recovered; ${nothing} times nothing had been flushed yet, or all was there`,
  );
  expect(nothing).toBeLessThan(KILLS);
});

const STAGES = {
  splitLoss: library.splitLoss,
  classifySharpness: library.classifySharpness,
  detectPhases: library.detectPhases,
};
const README: LibraryPipeline = {
  source: 'gradientDescent',
  options: { preset: 'three-phases', steps: 200_000 },
  operators: [['splitLoss'], ['classifySharpness'], ['detectPhases']],
};

test.each(['fails', 'is left'])('a pipeline that %s in the middle goes on too', async (how) => {
  const cwd = fastFolder();
  const whole = await wholeFiles(README, ['run.parquet'], cwd);
  let batches = 0;
  const rows = library.gradientDescent(README.options).pipe(
    STAGES.splitLoss(),
    STAGES.classifySharpness(),
    STAGES.detectPhases(),
    tap(() => {
      if (how === 'fails' && batches++ === 30) throw new Error('out of luck');
    }),
    library.parquetSink(join(cwd, 'run.parquet')),
    take(how === 'is left' ? 30 : 1e6),
  );
  const end = lastValueFrom(rows);
  if (how === 'fails') await expect(end).rejects.toThrow('out of luck');
  else await end;
  const left = ['run.parquet.partial', 'run.parquet.partial.journal'];
  await expect.poll(() => readdirSync(cwd).sort()).toEqual(left);
  expect(await recoverAndResume(whole, cwd, '', true)).toBe(65_536);
});

test('a run whose operators had another tolerance than its source goes on', async () => {
  const cwd = fastFolder();
  const delta = 0.5;
  const options = { preset: 'plain', steps: 30_000 } as const;
  const operators: LibraryPipeline['operators'] = [
    ['splitLoss'],
    ['classifySharpness'],
    ['detectPhases', { delta }],
    ['flowSolution'],
    ['summarize'],
  ];
  const pipeline: LibraryPipeline = { source: 'gradientDescent', options, operators };
  const whole = await wholeFiles(pipeline, ['run.parquet'], cwd);
  const rows = library
    .gradientDescent(options, { batchSize: 1000 })
    .pipe(
      library.splitLoss(),
      library.classifySharpness(),
      library.detectPhases({ delta }),
      library.flowSolution(),
      library.summarize(),
      library.parquetSink(join(cwd, 'run.parquet'), { flushEvery: 0 }),
      take(3),
    );
  await lastValueFrom(rows);
  const left = ['run.parquet.partial', 'run.parquet.partial.journal'];
  await expect.poll(() => readdirSync(cwd).sort()).toEqual(left);
  expect(await recoverAndResume(whole, cwd, '', true)).toBeGreaterThanOrEqual(1000);
});

type Batches = ObservedValueOf<ReturnType<typeof library.gradientDescent>>;

/** An operator by its name, as a program in JavaScript makes it. */
const made = (name: string) =>
  (
    library as unknown as Record<
      string,
      (every: number | undefined) => MonoTypeOperatorFunction<Batches>
    >
  )[name]!(name === 'thin' ? 3 : undefined);

/** One in so many here; `node scripts/kill.js` tries them all. */
const SHARE = process.env.EOS_KILLS === undefined ? 12 : 1;
const ORDERS = everyOrder().filter((_, i) => i % SHARE === 0);

test('every order of operators that types allow goes on from its first flush', async () => {
  const cwd = fastFolder();
  const path = join(cwd, 'run.parquet');
  const options = { preset: 'three-phases', steps: 6000 } as const;
  for (const names of ORDERS) {
    const run = (batchSize: number, batches: number) => {
      const rows = library.gradientDescent(options, { batchSize });
      const stages = names.map((name) => made(name));
      return lastValueFrom(
        stages
          .reduce((stream, stage) => stream.pipe(stage), rows)
          .pipe(library.parquetSink(path, { flushEvery: 0 }), take(batches)),
      );
    };
    await run(4096, 1e6);
    const whole = readFileSync(path);
    rmSync(path);
    await run(1000, 2);
    const left = ['run.parquet.partial', 'run.parquet.partial.journal'];
    await expect.poll(() => readdirSync(cwd).sort()).toEqual(left);
    expect([
      names,
      (await recoverAndResume(new Map([['run.parquet', whole]]), cwd, '', true)) > 0,
    ]).toEqual([names, true]);
    rmSync(path);
  }
});

test.each([true, false])(
  'a program that dies behind its last row: the run is ended, recovered first: %s',
  async (recover) => {
    const cwd = fastFolder();
    const whole = await wholeFiles(README, ['run.parquet'], cwd);
    const flushed = new Subject<void>();
    const rows = concat(library.gradientDescent(README.options), NEVER).pipe(
      STAGES.splitLoss(),
      STAGES.classifySharpness(),
      STAGES.detectPhases(),
      library.parquetSink(join(cwd, 'run.parquet'), {
        flushEvery: 0,
        onFlush: ({ step }) => step === 200_000 && flushed.next(),
      }),
      takeUntil(flushed),
    );
    await lastValueFrom(rows);
    await expect.poll(() => readdirSync(cwd)).not.toContain('run.parquet.lock');
    expect(await recoverAndResume(whole, cwd, '', recover)).toBe(200_001);
  },
);

test('a pipeline of a network goes on too', async () => {
  const cwd = fastFolder();
  const network: LibraryPipeline = {
    source: 'networkDescent',
    options: { layers: '1-8-1', steps: 3000 },
    operators: [['relateToThreshold'], ['detectMeasuredPhases'], ['explainSpikes'], ['thin', 3]],
  };
  for (const operators of [network.operators, [['relateToThreshold'] as const], []]) {
    const pipeline = { ...network, operators };
    const whole = await wholeFiles(pipeline, ['run.parquet'], cwd);
    const program = startProgram(pipeline, ['run.parquet'], cwd, 2000);
    await program.says('"flush"');
    program.child.kill('SIGKILL');
    const { stdout } = await program.done;
    expect(await recoverAndResume(whole, cwd, stdout, false)).toBeGreaterThan(0);
    for (const name of readdirSync(cwd)) rmSync(join(cwd, name));
  }
});

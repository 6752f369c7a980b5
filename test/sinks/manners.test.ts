import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetMetadata } from 'hyparquet';
import { lastValueFrom, mergeMap, of, retry } from 'rxjs';
import { expect, test } from 'vitest';
import {
  arrowSink,
  classifySharpness,
  detectMeasuredPhases,
  detectPhases,
  explainSpikes,
  flowSolution,
  gradientDescent,
  networkDescent,
  networkPipeline,
  parquetSink,
  phaseLog,
  type RunOptions,
  readRun,
  relateToThreshold,
  splitLoss,
  summarize,
  toSteps,
  trainingLog,
} from '../../src/pipeline/node/library.ts';
import { temporaryFolder } from '../setup/eos.ts';

const steps = (count: number) =>
  gradientDescent({ steps: count }).pipe(splitLoss(), classifySharpness(), detectPhases());

function rowsOf(path: string): number {
  const bytes = readFileSync(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  return Number(parquetMetadata(file).num_rows);
}

test('of five subscriptions to one sink one writes the file, and four are refused', async () => {
  const path = join(temporaryFolder(), 'run.parquet');
  const written = steps(20_000).pipe(parquetSink(path));
  const outcomes = await Promise.allSettled(
    Array.from({ length: 5 }, () => lastValueFrom(written)),
  );
  const refused = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [String(outcome.reason)] : [],
  );
  expect(refused).toHaveLength(4);
  for (const reason of refused) expect(reason).toMatch(/is being (written by process|taken)/);
  expect(rowsOf(path)).toBe(20_001);
});

test('retry after failures in the middle leaves a whole file', async () => {
  const path = join(temporaryFolder(), 'run.parquet');
  let failures = 0;
  const flaky = steps(20_000).pipe(
    mergeMap((batch) => {
      if (failures === 2 || batch.columns.step[0]! < 10_000) return of(batch);
      failures++;
      throw new Error('failed in the middle');
    }),
    parquetSink(path, { flushEvery: 0 }),
    retry(2),
  );
  await lastValueFrom(flaky);
  expect(failures).toBe(2);
  expect(rowsOf(path)).toBe(20_001);
  // One subscription after the other is two whole files, the second in the place of the first.
  await lastValueFrom(flaky);
  expect(rowsOf(path)).toBe(20_001);
});

test('a sink replaces what eos has written and nothing else, unless it is told to', async () => {
  const path = join(temporaryFolder(), 'mine.parquet');
  writeFileSync(path, 'precious');
  await expect(lastValueFrom(steps(10).pipe(parquetSink(path)))).rejects.toThrow(
    /mine.parquet exists and was not written by eos; give another name, or \{ force: true \}/,
  );
  expect(readFileSync(path, 'utf8')).toBe('precious');
  await lastValueFrom(steps(10).pipe(parquetSink(path, { force: true })));
  await lastValueFrom(steps(20).pipe(parquetSink(path)));
  expect(rowsOf(path)).toBe(21);
  expect(existsSync(`${path}.partial`)).toBe(false);
});

test('what a program has left is not written over', async () => {
  const path = join(temporaryFolder(), 'run.parquet');
  writeFileSync(`${path}.partial`, '');
  writeFileSync(`${path}.partial.journal`, '');
  await expect(lastValueFrom(steps(10).pipe(parquetSink(path)))).rejects.toThrow(
    /holds rows of a run that did not end; get them with eos recover/,
  );
});

test('a folder that is missing or in the way is told', async () => {
  const folder = temporaryFolder();
  await expect(
    lastValueFrom(steps(10).pipe(parquetSink(join(folder, 'no', 'run.parquet')))),
  ).rejects.toThrow(/there is no folder .*; create it first/);
  mkdirSync(join(folder, 'x.parquet'));
  await expect(
    lastValueFrom(steps(10).pipe(parquetSink(join(folder, 'x.parquet')))),
  ).rejects.toThrow(/x.parquet is a folder; name a file in it/);
});

const LOG = { name: 'log', chunks: (async function* () {})() };

test.each([
  [() => gradientDescent('paper' as RunOptions), /'paper' is not an object.*\{ preset: 'paper' \}/],
  [() => gradientDescent({ lamda1: 1 } as RunOptions), /lamda1.*did you mean lambda1/],
  [() => gradientDescent({}, { batchsize: 3 } as object), /batchsize; did you mean batchSize/],
  [() => parquetSink('x', { flushevery: 3 } as object), /flushevery; did you mean flushEvery/],
  [() => parquetSink('x', { flushEvery: -1 }), /options.flushEvery: -1 is not a number from 0 up/],
  [() => parquetSink(3 as unknown as string), /3 is not a target/],
  [() => classifySharpness({ bnad: 0.1 } as object), /there is no option bnad; did you mean band/],
  [() => detectPhases({ delta: -1 }), /detectPhases: delta: -1 is not a positive number/],
  [() => gradientDescent([] as never), /options: \[\] is not an object of parameters/],
  [() => gradientDescent(new Map() as never), /options: .* is not an object of parameters/],
  [() => gradientDescent({}, { signal: 3 as never }), /signal: 3 is not an AbortSignal/],
  [
    () => splitLoss(...([3] as unknown as [])),
    /splitLoss: it takes no options; write splitLoss\(\)/,
  ],
  [() => flowSolution(...([{}] as unknown as [])), /flowSolution: it takes no options/],
  [() => relateToThreshold(...(['x'] as unknown as [])), /relateToThreshold: it takes no options/],
  [() => summarize(...([{ delta: 1 }] as unknown as [])), /summarize: it takes no options/],
  [() => toSteps(...([null] as unknown as [])), /toSteps: it takes no options/],
  [() => detectMeasuredPhases({} as never), /detectMeasuredPhases: report: .* is not a function/],
  [() => explainSpikes('x' as never), /explainSpikes: report: 'x' is not a function/],
  [() => networkDescent('mlp' as never), /'mlp' is not an object.*\{ preset: 'mlp' \}/],
  [() => networkDescent([] as never), /options: \[\] is not an object of parameters/],
  [() => networkDescent({}, 3 as never), /source: 3 is not an object of options/],
  [() => trainingLog('step,loss' as never), /trainingLog: the input is not a log; give/],
  [() => trainingLog(LOG, { etta: 1 } as object), /there is no option etta; did you mean eta/],
  [
    () => trainingLog(LOG, { eta: 0.1 as never }),
    /options.eta: 0.1 is not a schedule; give parseEta/,
  ],
  [() => phaseLog(null as never), /phaseLog: report: null is not a function/],
  [() => networkPipeline(3 as never), /networkPipeline: report: 3 is not a function/],
  [() => parquetSink('s3://b/x.parquet'), /'s3:\/\/b\/x.parquet' is an address/],
  [() => arrowSink('https://x/a.arrow'), /'https:\/\/x\/a.arrow' is an address/],
  [
    () => parquetSink('x', { columns: 'step' as never }),
    /options.columns: 'step' is not a list of names/,
  ],
  [
    () => parquetSink('x', { columns: [] }),
    /options.columns: \[\] is not a list of names, each once/,
  ],
  [() => arrowSink('x', { columns: ['step', 'step'] }), /is not a list of names, each once/],
  [
    () => parquetSink('x', { flushEvery: '5' as never }),
    /options.flushEvery: '5' is not a number from 0/,
  ],
  [() => parquetSink('x', { force: 'yes' as never }), /options.force: 'yes' is not true or false/],
  [() => parquetSink('x', { onFlush: 3 as never }), /options.onFlush: 3 is not a function/],
  [
    () => parquetSink('x', { format: 'arrow' as never }),
    /options.format: 'arrow' is not a function/,
  ],
  [() => parquetSink('x', { rowGroupSize: 0 } as object), /there is no option rowGroupSize/],
  [
    () => parquetSink('x', { compression: 'lz4' as never }),
    /options.compression: 'lz4' is not one of none, snappy, zstd/,
  ],
] as const)('nonsense is a clear error at once: %#', (make, message) => {
  expect(make).toThrow(message);
});

test.each([
  [undefined, {}, /undefined is not a file; give its name, its bytes, a Blob or a URL/],
  [{}, {}, /\{\} is not a file/],
  [new Uint8Array(3), { column: ['step'] }, /there is no option column; did you mean columns/],
  [new Uint8Array(3), { columns: 'step' }, /columns 'step' is not a list of names/],
] as const)('readRun says what it cannot read: %#', async (source, options, message) => {
  await expect(readRun(source as never, options as object)).rejects.toThrow(message);
});

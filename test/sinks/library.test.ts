import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';
import { lastValueFrom, throwError } from 'rxjs';
import { afterAll, expect, test } from 'vitest';
import * as everywhere from '../../src/pipeline/index.ts';
import * as node from '../../src/pipeline/node/library.ts';
import {
  arrowSink,
  classifySharpness,
  detectPhases,
  flowSolution,
  gradientDescent,
  memoryTarget,
  parquetSink,
  presets,
  splitLoss,
  summarize,
  thin,
} from '../../src/pipeline/node/library.ts';

const folder = mkdtempSync(join(tmpdir(), 'eos-library-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function metadataOf(path: string): Promise<Record<string, string>> {
  const { key_value_metadata: pairs } = await parquetMetadataAsync(await asyncBufferFromFile(path));
  return Object.fromEntries((pairs ?? []).map(({ key, value }) => [key, value ?? '']));
}

const columns = () =>
  gradientDescent(presets['three-phases']).pipe(splitLoss(), classifySharpness(), detectPhases());

test('the sinks take the name of a file, and see to the summary where nobody else does', async () => {
  const path = join(folder, 'run.parquet');
  const { run } = await lastValueFrom(
    columns().pipe(parquetSink(path), arrowSink(join(folder, 'run.arrow'))),
  );
  const summarised = await lastValueFrom(columns().pipe(flowSolution(), summarize()));
  expect(run.summary).toEqual(summarised.run.summary);
  expect(JSON.parse((await metadataOf(path))['eos.summary']!)).toEqual(run.summary);
});

test('they claim no summary of a run that they have not seen whole', async () => {
  const path = join(folder, 'thin.parquet');
  const { run } = await lastValueFrom(columns().pipe(thin(7), parquetSink(path)));
  expect(run.summary).toBeUndefined();
  expect(await metadataOf(path)).not.toHaveProperty('eos.summary');
});

test('they leave a summary alone that somebody else has made', async () => {
  const path = join(folder, 'summarised.parquet');
  const { run } = await lastValueFrom(columns().pipe(summarize(), thin(7), parquetSink(path)));
  expect(JSON.parse((await metadataOf(path))['eos.summary']!)).toEqual(run.summary);
});

test('what goes wrong with the first batch is an error of the stream', async () => {
  const lacking = /column l1 is to be written, but no operator has computed it/;
  await expect(
    lastValueFrom(gradientDescent({ steps: 100 }).pipe(parquetSink(memoryTarget()))),
  ).rejects.toThrow(lacking);
  await expect(
    lastValueFrom(gradientDescent({ steps: 100 }).pipe(arrowSink(memoryTarget()))),
  ).rejects.toThrow(lacking);
  const path = join(folder, 'never.parquet');
  await expect(
    lastValueFrom(gradientDescent({ steps: 100 }).pipe(parquetSink(path))),
  ).rejects.toThrow(lacking);
  const broken = throwError(() => new Error('no source'));
  await expect(lastValueFrom(broken.pipe(parquetSink(path)))).rejects.toThrow('no source');
  expect(readdirSync(folder).filter((name) => name.startsWith('never'))).toEqual([]);
});

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
  'a batch of %d rows is refused',
  (batchSize) => {
    expect(() => gradientDescent({ steps: 10 }, { batchSize })).toThrow(
      /batchSize: .* is not a whole number from 1 up/,
    );
  },
);

test('Node and browsers see one surface, of the same types', () => {
  const inNode: typeof everywhere = node;
  const inBrowsers: typeof node = everywhere;
  expect(Object.keys(inNode).sort()).toEqual(Object.keys(inBrowsers).sort());
});

test('a browser cannot write a file by its name, and says so at once', () => {
  for (const sink of [everywhere.parquetSink, everywhere.arrowSink]) {
    expect(() => sink('run.parquet')).toThrow(
      "'run.parquet': only Node can write a file by its name; give a target, such as memoryTarget()",
    );
  }
});

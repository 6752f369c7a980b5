import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadata, parquetMetadataAsync } from 'hyparquet';
import { EMPTY, lastValueFrom, throwError, toArray } from 'rxjs';
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
import { removeFolder } from '../setup/remove-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'eos-library-'));
afterAll(() => removeFolder(folder));

async function metadataOf(path: string): Promise<Record<string, string>> {
  const { key_value_metadata: pairs } = await parquetMetadataAsync(await asyncBufferFromFile(path));
  return Object.fromEntries((pairs ?? []).map(({ key, value }) => [key, value ?? '']));
}

const columns = () =>
  gradientDescent(presets['three-phases']).pipe(splitLoss(), classifySharpness(), detectPhases());

test('sinks take the name of a file, and see to the summary where nobody does', async () => {
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
  const steps = gradientDescent({ steps: 100 });
  const columns = ['step', 'l1'];
  const path = join(folder, 'never.parquet');
  for (const sink of [
    parquetSink(memoryTarget(), { columns }),
    arrowSink(memoryTarget(), { columns }),
    parquetSink(path, { columns }),
  ]) {
    await expect(lastValueFrom(steps.pipe(sink))).rejects.toThrow(lacking);
  }
  const broken = throwError(() => new Error('no source'));
  await expect(lastValueFrom(broken.pipe(parquetSink(path)))).rejects.toThrow('no source');
  await expect(lastValueFrom(EMPTY.pipe(parquetSink(path)))).rejects.toThrow(/no rows came/);
  expect(readdirSync(folder).filter((name) => name.startsWith('never'))).toEqual([]);
});

test('a sink writes the columns that are there, in the order of a run file', async () => {
  const target = memoryTarget();
  await lastValueFrom(
    gradientDescent({ steps: 10 }).pipe(classifySharpness(), splitLoss(), parquetSink(target)),
  );
  const { schema } = parquetMetadata(target.bytes().slice().buffer);
  expect(schema.slice(1).map(({ name }) => name)).toEqual([
    ...['step', 'alpha', 'beta1', 'beta2', 'log10_abs_beta1', 'loss', 'l1', 'l2', 'l_hat'],
    ...['grad_norm', 'sharpness', 'sharpness_ratio', 'regime', 'digits'],
  ]);
});

test('each subscription opens a target of its own, and none is written twice', async () => {
  const targets: ReturnType<typeof memoryTarget>[] = [];
  const written = gradientDescent({ steps: 50 }).pipe(
    parquetSink(() => {
      targets.push(memoryTarget());
      return targets.at(-1)!;
    }),
  );
  await Promise.all([lastValueFrom(written), lastValueFrom(written)]);
  expect(targets).toHaveLength(2);
  expect(targets[0]!.bytes()).toEqual(targets[1]!.bytes());
  const once = gradientDescent({ steps: 50 }).pipe(parquetSink(memoryTarget()));
  await lastValueFrom(once);
  await expect(lastValueFrom(once)).rejects.toThrow(/a target can be written once/);
});

test('what operators were told is what the file says', async () => {
  const target = memoryTarget();
  await lastValueFrom(
    gradientDescent({ preset: 'three-phases', steps: 3000 }).pipe(
      classifySharpness({ band: 0.2 }),
      detectPhases({ delta: 0.5 }),
      parquetSink(target),
    ),
  );
  const { key_value_metadata: pairs } = parquetMetadata(target.bytes().slice().buffer);
  const json = (key: string) => JSON.parse(pairs!.find((pair) => pair.key === key)!.value!);
  expect(json('eos.config')).toMatchObject({ band: 0.2, delta: 0.5 });
  expect(json('eos.summary').convergence_time.delta).toBe(0.5);
});

test('operators do what they were told, whatever the run says', async () => {
  const batches = await lastValueFrom(
    gradientDescent({ preset: 'three-phases', band: 0.05, delta: 0.01 }).pipe(
      classifySharpness({ band: 0.2 }),
      detectPhases({ delta: 0.5 }),
      toArray(),
    ),
  );
  const told = gradientDescent({ preset: 'three-phases', band: 0.2, delta: 0.5 }).pipe(
    classifySharpness(),
    detectPhases(),
    toArray(),
  );
  const column = (all: typeof batches, name: 'regime' | 'phase' | 'cycle') =>
    all.flatMap(({ columns, length }) => [...columns[name].subarray(0, length)]);
  const own = await lastValueFrom(told);
  const silent = await lastValueFrom(
    gradientDescent({ preset: 'three-phases' }).pipe(
      classifySharpness(),
      detectPhases(),
      toArray(),
    ),
  );
  for (const name of ['regime', 'phase', 'cycle'] as const)
    expect(column(batches, name)).toEqual(column(own, name));
  for (const name of ['regime', 'phase'] as const)
    expect(column(batches, name)).not.toEqual(column(silent, name));
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
  const surface = new URL('../../dist/pipeline/index.js', import.meta.url).href;
  for (const sink of ['parquetSink', 'arrowSink']) {
    const program = `import { ${sink} } from '${surface}'; ${sink}('run');`;
    const { stderr, status } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', program],
      { encoding: 'utf8' },
    );
    expect(status).toBe(1);
    expect(stderr).toContain(
      `${sink}: 'run' is a name, and only Node can write files; give a target, such as ` +
        'memoryTarget()',
    );
  }
});

import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decoderOf } from '../../src/pipeline/formats/all-codecs.ts';
import { memorySource } from '../../src/pipeline/formats/byte-source.ts';
import { openParquet } from '../../src/pipeline/formats/parquet/parquet-table.ts';
import { eos, temporaryFolder } from '../setup/eos.ts';

const NETWORK = '--model mlp --layers 1-5-1 --eta 0.2 --steps 130'.split(' ');

async function weightsOf(path: string) {
  const table = await openParquet(memorySource(await readFile(path)), decoderOf);
  const [steps, weights] = await Promise.all([table.read(0, 0), table.read(1, 0)]);
  return { steps: Array.from(steps), weights: Array.from(weights) as number[][] };
}

test('eos stream --weights keeps the weights, and says what cannot be', async () => {
  const folder = temporaryFolder();
  const [out, file] = [join(folder, 'net.parquet'), join(folder, 'weights.parquet')];
  const args = ['stream', ...NETWORK, '--out', out, '--quiet'];
  const written = await eos([...args, '--weights', file, '--weights-every', '50']);
  expect(written.code, written.stderr).toBe(0);
  const { steps, weights } = await weightsOf(file);
  expect(steps).toEqual([0, 50, 100, 130]);
  expect(weights.map(({ length }) => length)).toEqual([16, 16, 16, 16]);
  const verified = await eos(['verify', file]);
  expect(verified.code, verified.stdout).toBe(0);
  expect(verified.stdout).toMatch(/✓ made-again +holds/);

  // The run notes them: who resumes it, whole as it is, gets them.
  await rm(file);
  const resumed = await eos(['stream', '--resume', out]);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stderr).toContain(`wrote ${file}: 4 rows`);
  expect(await weightsOf(file)).toEqual({ steps, weights });
  const other = await eos(['stream', '--resume', out, '--weights', join(folder, 'last.parquet')]);
  expect(other.stderr).toContain('last.parquet: 4 rows');
});

test.each([
  [[...NETWORK, '--weights-every', '5'], '--weights-every: has no effect'],
  [[...NETWORK, '--weights', 'run.parquet'], '--weights: run.parquet is that of --out already'],
  [['--weights', 'w.parquet'], '--weights: a run of the model minimal has its parameters'],
])('%j is refused', async (flags, message) => {
  const cwd = temporaryFolder();
  const { code, stderr } = await eos(['stream', '--out', 'run.parquet', ...flags], { cwd });
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { expect, test } from 'vitest';
import { loadDataOf } from '../../../src/cli/data-file.ts';
import { setupNetwork } from '../../../src/pipeline/models/network/config.ts';
import {
  type DataColumn,
  dataOfTable,
} from '../../../src/pipeline/models/network/data/table-data.ts';
import { startWeights } from '../../../src/pipeline/models/network/start.ts';
import { eos, temporaryFolder } from '../../setup/eos.ts';
import { twin } from './twin.ts';

const choice = { data: 'd.csv', target: 'y', raw: false };
const table = (columns: Readonly<Record<string, ArrayLike<unknown>>>): DataColumn[] =>
  Object.entries(columns).map(([name, values]) => ({ name, values }));

test('columns of numbers come to mean 0 and deviation 1, whatever they were; raw ones stay', () => {
  const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(fc.array(fc.tuple(number, number), { minLength: 2 }), (rows) => {
      const [a, y] = [rows.map(([x]) => x), rows.map(([, x]) => x)];
      const { inputs, targets, count } = dataOfTable(table({ a, y, b: a }), choice, 'h');
      for (const values of [inputs.filter((_, i) => i % 2 === 0), targets]) {
        const square = values.reduce((sum, x) => sum + x * x, 0) / count;
        expect(Math.abs(values.reduce((sum, x) => sum + x, 0) / count)).toBeLessThan(1e-6);
        expect(square === 0 || Math.abs(square - 1) < 1e-6).toBe(true);
      }
      const raw = dataOfTable(table({ a, y }), { ...choice, raw: true }, 'h');
      expect([...raw.inputs]).toEqual(a);
      expect([...raw.targets]).toEqual(y);
    }),
    { numRuns: 50 },
  );
});

test.each([
  [0, 5e-324],
  [-1e300, 1e300],
  [1e-170, 3e-170, 2e-170],
  [1e6, 1e6 + 3e-6, 1e6 - 2e-6],
  [1e-90, 0],
])('so do %j, %j …', (...a) => {
  const { targets } = dataOfTable(table({ a, y: a }), choice, 'h');
  const mean = targets.reduce((sum, x) => sum + x, 0) / a.length;
  const square = targets.reduce((sum, x) => sum + x * x, 0) / a.length;
  expect(Math.abs(mean)).toBeLessThan(1e-9);
  expect(Math.abs(square - 1)).toBeLessThan(1e-9);
});

test('texts as targets are classes, by the alphabet', () => {
  const data = dataOfTable(table({ y: ['dog', 'cat', 'dog'], x: [1, 2, '3'] }), choice, 'h');
  expect(data).toMatchObject({ classes: ['cat', 'dog'], outputWidth: 2, inputWidth: 1 });
  expect([...data.targets]).toEqual([1, 0, 1]);
});

test.each([
  [{ a: [1, 2], y: ['x', 'x'] }, "all rows of d.csv are of the class 'x'"],
  [{ a: [1, ''], y: [1, 2] }, "d.csv has no value in row 2 of column 'a'"],
  [{ a: [1, 'red'], y: [1, 2] }, "d.csv has 'red' in row 2 of column 'a'"],
  [{ a: [1, 2], y: [1, null] }, "d.csv has no value in row 2 of column 'y'"],
  [{ a: [1, 2] }, "there is no column 'y'"],
  [{ y: [1, 2] }, 'has no column to learn from'],
  [{ a: [], y: [] }, 'has no rows'],
])('refuses %j', (columns, message) => {
  expect(() => dataOfTable(table(columns), choice, 'h')).toThrow(message);
});

test('a file of samples is read once, and only that very file again', async () => {
  const path = join(temporaryFolder(), 'd.csv');
  writeFileSync(path, '\ufeffa;b;kind\r\n1;2;"up; and on"\r\n2;3;down\r\n');
  await loadDataOf({ data: path, target: 'kind' });
  const { config, data } = setupNetwork({ data: path, target: 'kind' });
  expect(data.classes).toEqual(['down', 'up; and on']);
  expect(config).toMatchObject({ layers: '2-50-50-2', loss: 'cross-entropy', target: 'kind' });
  expect(config['data-hash']).toMatch(/^[0-9a-f]{16}$/);
  expect(() => setupNetwork({ data: path, target: 'kind', 'data-hash': '0' })).toThrow(
    'is not what it was',
  );
  expect(() => setupNetwork({ data: 'other.csv', target: 'y' })).toThrow('is a file');
  expect(() => setupNetwork({ target: 'y' })).toThrow('only files have columns');
});

test.each([
  ['', 'is empty'],
  ['1,2\n3,4\n', 'no names of columns'],
  ['a,b\n1\n', '1 cells in row 1'],
  ['a,b\n1,"2\n', 'quote is not closed'],
])('a file %j is refused in one line', async (text, message) => {
  const path = join(temporaryFolder(), 'd.csv');
  writeFileSync(path, text);
  await expect(loadDataOf({ data: path, target: 'b' })).rejects.toThrow(message);
});

test('eos stream trains on samples of a file; a run of other samples is told from it', async () => {
  const folder = temporaryFolder();
  const [path, out] = [join(folder, 'd.csv'), join(folder, 'net.parquet')];
  const rows = Array.from({ length: 12 }, (_, i) => `${i},${i * i},${Math.sin(i)}`);
  writeFileSync(path, ['a,b,y', ...rows].join('\n'));
  const flags = [
    '--model',
    'mlp',
    '--data',
    path,
    '--target',
    'y',
    '--eta',
    '0.1',
    '--steps',
    '50',
  ];
  const made = await eos(['stream', ...flags, '--layers', '2-6-1', '--out', out]);
  expect(made.code, made.stderr).toBe(0);
  const verified = await eos(['verify', out]);
  expect(verified.code, verified.stdout).toBe(0);
  writeFileSync(path, readFileSync(path, 'utf8').replace('1,1,', '1,2,'));
  const changed = await eos(['verify', out]);
  expect(changed.code).toBe(2);
  expect(changed.stderr).toContain('is not what it was');
});

test('samples of a file are taken as they are, standardized, or both in a sweep', async () => {
  const folder = temporaryFolder();
  const data = join(folder, 'samples.csv');
  writeFileSync(data, 'x,y\n-3,1\n0,4\n1,2\n5,7\n');
  const flags = ['--model', 'mlp', '--data', data, '--target', 'y', '--layers', '1-3-1'];
  const made = async (...args: string[]) => {
    const done = await eos(args, { cwd: folder });
    expect(done.code, done.stderr).toBe(0);
    return done.stdout;
  };
  const stream = async (name: string, ...raw: string[]) => {
    const run = join(folder, `${name}.parquet`);
    await made('stream', ...flags, '--steps', '5', ...raw, '--out', run);
    const losses = (await rowsOf(run)).map(({ loss }) => loss as number);
    return { first: losses[0]!, last: losses.at(-1)! };
  };
  const losses = { no: await stream('standardized'), yes: await stream('raw', '--raw') };
  const startLoss = (inputs: readonly number[], targets: readonly number[]) => {
    const [given, learned] = [Float64Array.from(inputs), Float64Array.from(targets)];
    const samples = { count: 4, inputs: given, targets: learned };
    const shape = { layers: [1, 3, 1], activation: 'tanh', loss: 'mse' } as const;
    return twin(shape, samples, startWeights(shape.layers, 0, 1)).loss;
  };
  const x = [-3, 0, 1, 5];
  const y = [1, 4, 2, 7];
  const standard = (values: readonly number[]) => {
    const mean = values.reduce((sum, value) => sum + value) / 4;
    const deviation = Math.hypot(...values.map((value) => value - mean)) / 2;
    return values.map((value) => (value - mean) / deviation);
  };
  expect(losses.yes.first).toBeCloseTo(startLoss(x, y), 12);
  expect(losses.no.first).toBeCloseTo(startLoss(standard(x), standard(y)), 12);
  const sweep = async (name: string, ...raw: string[]) => {
    const out = join(folder, name);
    await made('sweep', ...flags, '--steps', '5', ...raw, '--out', out);
    const parts = readdirSync(join(out, 'summary'), { recursive: true, encoding: 'utf8' });
    const files = parts.filter((path) => path.endsWith('.parquet'));
    const rows = await Promise.all(files.map((path) => rowsOf(join(out, 'summary', path))));
    return rows.flat().map(({ final_loss: loss }) => loss as number);
  };
  expect((await sweep('both', '--raw', 'no,yes')).sort()).toEqual(
    [losses.no.last, losses.yes.last].sort(),
  );
  expect(await sweep('alone', '--raw')).toEqual([losses.yes.last]);
});

async function rowsOf(path: string): Promise<Readonly<Record<string, unknown>>[]> {
  return parquetReadObjects({ file: await asyncBufferFromFile(path), compressors });
}

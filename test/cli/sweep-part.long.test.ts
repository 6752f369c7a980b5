import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodePart } from '../../src/cli/sweep/part-file.ts';
import { verifyFile } from '../../src/cli/verify/verify-file.ts';
import { anyResults, anyRows } from '../../src/pipeline/sweep/any-result.ts';
import { anySweepSpec, openAnySweep } from '../../src/pipeline/sweep/any-sweep.ts';
import { temporaryFolder } from '../setup/eos.ts';

type Cells = (number | string | boolean | null)[];

const SWEEPS = {
  networks: { model: 'mlp', layers: '1-4-1', eta: '0.2,3', optimizer: 'gd,adam', steps: '80' },
  'mini-batches': { model: 'mlp', layers: '1-4-1', batch: '5', seed: '3,4', steps: '40' },
  minimal: { eta: '0.02,0.4', lambda2: '0.1', momentum: '0.5', steps: '300' },
  'many bits': { eta: '0.03', precision: 'auto', steps: '200' },
};

const NAME = 'part-0123456789abcdef-000000.parquet';

/** Writes the part of a sweep, its checksum right whatever its rows are. */
async function written(
  options: Readonly<Record<string, string>>,
  change: (cells: (name: string) => Cells) => void = () => {},
  name = NAME,
): Promise<string> {
  const sweep = openAnySweep(anySweepSpec(options, undefined));
  const rows = anyRows(sweep.model);
  const configs = Array.from({ length: sweep.runs }, (_, i) => sweep.config(i));
  for (const { result } of anyResults(sweep.model, configs, () => true)) rows.add(result, 0.1);
  change((column) => rows.columns[rows.schema.findIndex((c) => c.name === column)] as Cells);
  const path = join(temporaryFolder(), name);
  writeFileSync(path, await encodePart(rows, NAME));
  return path;
}

async function failing(path: string): Promise<readonly string[]> {
  const { results } = await verifyFile(path, {}, false);
  return results.filter(({ verdict }) => verdict === 'fails').map(({ name }) => name);
}

test.each(Object.entries(SWEEPS))('a true part holds: %s', async (_, options) => {
  const { results } = await verifyFile(await written(options), {}, false);
  expect(results.map(({ verdict }) => verdict)).toEqual(['holds', 'holds']);
});

test.each([
  ...['final_loss', 'max_sharpness_ratio', 'final_sharpness_ratio', 'cycles', 'last_step'],
  ...['eta', 'seed', 'measured', 'momentum', 'first_crossing'],
])('a doctored %s of networks fails', async (column) => {
  const path = await written(SWEEPS.networks, (cells) => {
    const values = cells(column);
    values[1] = Number(values[1] ?? 0) + 1;
  });
  expect(await failing(path)).toEqual(['rows-again']);
});

test('other words, and rows in other places, fail too; another time does not', async () => {
  const changed = (column: string, value: string | number | boolean | null) =>
    written(SWEEPS.networks, (cells) => {
      cells(column)[0] = value;
    });
  for (const [column, value] of [
    ['optimizer', 'momentum'],
    ['layers', '1-5-1'],
    ['layers', 'five'],
    ['outcome', 2],
    ['spikes', '[1]'],
    ['interrupted', true],
    ['run_id', 'r1'],
  ] as const)
    expect(await failing(await changed(column, value)), column).toEqual(['rows-again']);
  const swapped = await written(SWEEPS.minimal, (cells) => cells('final_loss').reverse());
  expect(await failing(swapped)).toEqual(['rows-again']);
  expect(await failing(await changed('wall_seconds', 7))).toEqual([]);
});

test('a part under the name of another is told', async () => {
  const path = await written(SWEEPS.minimal, undefined, 'part-0123456789abcdef-000001.parquet');
  expect(await failing(path)).toEqual(['part-whole']);
});

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import { eos, temporaryFolder } from '../setup/eos.ts';

async function read(path: string) {
  const file = await asyncBufferFromFile(path);
  const { key_value_metadata: pairs, schema } = await parquetMetadataAsync(file);
  const metadata = Object.fromEntries((pairs ?? []).map(({ key, value }) => [key, value!]));
  return {
    rows: await parquetReadObjects({ file }),
    columns: schema.slice(1).map(({ name }) => name),
    metadata,
  };
}

describe('eos stream --also', () => {
  test('writes each trajectory beside the run, with the columns that apply', async () => {
    const folder = temporaryFolder();
    const args = ['stream', '--out', join(folder, 'run.parquet'), '--steps', '3000'];
    const also = ['--also', 'gradient-flow,constrained,central,edge'];
    const { code, stderr } = await eos([...args, ...also]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/wrote \S+run\.central\.parquet: 3,001 rows/);
    expect((await readdir(folder)).sort()).toEqual([
      'run.central.parquet',
      'run.constrained.parquet',
      'run.edge.parquet',
      'run.gradient-flow.parquet',
      'run.parquet',
    ]);
    const run = await read(join(folder, 'run.parquet'));
    for (const name of ['gradient-flow', 'constrained', 'central', 'edge']) {
      const beside = await read(join(folder, `run.${name}.parquet`));
      expect(beside.columns).toEqual(
        run.columns.filter((column) => !['phase', 'cycle', 'digits'].includes(column)),
      );
      expect(beside.rows.map((row) => row.step)).toEqual(run.rows.map((row) => row.step));
      expect(JSON.parse(beside.metadata['eos.config']!)).toMatchObject({
        preset: 'paper',
        dynamics: name,
      });
    }
    // The same command can be repeated, another one may not replace its files.
    expect((await eos([...args, ...also])).code).toBe(0);
    const other = await eos([...args, '--force', '--eta', '1/12', '--dry-run', ...also]);
    expect(other.code).toBe(0);
    const refused = await eos([
      'stream',
      '--out',
      join(folder, 'run.parquet'),
      '--steps',
      '3001',
      ...also,
    ]);
    expect(refused.code).toBe(2);
  });

  test('writes flows beside a network, which are made again to the bit', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'net.parquet');
    const network = ['--model', 'mlp', '--layers', '1-8-1', '--steps', '300', '--eta', '0.5'];
    const also = ['--also', 'gradient-flow,edge'];
    expect((await eos(['stream', ...network, ...also, '--out', out])).code).toBe(0);
    const run = await read(out);
    for (const name of ['gradient-flow', 'edge']) {
      const path = join(folder, `net.${name}.parquet`);
      const beside = await read(path);
      expect(beside.columns).toEqual(
        run.columns.filter(
          (column) => !['phase', 'cycle', 'edge_work', 'edge_directions'].includes(column),
        ),
      );
      expect(beside.rows).toHaveLength(301);
      expect(Math.abs(Number(beside.rows[0]!.loss) / Number(run.rows[0]!.loss) - 1)).toBeLessThan(
        1e-4,
      );
      for (const { loss, l1, l2 } of beside.rows as Record<string, number>[])
        expect(l1! + l2!).toBeCloseTo(loss!, 12);
      const { code, stdout } = await eos(['verify', path]);
      expect(stdout).toMatch(/made-again +holds/);
      expect(code).toBe(0);
    }
  });

  test('obeys --every and --columns', async () => {
    const folder = temporaryFolder();
    const columns = 'step,alpha,phase';
    await eos([
      'stream',
      '--out',
      join(folder, 'r.parquet'),
      '--also',
      'constrained',
      '--every',
      '100',
      '--columns',
      columns,
      '-q',
    ]);
    const beside = await read(join(folder, 'r.constrained.parquet'));
    expect(beside.columns).toEqual(['step', 'alpha']);
    expect(beside.rows.slice(0, 3).map(({ step }) => Number(step))).toEqual([0, 100, 200]);
  });

  test.each([
    [['--also', 'centrl'], "--also: no dynamics is called 'centrl'; did you mean central?"],
    [
      ['--also', 'central', '--covariance', '0.1'],
      '--covariance: the central trajectory is defined for covariance 0 only',
    ],
    [
      ['--also', 'central', '--columns', 'phase,cycle'],
      '--also: none of --columns applies to flows',
    ],
  ])('%j is refused before anything is written', async (args, message) => {
    const folder = temporaryFolder();
    const { code, stderr } = await eos(['stream', '--out', join(folder, 'run.parquet'), ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(`eos: ${message}`);
    expect(await readdir(folder)).toEqual([]);
  });
});

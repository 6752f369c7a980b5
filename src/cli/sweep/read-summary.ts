import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import type { SweepTable } from '../../pipeline/sweep/heat-map.ts';
import { UsageError } from '../errors.ts';
import { sweepFolder } from './folder.ts';

const TEXTS = ['run_id', 'outcome'];

/** Reads these columns of a sweep's summary. @throws UsageError where the folder holds no runs, or a part is damaged */
export async function readSummary(flag: string, path: string, columns: readonly string[]): Promise<SweepTable> {
  const folder = sweepFolder(path);
  const names = (await readdir(folder.summary).catch(() => [])).filter((name) => name.endsWith('.parquet')).sort();
  if (names.length === 0) throw new UsageError(`--${flag}: ${path} holds no runs; name the folder of an eos sweep`);
  const numbers = new Map<string, number[]>();
  const texts = new Map<string, string[]>();
  for (const name of columns) (TEXTS.includes(name) ? texts : numbers).set(name, []);
  for (const name of names) {
    const rows = await parquetReadObjects({
      file: await asyncBufferFromFile(join(folder.summary, name)),
      columns: [...columns],
    }).catch(() => {
      throw new UsageError(
        `--${flag}: ${join(folder.summary, name)} is damaged; run the sweep again to have it redone`,
      );
    });
    for (const row of rows) {
      for (const [column, values] of numbers) values.push(row[column] == null ? Number.NaN : Number(row[column]));
      for (const [column, values] of texts) values.push(String(row[column]));
    }
  }
  const arrays = new Map([...numbers].map(([name, values]) => [name, Float64Array.from(values)]));
  const length = arrays.values().next().value?.length ?? 0;
  return {
    length,
    numbers: (name) => arrays.get(name)!,
    texts: (name) => texts.get(name)!,
  };
}

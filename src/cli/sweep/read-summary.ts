import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SweepTable } from '../../pipeline/sweep/heat-map.ts';
import { MAP_PARAMETERS, wordsOf } from '../../pipeline/sweep/map-parameters.ts';
import type { SweptConfig } from '../../pipeline/sweep/sweep.ts';
import { UsageError } from '../errors.ts';
import { reading } from '../reader/reading.ts';
import { partName, readManifest, sweepFolder } from './folder.ts';
import { rowsIn } from './missing.ts';
import { type PartColumn, partJob } from './read-part.ts';

/** The summary of a sweep as far as it is there and whole. */
export interface StoredSummary {
  readonly table: SweepTable;
  /** Runs that the sweep has beyond those of the table. */
  readonly missing: number;
  /** Files of damaged parts, which are left out. */
  readonly damaged: readonly string[];
}

/**
 * Reads the parameters and these quantities of a sweep's summary, from all parts that are whole.
 * @throws UsageError where the folder holds no sweep, or none of its runs can be read
 */
export async function readSummary(
  flag: string,
  path: string,
  quantities: (model: SweptConfig['model']) => readonly string[],
): Promise<StoredSummary> {
  const folder = sweepFolder(path);
  const places = await readManifest(folder, flag);
  const names = (await readdir(folder.summary).catch(() => []))
    .filter((name) => name.endsWith('.parquet'))
    .sort();
  if (places.length === 0 || names.length === 0) {
    throw new UsageError(`--${flag}: ${path} holds no runs; name the folder of an eos sweep`);
  }
  const { model } = places[0]!.sweep;
  const columns = [
    ...MAP_PARAMETERS[model].map(({ column }) => column),
    'outcome',
    ...(model === 'minimal' ? ['start_gfs_ratio'] : []),
    ...quantities(model).filter((name) => name !== 'outcome'),
  ];
  const parts: (readonly PartColumn[])[] = [];
  const whole = new Set<string>();
  const damaged: string[] = [];
  for (const name of names) {
    const file = join(folder.summary, name);
    const part = await reading().job(`--${flag}: ${file}`, partJob, file, columns);
    if (part) {
      parts.push(part);
      whole.add(name);
    } else damaged.push(file);
  }
  if (whole.size === 0) {
    throw new UsageError(
      `--${flag}: ${damaged[0]} is damaged, and no other part is there; run the sweep again ` +
        'to have it redone',
    );
  }
  const missing = places.reduce((sum, place) => {
    const parts = Array.from({ length: place.plan.count }, (_, part) => part);
    return (
      sum +
      rowsIn(
        place,
        parts.filter((part) => !whole.has(partName(place.sweep, part))),
      )
    );
  }, 0);
  return { table: tableOf(model, columns, parts), missing, damaged };
}

/** The parts one below the other; a column is let go of once it has been put together. */
function tableOf(
  model: SweptConfig['model'],
  columns: readonly string[],
  parts: readonly (readonly PartColumn[])[],
): SweepTable {
  const numbers = new Map<string, Float64Array>();
  const texts = new Map<string, string[]>();
  const length = parts.reduce((sum, part) => sum + (part[0]?.length ?? 0), 0);
  columns.forEach((name, c) => {
    const pieces = parts.map((part) => part[c]!);
    if (pieces.every((piece) => piece instanceof Float64Array)) {
      const all = new Float64Array(length);
      let at = 0;
      for (const piece of pieces) {
        all.set(piece, at);
        at += piece.length;
      }
      numbers.set(name, all);
    } else
      texts.set(
        name,
        pieces.flatMap((piece) => [...piece].map(String)),
      );
  });
  const words = new Map(
    [...texts].filter(([name]) => name !== 'outcome').map(([name, all]) => [name, wordsOf(all)]),
  );
  return {
    length,
    model,
    numbers: (name) => words.get(name)?.codes ?? numbers.get(name)!,
    words: (name) => words.get(name)?.words,
    texts: (name) => texts.get(name)!,
  };
}

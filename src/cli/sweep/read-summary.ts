import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetRead } from 'hyparquet';
import type { SweepTable } from '../../pipeline/sweep/heat-map.ts';
import { UsageError } from '../errors.ts';
import { partName, readManifest, sweepFolder } from './folder.ts';
import { rowsIn } from './missing.ts';
import { readWholePart } from './part-file.ts';

/** The summary of a sweep as far as it is there and whole. */
export interface StoredSummary {
  readonly table: SweepTable;
  /** Runs that the sweep has beyond those of the table. */
  readonly missing: number;
  /** Files of damaged parts, which are left out. */
  readonly damaged: readonly string[];
}

const TEXTS = ['run_id', 'outcome'];

/**
 * Reads these columns of a sweep's summary, from all parts that are whole.
 * @throws UsageError where the folder holds no sweep, or none of its runs can be read
 */
export async function readSummary(
  flag: string,
  path: string,
  columns: readonly string[],
): Promise<StoredSummary> {
  const folder = sweepFolder(path);
  const places = await readManifest(folder, flag);
  const names = (await readdir(folder.summary).catch(() => []))
    .filter((name) => name.endsWith('.parquet'))
    .sort();
  if (places.length === 0 || names.length === 0) {
    throw new UsageError(`--${flag}: ${path} holds no runs; name the folder of an eos sweep`);
  }
  const pieces = new Map<string, Float64Array[]>();
  const texts = new Map<string, string[]>();
  for (const name of columns) {
    if (TEXTS.includes(name)) texts.set(name, []);
    else pieces.set(name, []);
  }
  const whole = new Set<string>();
  const damaged: string[] = [];
  for (const name of names) {
    const file = join(folder.summary, name);
    const bytes = await readWholePart(file);
    if (!bytes) {
      damaged.push(file);
      continue;
    }
    await readPart(bytes, [...columns], pieces, texts);
    whole.add(name);
  }
  if (whole.size === 0) {
    throw new UsageError(
      `--${flag}: ${damaged[0]} is damaged, and no other part is there; run the sweep again to have it redone`,
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
  return { table: tableOf(pieces, texts), missing, damaged };
}

/** Column by column, never as rows: half a million of those are most of a gigabyte. */
async function readPart(
  bytes: Buffer<ArrayBuffer>,
  columns: string[],
  pieces: ReadonlyMap<string, Float64Array[]>,
  texts: ReadonlyMap<string, string[]>,
): Promise<void> {
  const { buffer, byteOffset, byteLength } = bytes;
  await parquetRead({
    file: buffer.slice(byteOffset, byteOffset + byteLength),
    columns,
    onChunk({ columnName, columnData }) {
      const words = texts.get(columnName);
      if (words) for (const value of columnData) words.push(String(value));
      else {
        pieces
          .get(columnName)!
          .push(
            Float64Array.from(columnData as ArrayLike<number | bigint | null>, (value) =>
              value === null || value === undefined ? Number.NaN : Number(value),
            ),
          );
      }
    },
  });
}

function tableOf(
  pieces: ReadonlyMap<string, Float64Array[]>,
  texts: ReadonlyMap<string, readonly string[]>,
): SweepTable {
  const arrays = new Map<string, Float64Array>();
  for (const [name, list] of pieces) {
    const all = new Float64Array(list.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of list) {
      all.set(piece, at);
      at += piece.length;
    }
    list.length = 0;
    arrays.set(name, all);
  }
  return {
    length: arrays.values().next().value?.length ?? 0,
    numbers: (name) => arrays.get(name)!,
    texts: (name) => texts.get(name)!,
  };
}

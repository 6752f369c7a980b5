import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { memorySource } from '../../pipeline/formats/byte-source.ts';
import { DamagedFileError } from '../../pipeline/formats/file-errors.ts';
import { damaged } from '../../pipeline/formats/limits.ts';
import { openTable } from '../../pipeline/formats/open-table.ts';
import { fieldNamed, type Values } from '../../pipeline/formats/table-file.ts';
import { WORD_COLUMNS } from '../../pipeline/sweep/map-parameters.ts';
import type { OnRead } from '../reader/job.ts';
import { readWholePart, trajectoriesDigest } from './part-file.ts';

/** A column of a part: texts, or numbers, NaN where there is none. */
export type PartColumn = Float64Array | readonly string[];

const TEXTS: readonly string[] = ['run_id', 'outcome', ...WORD_COLUMNS];

/** These columns of a part of a sweep's summary; undefined unless it is whole. */
async function readPart(
  read: OnRead,
  path: string,
  columns: readonly string[],
): Promise<readonly PartColumn[] | undefined> {
  const bytes = await readWholePart(path);
  if (!bytes) return undefined;
  read(bytes.length);
  try {
    const table = await openTable(memorySource(bytes));
    const made: PartColumn[] = [];
    for (const name of columns) {
      const field = fieldNamed(table, name) ?? damaged(`it has no column ${name}`);
      const values: Values[] = [];
      for (let g = 0; g < table.groups.length; g++) values.push(await table.read(field, g));
      made.push(columnOf(name, values));
    }
    return made;
  } catch (error) {
    // Its checksum is right, and yet it is none that a sweep has written.
    if (error instanceof DamagedFileError) return undefined;
    throw error;
  }
}

/** Whether a part and the trajectories of its runs are as they were written, to the last bit. */
async function checkPart(
  read: OnRead,
  path: string,
  trajectories: readonly string[] | null,
): Promise<boolean> {
  const bytes = await readWholePart(path);
  if (!bytes) return false;
  read(bytes.length);
  if (!trajectories) return true;
  const hash = createHash('sha256');
  try {
    for (const file of trajectories) {
      for await (const chunk of createReadStream(file)) {
        read((chunk as Buffer).length);
        hash.update(chunk as Buffer);
      }
    }
    return hash.digest('hex') === (await trajectoriesDigest(bytes));
  } catch {
    return false;
  }
}

export const wholeJob = { name: 'whole', work: checkPart } as const;

export const partJob = { name: 'part', work: readPart } as const;

function columnOf(name: string, groups: readonly Values[]): PartColumn {
  const values = groups.flatMap((group) => Array.from(group));
  if (TEXTS.includes(name)) return values.map((value) => (value === null ? '' : String(value)));
  return Float64Array.from(values, (value) => (value === null ? Number.NaN : Number(value)));
}

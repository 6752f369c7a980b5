import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetMetadata, type RowGroup } from 'hyparquet';
import { expect, onTestFinished } from 'vitest';
import { recoverFile } from '../../src/cli/recover-file.ts';
import { eos, startEos } from '../setup/eos.ts';
import { removeFolder } from '../setup/remove-folder.ts';

/** One way to write a run: its flags, and the files that it makes. */
export interface Way {
  readonly name: string;
  readonly args: readonly string[];
  readonly files: readonly ('run.parquet' | 'run.arrow')[];
}

const COLUMNS = 'step,alpha,loss,regime,phase,cycle';
const BOTH = ['--out', 'run.parquet', '--arrow', 'run.arrow'];

export const WAYS: readonly Way[] = [
  {
    name: 'both files, as fast as it goes',
    args: [...BOTH, '--steps', '500000'],
    files: ['run.parquet', 'run.arrow'],
  },
  {
    name: 'both files, paced, so that row groups are flushed half full',
    args: [...BOTH, '--steps', '150000', '--pace', '150000', '--preset', 'three-phases'],
    files: ['run.parquet', 'run.arrow'],
  },
  {
    name: 'both files, thinned',
    args: [...BOTH, '--steps', '3000000', '--every', '20', '--preset', 'figure3'],
    files: ['run.parquet', 'run.arrow'],
  },
  {
    name: 'so many rows that a thread encodes them',
    args: ['--out', 'run.parquet', '--steps', '2200000', '--columns', COLUMNS],
    files: ['run.parquet'],
  },
  {
    name: 'parquetjs-lite',
    args: [
      '--out',
      'run.parquet',
      '--parquet-writer',
      'parquetjs-lite',
      '--steps',
      '250000',
      '--columns',
      COLUMNS,
    ],
    files: ['run.parquet'],
  },
  {
    name: 'as many bits as it takes',
    args: [
      ...BOTH,
      '--precision',
      'auto',
      '--preset',
      'three-phases',
      '--eta',
      '1/7',
      '--steps',
      '6000',
      '--pace',
      '6000',
    ],
    files: ['run.parquet', 'run.arrow'],
  },
  {
    name: 'a run that diverges',
    args: [
      ...BOTH,
      '--floor',
      '0',
      '--eta',
      '0.0501',
      '--steps',
      '400000',
      '--init',
      '0.3,0.001,0.3',
      '--pace',
      '4000',
    ],
    files: ['run.parquet', 'run.arrow'],
  },
];

export interface Reference {
  readonly way: Way;
  /** The files of the run that nobody killed. */
  readonly bytes: ReadonlyMap<string, Buffer>;
  /** Milliseconds from its first event to its end. */
  readonly duration: number;
}

/**
 * A folder in memory where there is one: what is tested is what a killed program leaves, not how
 * fast a disk is.
 */
export function fastFolder(): string {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'eos-'));
  onTestFinished(() => removeFolder(folder));
  return folder;
}

export async function referenceRun(way: Way, cwd: string): Promise<Reference> {
  const run = startEos(streamArgs(way), { cwd });
  await run.says('"start"');
  const begun = performance.now();
  const { code, stderr } = await run.done;
  expect([code, stderr]).toEqual([0, '']);
  const bytes = new Map(way.files.map((file) => [file, readFileSync(join(cwd, file))] as const));
  for (const file of way.files) await rm(join(cwd, file));
  return { way, bytes, duration: performance.now() - begun };
}

export interface Kill {
  /** Rows that a flush had acknowledged, of all files together. */
  readonly acknowledged: number;
  readonly recovered: number;
  /** Files that were whole already, or of which nothing had been flushed. */
  readonly untouched: number;
}

/**
 * Kills a run at some time, recovers what it left, resumes it, and holds the result against the run
 * that nobody killed: byte for byte, so in all columns, row groups and the summary.
 *
 * @param when part of the run's duration, 0 to 1
 */
export async function killAndResume(
  { way, bytes, duration }: Reference,
  cwd: string,
  when: number,
): Promise<Kill> {
  const run = startEos(streamArgs(way), { cwd });
  await run.says('"start"').catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, when * duration));
  run.child.kill('SIGKILL');
  const { stdout } = await run.done;
  const acknowledged = lastFlushes(stdout);

  const kill = { acknowledged: 0, recovered: 0, untouched: 0 };
  for (const file of way.files) {
    const partial = join(cwd, `${file}.partial`);
    const safe = acknowledged.get(file) ?? 0;
    kill.acknowledged += safe;
    const original = existsSync(partial) ? readFileSync(partial) : undefined;
    if (!original) {
      kill.untouched++;
      continue;
    }
    try {
      const { rows } = await recoverFile(partial, join(cwd, `recovered-${file}`), true);
      expect(rows).toBeGreaterThanOrEqual(safe);
      // Not only what was acknowledged: of the groups on the disk, all but one that was not noted
      // yet.
      if (file === 'run.parquet') {
        expect(rows).toBeGreaterThanOrEqual(rowsOnDisk(original, bytes.get(file)!));
      }
      kill.recovered += rows;
    } catch (error) {
      expect((error as Error).message).toMatch(/nothing can be recovered/);
      expect(safe).toBe(0);
      kill.untouched++;
    }
    expect(readFileSync(partial).equals(original)).toBe(true);
  }

  const arrow = way.files.includes('run.arrow') ? ['--arrow', 'run.arrow'] : [];
  const resumed = await eos(['stream', '--resume', 'run.parquet', ...arrow, '--quiet'], { cwd });
  if (resumed.code === 2) {
    // Too early for one of the files, or too late for all of them.
    expect(resumed.stderr).toMatch(
      /^eos: --resume: .*(cannot be continued: (no rows|nothing)|is whole|there is no)/,
    );
    expect(resumed.stderr.trimEnd().split('\n')).toHaveLength(1);
    if (way.files.every((file) => (acknowledged.get(file) ?? 0) > 0))
      expect(resumed.stderr).toMatch(/is whole/);
    const again = await eos([...streamArgs(way), '--quiet', '--force'], { cwd });
    expect([again.code, again.stderr]).toEqual([0, '']);
  } else {
    expect([resumed.code, resumed.stderr]).toEqual([0, '']);
  }
  for (const file of way.files) {
    expect(readFileSync(join(cwd, file)).equals(bytes.get(file)!), `${way.name}: ${file}`).toBe(
      true,
    );
    await rm(join(cwd, file));
    for (const rest of ['partial', 'partial.journal', 'lock'])
      expect(existsSync(join(cwd, `${file}.${rest}`))).toBe(false);
    await rm(join(cwd, `recovered-${file}`), { force: true });
  }
  return kill;
}

/** Rows of the whole row groups that a partial file holds, less the last group. */
export function rowsOnDisk(partial: Buffer, whole: Buffer): number {
  const same = Math.min(partial.length, whole.length);
  let prefix = 0;
  while (prefix < same && partial[prefix] === whole[prefix]) prefix++;
  const sizes = parquetMetadata(new Uint8Array(whole).buffer)
    .row_groups.filter((group) => endOf(group) <= prefix)
    .map(({ num_rows }) => Number(num_rows));
  return sizes.slice(0, -1).reduce((sum, rows) => sum + rows, 0);
}

function endOf({ columns }: RowGroup): number {
  const ends = columns.map(({ meta_data: column }) =>
    Number(
      (column!.dictionary_page_offset ?? column!.data_page_offset) + column!.total_compressed_size,
    ),
  );
  return Math.max(...ends);
}

function streamArgs({ args }: Way): string[] {
  return ['stream', ...args, '--flush-every', '0.02', '--log-format', 'json'];
}

/** Rows of the last flush of each file; the last line may have been cut off with the program. */
export function lastFlushes(stdout: string): Map<string, number> {
  const rows = new Map<string, number>();
  for (const line of stdout.split('\n').slice(0, -1)) {
    const event = JSON.parse(line) as { event: string; file: string; rows: number };
    if (event.event === 'flush') rows.set(event.file, event.rows);
  }
  return rows;
}

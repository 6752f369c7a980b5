import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { lastValueFrom, tap } from 'rxjs';
import { duration, fileSize, plural } from '../pipeline/format.ts';
import { memoryTarget } from '../pipeline/formats/byte-target.ts';
import { hyparquetFormat } from '../pipeline/formats/parquet/hyparquet.ts';
import { parquetSink } from '../pipeline/formats/parquet/parquet-sink.ts';
import type { Compression } from '../pipeline/formats/table-format.ts';
import type { Runs, TrainingConfig } from '../pipeline/sources/trainings/training.ts';

/** What a run will take, by its first steps. */
export interface RunEstimate {
  /** Of a thinned run at least so many: those around peaks and changes of phase come on top. */
  readonly rows: number;
  /** Of its Parquet file. */
  readonly bytes: number;
  readonly seconds: number;
}

/**
 * Milliseconds after which the first steps say enough, once to see how many these are, and once to
 * measure.
 */
const GLANCE = 20;
const PATIENCE = 150;
/** Most rows of a measurement; the first half of them runs in code that is not compiled yet. */
const SAMPLE = 65_536;
const BATCH = 16;
const LARGEST_BATCH = 4096;
/** Bytes of a file without rows. */
const FRAME = 6000;

interface Sample {
  readonly rows: number;
  readonly bytes: number;
  /** Seconds a row. */
  readonly perRow: number;
}

/** Runs the first steps, into memory. */
export async function estimateRun(
  runs: Runs,
  config: TrainingConfig,
  compression: Compression | undefined,
): Promise<RunEstimate> {
  const { steps, every } = config;
  const glance = await sample(runs, config, compression, BATCH, GLANCE);
  const batch = Math.min(LARGEST_BATCH, Math.max(BATCH, glance.rows));
  const { rows, bytes, perRow } = await sample(runs, config, compression, batch, PATIENCE);
  const kept = Math.ceil(steps / every) + 1;
  const size = FRAME + (Math.max(1, bytes - FRAME) / rows) * kept;
  return { rows: kept, bytes: Math.round(size), seconds: perRow * (steps + 1) };
}

async function sample(
  runs: Runs,
  config: TrainingConfig,
  compression: Compression | undefined,
  batchSize: number,
  milliseconds: number,
): Promise<Sample> {
  const target = memoryTarget();
  const enough = new AbortController();
  const begun = performance.now();
  const marks = [{ rows: 0, time: begun }];
  const batches = runs.rows(config, { batchSize, signal: enough.signal }, true).pipe(
    runs.pipeline(config, () => {}),
    parquetSink(target, { columns: config.columns, format: hyparquetFormat(compression) }),
    tap(({ length }) => {
      const time = performance.now();
      const rows = marks.at(-1)!.rows + length;
      marks.push({ rows, time });
      if (time - begun > milliseconds || rows >= SAMPLE) enough.abort();
    }),
  );
  await lastValueFrom(batches);
  const encoded = performance.now();
  const last = marks.at(-1)!;
  const warm = marks.findLast(({ rows }) => rows <= last.rows / 2)!;
  const computing = (last.time - warm.time) / (last.rows - warm.rows);
  const writing = (encoded - last.time) / last.rows;
  return {
    rows: last.rows,
    bytes: target.bytes().length,
    perRow: (computing + writing) / 1000,
  };
}

/** A file of more bytes than this is told of beforehand. */
const LARGE = 1e9;
/** Bytes that a number takes at most. */
const WIDTH = 8;

/** Whether a run may write so much that one should know before. */
export function mayBeLarge({ steps, every }: TrainingConfig, columns: number): boolean {
  return (steps / every) * columns * WIDTH > LARGE;
}

/** What the user should know of a run before it begins; undefined where it is small. */
export async function sizeWarning(
  { rows, bytes, seconds }: RunEstimate,
  path: string,
): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(dirname(resolve(path)));
  const free = bavail * bsize;
  if (bytes < LARGE && bytes < free) return undefined;
  const room = bytes < free ? '' : `; the disk has ${fileSize(free)} left`;
  return (
    `this will write about ${fileSize(bytes)} (${plural(rows, 'row')}) in ` +
    `${duration(seconds)}${room}: --every K keeps each K-th row, --columns fewer columns`
  );
}

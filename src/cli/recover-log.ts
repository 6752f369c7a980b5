import { from, lastValueFrom } from 'rxjs';
import type { Batch } from '../pipeline/core/batch.ts';
import { count } from '../pipeline/format.ts';
import type { Metadata } from '../pipeline/formats/table-format.ts';
import type { StoredFile } from '../pipeline/node/stored-file.ts';
import { detectMeasuredPhases } from '../pipeline/operators/detect-measured-phases.ts';
import {
  MEASURED_COLUMNS,
  MEASUREMENT_COLUMNS,
  type MeasuredColumn,
} from '../pipeline/phases/measured/columns.ts';
import { SERIES_DEFAULTS } from '../pipeline/phases/measured/detector.ts';
import type { MeasuredSummary, Skipped } from '../pipeline/phases/measured/summary.ts';
import { createTally, type Tally } from '../pipeline/sources/training-log/log-error.ts';
import {
  type LogConfig,
  type LogRun,
  SKIPPED_KEY,
  startLogRun,
  TAKEN_KEY,
} from '../pipeline/sources/training-log/training-log.ts';

type MeasuredInput = Readonly<Record<(typeof LOOKED_AT)[number], Float64Array>>;

/** What of a row the detector looks at. */
const LOOKED_AT = [
  'step',
  'eta',
  'loss',
  'sharpness',
  'threshold',
  'sharpness_ratio',
] as const satisfies readonly MeasuredColumn[];

/** Whether these are the parameters of a detection, and not of a run. */
export function isLogConfig(config: unknown): config is LogConfig {
  return (
    typeof config === 'object' &&
    config !== null &&
    'source' in config &&
    config.source === 'training-log'
  );
}

/**
 * Metadata of the file that a detection left when it died: the detector goes over the rows that are
 * there once more, for the summary that it would have given them.
 */
export async function describeStoredLog(file: StoredFile, config: LogConfig): Promise<Metadata> {
  const { [SKIPPED_KEY]: skipped, [TAKEN_KEY]: taken, ...metadata } = file.metadata;
  const run = startLogRun(
    { ...config, detector: { ...SERIES_DEFAULTS, ...config.detector } },
    { ...tallyOf(skipped), columns: columnsOf(taken) },
  );
  run.interrupted = true;
  const batches = from(storedBatches(file, run)).pipe(detectMeasuredPhases());
  await lastValueFrom(batches);
  return {
    ...metadata,
    'eos.summary': JSON.stringify(run.summary && recoveredLogSummary(run.summary)),
  };
}

async function* storedBatches(
  file: StoredFile,
  run: LogRun,
): AsyncGenerator<Batch<MeasuredInput, LogRun>> {
  const names: readonly string[] = [...LOOKED_AT, ...(run.config.told ?? [])];
  const specs = [...MEASURED_COLUMNS, ...MEASUREMENT_COLUMNS].filter(({ name }) =>
    names.includes(name),
  );
  for (let group = 0; group < file.groups.length; group++) {
    const { length, columns } = await file.read(group, specs);
    const named = Object.fromEntries(
      specs.map(({ name }, c) => [name, columns[c]!]),
    ) as unknown as MeasuredInput;
    yield { run, length, schema: specs, columns: named };
  }
}

/** The summary of a detection that a recovery has ended. */
export function recoveredLogSummary(summary: MeasuredSummary): MeasuredSummary {
  const { last_step: step, warnings } = summary;
  const why = 'the program that read the log did not end the file';
  const message = `recovered up to step ${count(step)}: ${why}`;
  return {
    ...summary,
    recovered: true,
    warnings: [
      ...warnings.filter(({ kind }) => kind !== 'interrupted'),
      { kind: 'recovered', step, message },
    ],
  };
}

/** What had been left out of the log by then; the metadata of a file is somebody's word. */
export function tallyOf(text: string | undefined): Tally {
  const entries = skippedOf(text);
  return entries.length === 0 ? createTally() : { ...createTally(), entries };
}

function skippedOf(text: string | undefined): readonly Skipped[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.filter(isSkipped) : [];
  } catch {
    return [];
  }
}

function isSkipped(value: unknown): value is Skipped {
  if (typeof value !== 'object' || value === null) return false;
  const {
    what,
    reason,
    count,
    first_line: line,
  } = value as Partial<Record<keyof Skipped, unknown>>;
  const named = (what === 'line' || what === 'value') && typeof reason === 'string';
  return named && Number.isSafeInteger(count) && Number.isSafeInteger(line);
}

/** Which column of the log was taken as what, as far as the metadata says. */
function columnsOf(taken: string | undefined): Record<string, string> {
  try {
    const value: unknown = JSON.parse(taken ?? '{}');
    if (typeof value !== 'object' || value === null) return {};
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, name]) =>
        typeof name === 'string' ? [[key, name]] : [],
      ),
    );
  } catch {
    return {};
  }
}

import { CHECKPOINT_KEY } from '../core/checkpoint.ts';
import { checksum } from '../core/checksum.ts';
import type { Run } from '../core/run.ts';
import { encodeCheckpoint, summaryAt } from '../core/stored-state.ts';
import type { Progress } from '../sinks/table-sink.ts';
import { SEAL_KEY, UNSEALED } from './seal.ts';
import type { Metadata } from './table-format.ts';

/** Key of the CRC-32 of the parameters: some of them leave no trace in the rows. */
export const DIGEST_KEY = 'eos.digest';

/** Version of the layout of run files: columns and metadata. */
export const SCHEMA_VERSION = '2';

/**
 * Key-value metadata of the file of a run. Numbers that JSON cannot hold become null. While the run
 * has not ended, the summary is that of the steps so far. A checkpoint tells how to go on, or to
 * lengthen a run that has.
 */
export function runMetadata(run: Run, progress?: Progress, ended = true): Metadata {
  const summary = ended
    ? run.summary
    : progress && summaryAt(progress.after, { interrupted: true, divergedAt: null });
  const goesOn = !ended || run.divergedAt === null;
  const resumable = progress !== undefined && goesOn && Object.keys(progress.after).length > 0;
  const config = JSON.stringify(run.config);
  return {
    'eos.schema_version': SCHEMA_VERSION,
    'eos.config': config,
    [DIGEST_KEY]: checksum(config),
    ...(summary ? { 'eos.summary': JSON.stringify(summary) } : {}),
    ...(resumable ? { [CHECKPOINT_KEY]: encodeCheckpoint(progress.rows, progress.after) } : {}),
    ...run.metadata?.(ended),
  };
}

/** The same, with a checksum that the writer of the file computes. */
export function sealedMetadata(...run: Parameters<typeof runMetadata>): Metadata {
  return { ...runMetadata(...run), [SEAL_KEY]: UNSEALED };
}

/** The same of a file with these columns alone, whatever the run itself was asked for. */
export function metadataWith(columns: readonly string[] | null | undefined) {
  return (run: Run, ...rest: [progress?: Progress | undefined, ended?: boolean]): Metadata =>
    sealedMetadata(columns && !hasAll(run, columns) ? askedFor(run, columns) : run, ...rest);
}

/** Whether these are all columns: then nobody has chosen among them. */
const hasAll = ({ order }: Run, columns: readonly string[]): boolean =>
  order.every((name) => columns.includes(name));

function askedFor(run: Run, columns: readonly string[]): Run {
  if (run.order.every((name) => columns.includes(name))) return run;
  return { ...run, config: { ...(run.config as object), columns } };
}

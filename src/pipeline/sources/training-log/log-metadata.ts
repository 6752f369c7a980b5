import { SCHEMA_VERSION } from '../../formats/run-metadata.ts';
import type { LogRun } from './training-log.ts';

/** Key of what has been left out of a log, in the metadata of a file whose detection has not ended. */
export const SKIPPED_KEY = 'eos.skipped';

/** Key-value metadata of the file of a detection, with the keys of a run file. */
export function logMetadata(
  { config, summary, tally }: LogRun,
  ended = true,
): Record<string, string> {
  return {
    'eos.schema_version': SCHEMA_VERSION,
    'eos.config': JSON.stringify(config),
    ...(summary ? { 'eos.summary': JSON.stringify(summary) } : {}),
    ...(ended ? {} : { [SKIPPED_KEY]: JSON.stringify(tally.entries) }),
  };
}

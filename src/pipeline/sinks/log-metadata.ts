import type { LogRun } from '../source/training-log/training-log.ts';
import { SCHEMA_VERSION } from './run-metadata.ts';

/** Key-value metadata of the file of a detection, with the keys of a run file. */
export function logMetadata({ config, summary }: LogRun): Record<string, string> {
  return {
    'eos.schema_version': SCHEMA_VERSION,
    'eos.config': JSON.stringify(config),
    ...(summary ? { 'eos.summary': JSON.stringify(summary) } : {}),
  };
}

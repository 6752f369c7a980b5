import type { ModelRun } from '../source/gradient-descent.ts';

/** Version of the layout of run files: columns and metadata. */
export const SCHEMA_VERSION = '1';

/** Key-value metadata of a run file. Numbers that JSON cannot hold become null. */
export function runMetadata({ config, summary }: ModelRun): Record<string, string> {
  return {
    'eos.schema_version': SCHEMA_VERSION,
    'eos.config': JSON.stringify(config),
    ...(summary ? { 'eos.summary': JSON.stringify(summary) } : {}),
  };
}

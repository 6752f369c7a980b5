import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCHEMA_VERSION } from '../../../pipeline/sweep/sweep-columns.ts';
import { packageRoot } from '../../package-root.ts';
import type { FolderSweep } from '../folder.ts';

/**
 * What a job says: which part, and for whom. All else stands in the folder that all workers see.
 */
export interface PartJob {
  readonly part: number;
  /** Layout of the sweep's folder. */
  readonly schema_version: string;
  /** Version of the program that hands it out: another one may compute other numbers. */
  readonly program: string;
}

const manifest = readFileSync(join(packageRoot, 'package.json'), 'utf8');
const { version } = JSON.parse(manifest) as { readonly version: string };

export const JOB_NAME = 'part';
export const jobId = (part: number): string => `${JOB_NAME}-${part}`;

export function partJob(part: number): PartJob {
  return { part, schema_version: SCHEMA_VERSION, program: version };
}

/** The longest that a job waits before it is tried again. */
const LONGEST_WAIT = 60_000;

/** A job as it stands in Redis, where anybody who knows its password can put one. */
export interface StoredJob {
  readonly id?: string | undefined;
  readonly name: string;
  readonly data: unknown;
  readonly opts?: { readonly delay?: number; readonly parent?: unknown };
}

/**
 * Why a job is none of this sweep; undefined where it is one. It names a part that the sweep has,
 * and says nothing else than what `partJob` does.
 */
export function refusal(job: StoredJob, { plan }: FolderSweep): string | undefined {
  const { data, name, id, opts } = job;
  if (name !== JOB_NAME) return 'it is called otherwise';
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return 'it names no part';
  const { part, ...rest } = data as Readonly<Record<string, unknown>>;
  if (typeof part !== 'number' || !Number.isSafeInteger(part) || part < 0 || part >= plan.count)
    return `it names no part from 0 to ${plan.count - 1}`;
  if (id !== jobId(part)) return 'it goes by the number of another part';
  const { part: _, ...own } = partJob(part);
  for (const [key, value] of Object.entries(own)) {
    if (rest[key] === value) continue;
    const what = key === 'program' ? 'eos' : key;
    return `it is of ${what} ${shown(rest[key])}, and this is ${value}`;
  }
  const extra = Object.keys(rest).find((key) => !Object.hasOwn(own, key));
  if (extra !== undefined) return `it says ${shown(extra)}, which no job does`;
  if ((opts?.delay ?? 0) > LONGEST_WAIT || opts?.parent) return 'it is to wait without end';
  return undefined;
}

/** Characters of what a job says that are shown. */
const SHOWN = 40;

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'unknown');
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

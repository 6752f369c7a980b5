import { checksum } from '../core/checksum.ts';
import type { Column } from '../core/schema.ts';
import { count } from '../format.ts';
import { RUN_COLUMNS } from '../models/minimal/columns.ts';
import {
  ConfigError,
  type RunConfig,
  type RunOptions,
  resolveConfig,
} from '../models/minimal/config.ts';
import type { Moments } from '../models/minimal/moments.ts';
import { type CheckResult, doesNotApply } from '../theory/check.ts';
import type { FileFacts } from '../theory/file-check.ts';
import { type RunColumns, type RunTable, runTable } from '../theory/run-table.ts';
import { DIGEST_KEY } from './run-metadata.ts';
import { jsonObject } from './table-file.ts';

/** Rows for which there is memory, with all columns and what is computed of them. */
interface Room {
  readonly most: number;
  /** What to do where there are more. */
  readonly help: string;
}

const PAGE_ROOM: Room = { most: 5_000_000, help: 'check the file with eos verify' };

/** Why a file cannot be checked, in words that go on behind its name. */
export class StoredRunError extends Error {
  override readonly name = 'StoredRunError';
  /** The parameter that was given and does not go with the file. */
  readonly option: string | undefined;

  constructor(message: string, option?: string) {
    super(message);
    this.option = option;
  }
}

/** A file with a run, whoever reads it. */
export interface StoredRun {
  readonly rows: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** Names of its columns. */
  readonly columns: readonly string[];
  /** These columns, in blocks of rows: numbers, and words as they are. */
  read(names: readonly string[]): AsyncIterable<Readonly<Record<string, ArrayLike<unknown>>>>;
}

/**
 * A run as the checks take it, and what its file says besides its rows.
 *
 * @param given parameters, for a file that does not say its own
 * @param wanted columns to read, as far as the file has them; all of a run unless given
 * @throws StoredRunError
 */
export async function readStoredRun(
  file: StoredRun,
  given: RunOptions = {},
  wanted?: readonly string[],
  { most, help }: Room = PAGE_ROOM,
): Promise<{ readonly table: RunTable; readonly facts: FileFacts }> {
  const config = storedConfig(file, given);
  const specs = RUN_COLUMNS.filter(
    ({ name }) => (wanted?.includes(name) ?? true) && file.columns.includes(name),
  ) as readonly Column[];
  if (!specs.some(({ name }) => name === 'step'))
    throw new StoredRunError(
      ': there is no column step, so it is not known which steps its rows are of',
    );
  if (file.rows > most)
    throw new StoredRunError(
      `: ${count(file.rows)} rows are more than the ${count(most)} that memory is given for; ` +
        `${help}`,
    );
  const columns = await readColumns(file, specs);
  const facts = factsOf(file);
  try {
    const table = runTable(
      config,
      columns as RunColumns & { readonly step: Float64Array },
      typeof facts.summary?.diverged_at === 'number' ? facts.summary.diverged_at : null,
    );
    return { table, facts };
  } catch (error) {
    throw new StoredRunError(`: ${(error as Error).message}`);
  }
}

/** Why the theory does not speak of a file; undefined where it does. */
export function otherThanRun({ metadata, columns }: StoredRun): string | undefined {
  const said = jsonObject(metadata['eos.config']);
  if (!said) return undefined;
  if (said.source === 'training-log') return 'a log';
  if (said.dynamics !== undefined) return `${String(said.dynamics)} beside a run`;
  if ((said.model ?? 'minimal') !== 'minimal') return `the model ${String(said.model)}`;
  return columns.includes('step') ? undefined : 'rows without their step';
}

/** The one result of a file that the theory is not of. */
export function theoryOfOther(other: string): CheckResult {
  const note = `the theory is of gradient descent on the minimal model, and this file of ${other}`;
  return {
    name: 'theory',
    statement: 'what is known of the dynamics holds',
    recomputed: [],
    ...doesNotApply(note),
  };
}

function storedConfig({ metadata }: StoredRun, given: RunOptions): RunConfig {
  const options = Object.entries(given).filter(([, value]) => value !== undefined);
  const text = metadata['eos.config'];
  if (text === undefined) {
    if (options.length > 0) return resolveConfig(given);
    throw new StoredRunError(
      ': there is no eos.config in its metadata; say what run it is, with --preset or ' +
        '--lambda1, --lambda2, --eta, --init, --floor',
    );
  }
  try {
    const recorded = JSON.parse(text) as RunOptions & { dynamics?: unknown; moments?: Moments };
    if (recorded.dynamics !== undefined) {
      throw new StoredRunError(
        `: this is the ${String(recorded.dynamics)} trajectory that stands beside a run; name ` +
          'the file of the run itself',
      );
    }
    const { model = 'minimal' } = recorded as { readonly model?: string };
    if (model !== 'minimal')
      throw new StoredRunError(
        ` is a run of the model ${model}; the theory is that of the minimal model alone`,
      );
    const config = resolveConfig({ ...recorded, columns: null });
    for (const [name, value] of options) {
      const own = config[name as keyof RunConfig];
      if (String(own) === String(value)) continue;
      throw new StoredRunError(
        ` says itself that its ${name} is ${String(own)}; leave it out`,
        name,
      );
    }
    return { ...config, moments: recorded.moments ?? config.moments };
  } catch (error) {
    if (error instanceof StoredRunError) throw error;
    const problem = error instanceof ConfigError ? error.message : 'it is not JSON';
    throw new StoredRunError(`: its eos.config cannot be used: ${problem}`);
  }
}

/** What the file says besides its rows. */
function factsOf({ metadata, columns }: StoredRun): FileFacts {
  const config = metadata['eos.config'];
  const summary = metadata['eos.summary'];
  return {
    config: config === undefined ? undefined : (JSON.parse(config) as RunOptions),
    summary: summary === undefined ? undefined : recordOf(summary),
    columns,
    older: metadata['eos.schema_version'] === '1',
    digest: metadata[DIGEST_KEY],
    digestOfConfig: config === undefined ? undefined : checksum(config),
  };
}

function recordOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? (value as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}

async function readColumns(
  table: StoredRun,
  specs: readonly Column[],
): Promise<Record<string, Float64Array | Int32Array | Uint8Array>> {
  const arrays = specs.map(({ type }) => {
    if (type === 'STRING') return new Uint8Array(table.rows);
    return type === 'INT32' ? new Int32Array(table.rows) : new Float64Array(table.rows);
  });
  let at = 0;
  for await (const block of table.read(specs.map(({ name }) => name))) {
    let length = 0;
    specs.forEach((spec, c) => {
      const values = block[spec.name]!;
      length = values.length;
      fill(spec, values, arrays[c]!, at);
    });
    at += length;
  }
  return Object.fromEntries(specs.map(({ name }, c) => [name, arrays[c]!]));
}

function fill(
  { name, words }: Column,
  values: ArrayLike<unknown>,
  into: Float64Array | Int32Array | Uint8Array,
  at: number,
): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    const number = words
      ? words.indexOf(String(value))
      : typeof value === 'string'
        ? Number.NaN
        : Number(value);
    if (value === null || value === undefined || Number.isNaN(number) || (words && number < 0)) {
      throw new StoredRunError(
        `: row ${at + i} of column ${name} holds ${String(value)}, which is no value for it`,
      );
    }
    into[at + i] = number;
  }
}

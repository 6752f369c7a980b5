import { checksum } from '../../pipeline/core/checksum.ts';
import type { Column } from '../../pipeline/core/schema.ts';
import { count } from '../../pipeline/format.ts';
import { DIGEST_KEY } from '../../pipeline/formats/run-metadata.ts';
import { RUN_COLUMNS } from '../../pipeline/models/minimal/columns.ts';
import {
  ConfigError,
  type RunConfig,
  type RunOptions,
  resolveConfig,
} from '../../pipeline/models/minimal/config.ts';
import type { Moments } from '../../pipeline/models/minimal/moments.ts';
import type { FileFacts } from '../../pipeline/theory/file-check.ts';
import { type RunColumns, type RunTable, runTable } from '../../pipeline/theory/run-table.ts';
import { UsageError } from '../errors.ts';
import { openTable, type TableReader, type Values } from '../inspect/table-reader.ts';
import { originOf } from '../parameter-flags.ts';
import { MEMORY_VARIABLE, memoryLimit } from '../reader/limits.ts';

/** Bytes of memory that a row takes with all its columns, be they read or computed. */
const BYTES_A_ROW = 220;
/** Share of the memory for a file that a run in it may take: its reader takes the rest. */
const SHARE = 0.6;

/**
 * Reads a run file, of eos or of another program, into memory. Its parameters are those in its
 * metadata; where it has none they are `given`.
 *
 * @param wanted columns to read, as far as the file has them; all of a run unless given
 * @throws UsageError where the file cannot be read, is no run of gradient descent, or its
 * parameters are not known
 */
export async function readRun(
  path: string,
  given: RunOptions,
  wanted?: readonly string[],
): Promise<RunOfFile> {
  return runOf(path, await openTable(path), given, wanted);
}

interface RunOfFile {
  readonly table: RunTable;
  readonly facts: FileFacts;
}

/** The same of a file that is open. */
export async function runOf(
  path: string,
  table: TableReader,
  given: RunOptions,
  wanted?: readonly string[],
): Promise<RunOfFile> {
  const config = configOf(path, table, given);
  const specs = RUN_COLUMNS.filter(
    ({ name }) =>
      (wanted?.includes(name) ?? true) && table.fields.some((field) => field.name === name),
  ) as readonly Column[];
  if (!specs.some(({ name }) => name === 'step')) {
    throw new UsageError(
      `${path}: there is no column step, so it is not known which steps its rows are of`,
    );
  }
  const most = Math.floor((SHARE * memoryLimit()) / BYTES_A_ROW);
  if (table.rows > most) {
    throw new UsageError(
      `${path}: ${count(table.rows)} rows are more than the ${count(most)} that memory is given for; write the run with --every, or allow more with ${MEMORY_VARIABLE}`,
    );
  }
  const columns = await readColumns(path, table, specs);
  try {
    const facts = factsOf(table);
    const run = runTable(
      config,
      columns as RunColumns & { readonly step: Float64Array },
      typeof facts.summary?.diverged_at === 'number' ? facts.summary.diverged_at : null,
    );
    return { table: run, facts };
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
}

function configOf(path: string, { metadata }: TableReader, given: RunOptions): RunConfig {
  const options = Object.entries(given).filter(([, value]) => value !== undefined);
  const text = metadata['eos.config'];
  if (text === undefined) {
    if (options.length > 0) return resolveConfig(given);
    throw new UsageError(
      `${path}: there is no eos.config in its metadata; say what run it is, with --preset or --lambda1, --lambda2, --eta, --init, --floor`,
    );
  }
  try {
    const recorded = JSON.parse(text) as RunOptions & { dynamics?: unknown; moments?: Moments };
    if (recorded.dynamics !== undefined) {
      throw new UsageError(
        `${path}: this is the ${String(recorded.dynamics)} trajectory that stands beside a run; name the file of the run itself`,
      );
    }
    const { model = 'minimal' } = recorded as { readonly model?: string };
    if (model !== 'minimal')
      throw new UsageError(
        `${path} is a run of the model ${model}; verify checks the theory of the minimal model`,
      );
    const config = resolveConfig({ ...recorded, columns: null });
    for (const [name, value] of options) {
      const own = config[name as keyof RunConfig];
      if (String(own) === String(value)) continue;
      throw new UsageError(
        `${originOf(name)}: ${path} says itself that its ${name} is ${String(own)}; leave it out`,
      );
    }
    return { ...config, moments: recorded.moments ?? config.moments };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const problem = error instanceof ConfigError ? error.message : 'it is not JSON';
    throw new UsageError(`${path}: its eos.config cannot be used: ${problem}`);
  }
}

/** What the file says besides its rows. */
function factsOf({ metadata, fields }: TableReader): FileFacts {
  const config = metadata['eos.config'];
  const summary = metadata['eos.summary'];
  return {
    config: config === undefined ? undefined : (JSON.parse(config) as RunOptions),
    summary: summary === undefined ? undefined : recordOf(summary),
    columns: fields.map(({ name }) => name),
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
  path: string,
  table: TableReader,
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
      fill(path, spec, values, arrays[c]!, at);
    });
    at += length;
  }
  return Object.fromEntries(specs.map(({ name }, c) => [name, arrays[c]!]));
}

function fill(
  path: string,
  { name, words }: Column,
  values: Values,
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
      throw new UsageError(
        `${path}: row ${at + i} of column ${name} holds ${String(value)}, which is no value for it`,
      );
    }
    into[at + i] = number;
  }
}

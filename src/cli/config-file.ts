import { open, stat } from 'node:fs/promises';
import type { Parameter, ParameterTable, ValuesOf } from '../pipeline/core/parameters.ts';
import { didYouMean } from '../pipeline/core/suggest.ts';
import { UsageError } from './errors.ts';
import { readFrom } from './parameter-flags.ts';
import type { OnRead } from './reader/job.ts';
import { reading } from './reader/reading.ts';
import { runFileMetadata } from './run-file.ts';

/** Such files are written by hand or taken from a run; anything larger is something else. */
const LARGEST = 1 << 20;

/** Keys that say nothing of a run: what follows from the others, and what an editor looks for. */
const DERIVED = new Set(['moments', '$schema']);

/**
 * Values of a config file: a JSON object with the names of the flags, or a run file, whose
 * `eos.config` is taken. Those that are null count as not given.
 *
 * @param prepare makes of a value what its parameter reads
 * @throws UsageError for a file that is neither, for names that no flag has, and for values that
 * cannot be
 */
export async function readConfigFile<T extends ParameterTable>(
  flag: string,
  path: string,
  table: T,
  prepare = (_parameter: Parameter, value: unknown): unknown => value,
): Promise<Partial<ValuesOf<T>>> {
  const known = Object.keys(table);
  const object = await reading().job(`--${flag}: ${path}`, settingsJob, flag, path);
  const settings = Object.entries(object)
    .filter(([key, value]) => value !== null && !DERIVED.has(key))
    .map(([key, value]) => {
      const name = known.find((each) => each === key || table[each]!.aliases?.includes(key));
      if (name === undefined)
        throw new UsageError(
          `--${flag}: ${path} names '${key}', which no ${flag} file can ` +
            `set${didYouMean(key, known)}`,
        );
      const parameter = table[name]!;
      return [name, readFrom(`--${flag}: ${path}: ${key}`, parameter, prepare(parameter, value))];
    });
  return Object.fromEntries(settings) as Partial<ValuesOf<T>>;
}

/** The JSON object in a config file, or a run file's `eos.config`. @throws UsageError */
async function readObject(read: OnRead, flag: string, path: string): Promise<object> {
  const there = await stat(path).catch(() => undefined);
  if (there?.isFile()) read(there.size);
  const metadata = await runFileMetadata(path);
  if (metadata && metadata['eos.config'] === undefined)
    throw new UsageError(`--${flag}: ${path} holds no eos.config; it is not the file of a run`);
  const text = metadata?.['eos.config'] ?? (await smallText(flag, path));
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--${flag}: ${path} is not JSON: ${(error as Error).message}`);
  }
  if (isDeep(values))
    throw new UsageError(`--${flag}: ${path} nests its values too deeply; they are flat`);
  if (typeof values === 'object' && values !== null && !Array.isArray(values)) return values;
  throw new UsageError(
    `--${flag}: ${path} does not hold a JSON object such as {"eta": 0.05, "steps": 10000}`,
  );
}

/** Deeper values cannot be sent from process to process, and no parameter has them. */
const DEEPEST = 16;

const isDeep = (value: unknown, depth = 0): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (depth > DEEPEST || Object.values(value).some((each) => isDeep(each, depth + 1)));

export const settingsJob = { name: 'settings', work: readObject } as const;

/**
 * The text of a file without its byte order mark. What never ends, such as a device, is read no
 * further than it may be.
 */
async function smallText(flag: string, path: string): Promise<string> {
  const problem = ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'ENOENT') return new UsageError(`--${flag}: ${path}: there is no such file`);
    if (code === 'EISDIR') return new UsageError(`--${flag}: ${path} is a folder; name a file`);
    return new UsageError(`--${flag}: ${path}: ${message}`);
  };
  const file = await open(path).catch((error) => {
    throw problem(error);
  });
  try {
    const bytes = Buffer.alloc(LARGEST + 1);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length).catch((error) => {
        throw problem(error);
      });
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > LARGEST)
      throw new UsageError(`--${flag}: ${path} is larger than such a file can be (1 MiB)`);
    return bytes.toString('utf8', 0, length).replace(/^\ufeff/, '');
  } finally {
    await file.close();
  }
}

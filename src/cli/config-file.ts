import { readFile, stat } from 'node:fs/promises';
import type { ParameterTable, ValuesOf } from '../pipeline/core/parameters.ts';
import { didYouMean } from '../pipeline/core/suggest.ts';
import { UsageError } from './errors.ts';
import { readFrom } from './parameter-flags.ts';
import { runFileMetadata } from './run-file.ts';

/** Config files are written by hand or taken from a run; anything larger is something else. */
const LARGEST = 1 << 20;

/** Keys of `eos.config` that follow from the others. */
const DERIVED = new Set(['moments']);

/**
 * Values of a config file: a JSON object with the names of the flags, or a run file, whose `eos.config` is taken.
 * Values that are null count as not given; all others are checked.
 * @throws UsageError for a file that is neither, for names that no flag has, and for values that cannot be
 */
export async function readConfigFile<T extends ParameterTable>(
  path: string,
  table: T,
): Promise<Partial<ValuesOf<T>>> {
  const entries = Object.entries(await readObject('config', path, '{"eta": 0.05, "steps": 10000}'));
  const known = Object.keys(table);
  return Object.fromEntries(
    entries
      .filter(([key, value]) => value !== null && !DERIVED.has(key))
      .map(([key, value]) => {
        const name = known.find((each) => each === key || table[each]!.aliases?.includes(key));
        if (name !== undefined)
          return [name, readFrom(`--config: ${path}: ${key}`, table[name]!, value)];
        throw new UsageError(
          `--config: ${path} names '${key}', which no config file can set${didYouMean(key, known)}`,
        );
      }),
  ) as Partial<ValuesOf<T>>;
}

async function readObject(flag: string, path: string, example: string): Promise<object> {
  let values: unknown;
  try {
    values = JSON.parse(await configText(path));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(`--${flag}: ${path} is not JSON: ${error.message}`);
  }
  if (typeof values === 'object' && values !== null && !Array.isArray(values)) return values;
  throw new UsageError(`--${flag}: ${path} does not hold a JSON object such as ${example}`);
}

async function configText(path: string): Promise<string> {
  const file = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      `--config: ${path}: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`,
    );
  });
  if (file.isDirectory())
    throw new UsageError(`--config: ${path} is a folder; name a JSON file or a run file`);
  const metadata = await runFileMetadata(path);
  if (metadata) {
    const config = metadata['eos.config'];
    if (config === undefined)
      throw new UsageError(`--config: ${path} holds no eos.config; it is not the file of a run`);
    return config;
  }
  if (file.size > LARGEST)
    throw new UsageError(`--config: ${path} is larger than a config file can be (1 MiB)`);
  return readFile(path, 'utf8');
}

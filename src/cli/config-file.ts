import { readFile, stat } from 'node:fs/promises';
import { parseNumber } from '../pipeline/models/minimal/config.ts';
import { UsageError } from './errors.ts';
import { runFileMetadata } from './run-file.ts';
import { didYouMean } from './suggest.ts';

/** Config files are written by hand or taken from a run; anything larger is something else. */
const LARGEST = 1 << 20;

/** Keys of `eos.config` that follow from the others. */
const DERIVED = new Set(['moments']);

/**
 * Values of a config file: a JSON object with the names of the flags, or a run file, whose `eos.config` is taken.
 * Values that are null count as not given.
 * @throws UsageError for a file that is neither, and for names that no flag has.
 */
export async function readConfigFile(
  path: string,
  known: readonly string[],
): Promise<Record<string, unknown>> {
  const text = await configText(path);
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--config: ${path} is not JSON: ${(error as Error).message}`);
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new UsageError(
      `--config: ${path} does not hold a JSON object such as {"eta": 0.05, "steps": 10000}`,
    );
  }
  const entries = Object.entries(values).filter(
    ([key, value]) => value !== null && !DERIVED.has(key),
  );
  for (const [key] of entries) {
    if (!known.includes(key))
      throw new UsageError(
        `--config: ${path} names '${key}', which no config file can set${didYouMean(key, known)}`,
      );
  }
  return Object.fromEntries(entries.map(([key, value]) => [key, asList(key, value)]));
}

/** Lists may also be written as their flags take them: "0.3,0.1,0.3". What is none is left for those who check it. */
function asList(key: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (key === 'columns') return value.split(',').map((name) => name.trim());
  if (key !== 'init') return value;
  const numbers = value.split(',').map(parseNumber);
  return numbers.every(Number.isFinite) ? numbers : value;
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

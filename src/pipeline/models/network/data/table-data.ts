import { ConfigError } from '../../../core/parameters.ts';
import type { DataSet } from './data-set.ts';

/** A column of a table of samples: numbers or texts, null where there is none. */
export interface DataColumn {
  readonly name: string;
  readonly values: ArrayLike<unknown>;
}

/** Which column of which file is to be learned, and whether numbers are taken as they are. */
export interface DataChoice {
  readonly data: string;
  readonly target: string | null;
  readonly raw: boolean;
}

/** Whether `--data` names a file. */
export const isDataFile = (text: string): boolean => /\.(csv|tsv|parquet)$/i.test(text);

/** Data sets of files, which only some programs can read, and not all at once. */
const kept = new Map<string, DataSet>();
const keyOf = ({ data, target, raw }: DataChoice) => JSON.stringify([data, target, raw]);

/** Keeps the samples of a file for the runs that name it. */
export function keepData(choice: DataChoice, data: DataSet): void {
  kept.set(keyOf(choice), data);
}

export const isKept = (choice: DataChoice): boolean => kept.has(keyOf(choice));

/** @throws ConfigError where nobody has read that file */
export function keptData(choice: DataChoice): DataSet {
  const found = kept.get(keyOf(choice));
  if (found) return found;
  throw new ConfigError('data', `${choice.data} is a file, and this program reads none`);
}

/**
 * The samples of a table, one a row: the target column is what is learned, all others go in. Each
 * column of numbers is standardized to mean 0 and deviation 1 unless `raw`; texts as targets are
 * classes, in the order of the alphabet.
 *
 * @param hash of the file, by which it is known again
 * @throws ConfigError naming the column and row that cannot be used
 */
export function dataOfTable(
  columns: readonly DataColumn[],
  { data, target, raw }: DataChoice,
  hash: string,
): DataSet {
  const names = columns.map(({ name }) => name);
  const there = `the columns of ${data} are ${names.slice(0, 20).join(', ')}`;
  if (target === null) throw new ConfigError('target', `name the column to learn; ${there}`);
  const learned = columns.find(({ name }) => name === target);
  if (!learned) throw new ConfigError('target', `there is no column '${target}'; ${there}`);
  const given = columns.filter((column) => column !== learned);
  const count = learned.values.length;
  if (given.length === 0 || count === 0)
    throw new ConfigError(
      'data',
      `${data} has no ${count === 0 ? 'rows' : 'column to learn from'}`,
    );
  const inputs = new Float64Array(count * given.length);
  for (const [c, column] of given.entries()) {
    const values = numbersOf(column, data, raw);
    for (let row = 0; row < count; row++) inputs[row * given.length + c] = values[row]!;
  }
  const common = { count, inputs, inputWidth: given.length, hash };
  const isText = Array.from(learned.values).some(
    (value) => typeof value === 'string' && value.trim() !== '' && Number.isNaN(Number(value)),
  );
  if (!isText)
    return { ...common, targets: numbersOf(learned, data, raw), outputWidth: 1, classes: null };
  const texts = Array.from(learned.values, (value, row) => {
    if (value === null || value === '') throw missing(learned.name, row, data);
    return String(value);
  });
  const classes = [...new Set(texts)].sort();
  if (classes.length < 2)
    throw new ConfigError('target', `all rows of ${data} are of the class '${classes[0]}'`);
  const places = new Map(classes.map((name, i) => [name, i]));
  const targets = Float64Array.from(texts, (text) => places.get(text)!);
  return { ...common, targets, outputWidth: classes.length, classes };
}

const missing = (column: string, row: number, data: string) =>
  new ConfigError('data', `${data} has no value in row ${row + 1} of column '${column}'`);

function numbersOf({ name, values }: DataColumn, data: string, raw: boolean): Float64Array {
  const numbers = Float64Array.from(values, (value, row) => {
    const text = typeof value === 'string' ? value.trim() : value;
    if (text === null || text === undefined || text === '') throw missing(name, row, data);
    const number = Number(text);
    if (Number.isFinite(number)) return number;
    throw new ConfigError(
      'data',
      `${data} has '${String(value).slice(0, 40)}' in row ${row + 1} of column '${name}', which ` +
        'is not a number; leave the column out of the file',
    );
  });
  return raw ? numbers : standardized(numbers);
}

/** Less their mean, over their deviation; of equal values 0. */
function standardized(values: Float64Array): Float64Array {
  const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  // Their squares must be numbers of full precision.
  if (most > 0 && most < 1e-100) return standardized(values.map((value) => value * 2 ** 600));
  if (most > 1e100) return standardized(values.map((value) => value * 2 ** -600));
  const first = average(values);
  const spread = average(values.map((value) => (value - first) * (value - first)));
  // Beside a large mean its rounding is no longer small.
  const rest = Math.sqrt(spread) < 1e-6 * Math.abs(first) ? values.map((v) => v - first) : values;
  const mean = rest === values ? first : average(rest);
  const deviation = Math.sqrt(average(rest.map((value) => (value - mean) * (value - mean))));
  const constant = !(deviation > 1e-12 * Math.abs(first));
  return rest.map((value) => (constant ? 0 : (value - mean) / deviation));
}

const average = (values: Float64Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

import { ConfigError, parseNumber } from '../../../core/parameters.ts';
import { didYouMean } from '../../../core/suggest.ts';
import { chebyshev } from './chebyshev.ts';
import type { DataSet, NamedData } from './data-set.ts';
import { digits } from './digits.ts';
import { type DataChoice, isDataFile, keptData } from './table-data.ts';

/** Every named data set: a new one is one new file and one line here. */
export const dataSets: readonly NamedData[] = [chebyshev, digits];

/**
 * The data set that a text such as `chebyshev:6:20` or the name of a file means.
 * @throws ConfigError where there is none of that name, or its numbers cannot be used
 */
export function namedData(choice: DataChoice): DataSet {
  const { data: text, target } = choice;
  if (isDataFile(text)) return keptData(choice);
  if (target !== null)
    throw new ConfigError('target', `only files have columns, and the data is ${text}`);
  const [name = '', ...rest] = text.split(':');
  const found = dataSets.find((each) => each.name === name);
  if (!found) {
    const names = dataSets.map((each) => each.name);
    const usages = dataSets.map(({ usage }) => usage).join(', ');
    throw new ConfigError(
      'data',
      `no data set is called '${name}'${didYouMean(name, names)}; ` +
        `there are ${usages}, and files (.csv, .tsv, .parquet)`,
    );
  }
  const numbers = rest.map(parseNumber);
  if (numbers.some((value) => !Number.isSafeInteger(value) || value < 1))
    throw new ConfigError('data', `'${text}' is not ${found.usage} with whole numbers from 1 up`);
  return found.make(numbers);
}

/** One number a sample and class: 1 where it is the class of the sample, for losses of numbers. */
export function oneHot({ count, targets, outputWidth, ...rest }: DataSet): DataSet {
  const columns = new Float64Array(count * outputWidth);
  for (let s = 0; s < count; s++) columns[s * outputWidth + targets[s]!] = 1;
  return { ...rest, count, outputWidth, targets: columns };
}

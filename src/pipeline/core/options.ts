import { type ParameterTable, readValue } from './parameters.ts';
import { didYouMean } from './suggest.ts';

/**
 * Refuses options that are not an object, or name what there is not.
 * @param of what takes the options, as the message shall name it
 * @throws TypeError
 */
export function checkOptions(of: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${of}: ${String(options)} is not an object of options`);
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    throw new TypeError(
      `${of}: there is no option ${key}${didYouMean(key, known)}; there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`,
    );
  }
}

/**
 * Checks the options of an operator, each by the parameter of the run that it stands for.
 * @throws TypeError, ConfigError for a value that cannot be
 */
export function checkParams(of: string, options: object, table: ParameterTable): void {
  checkOptions(of, options, Object.keys(table));
  for (const [key, value] of Object.entries(options)) {
    if (value !== undefined) readValue(`${of}: ${key}`, table[key]!, value);
  }
}

import { type NumberParameter, readNumber } from './parameters.ts';
import { show } from './show.ts';
import { didYouMean } from './suggest.ts';

/**
 * Refuses options that are not an object, or name what there is not.
 * @param of what takes the options, as the message shall name it
 * @throws TypeError
 */
export function checkOptions(of: string, options: unknown, known: readonly string[]): void {
  if (!isPlain(options)) {
    throw new TypeError(`${of}: ${show(options)} is not an object of options`);
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    throw new TypeError(
      `${of}: there is no option ${key}${didYouMean(key, known)}; there ` +
        `${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`,
    );
  }
}

/** Whether this is an object whose own keys say all: no list, no Map, no Date. */
export const isPlain = (value: unknown): value is object =>
  Object.prototype.toString.call(value) === '[object Object]';

/** Refuses what is given to an operator that takes nothing. @throws TypeError */
export function checkNothing(of: string, given: readonly unknown[]): void {
  if (given.some((each) => each !== undefined))
    throw new TypeError(`${of}: it takes no options; write ${of}()`);
}

/** Refuses what is to be called and cannot be. @throws TypeError */
export function checkCallable(what: string, given: unknown): void {
  if (typeof given !== 'function') throw new TypeError(`${what}: ${show(given)} is not a function`);
}

/**
 * Checks the options of an operator, each by the parameter of the run that it stands for.
 * @throws TypeError, ConfigError for a value that cannot be
 */
export function checkParams(
  of: string,
  options: object,
  table: Readonly<Record<string, NumberParameter>>,
): void {
  checkOptions(of, options, Object.keys(table));
  for (const [key, value] of Object.entries(options)) {
    if (value !== undefined) readNumber(`${of}: ${key}`, table[key]!, value);
  }
}

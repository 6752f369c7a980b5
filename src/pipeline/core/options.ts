import { isPlain } from './is-plain.ts';
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

/** Refuses what is to be called and cannot be. @throws TypeError */
export function checkCallable(what: string, given: unknown): void {
  if (typeof given !== 'function') throw new TypeError(`${what}: ${show(given)} is not a function`);
}

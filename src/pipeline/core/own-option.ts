import { ConfigError } from './config-error.ts';
import { isPlain } from './is-plain.ts';
import { isInRange, type NumberRange } from './ranges.ts';

/**
 * Checks the options of an operator that may be told one number otherwise than the run.
 * @param words what it must be: "a positive number"
 * @throws TypeError, ConfigError for a value that cannot be
 */
export function checkOption<Name extends string>(
  of: string,
  options: { readonly [N in Name]?: number },
  name: Name,
  range: NumberRange & { readonly type: 'number'; readonly default: number },
  words: string,
): void {
  if (!isPlain(options))
    throw new TypeError(`${of}: options are an object; write { ${name}: ${range.default} }`);
  for (const key of Object.keys(options)) {
    if (key !== name)
      throw new TypeError(`${of}: there is no option ${key}; did you mean ${name}?`);
  }
  const value: unknown = options[name];
  if (value === undefined || isInRange(range, value)) return;
  const shown = typeof value === 'number' ? value : 'it';
  throw new ConfigError(`${of}: ${name}`, `${shown} is not ${words}, such as ${range.default}`);
}

/** Refuses what is given to an operator that takes nothing. @throws TypeError */
export function checkNothing(of: string, given: readonly unknown[]): void {
  if (given.some((each) => each !== undefined))
    throw new TypeError(`${of}: it takes no options; write ${of}()`);
}
